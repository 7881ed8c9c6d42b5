package cloudtrail

// Sink receives what a record holds, in the record's order.
type Sink interface {
	// Event is called for each event. The event and its slices are valid until it returns. An error
	// stops the record and is returned by Decode as it is.
	Event(e *Event) error
	// Skip is called for what is recognized and holds no events for us.
	Skip(k Kind, shape Chain)
	// Fault is called for each part that could not be read; for a damaged event that could be decided
	// all the same, after its Event. An error stops the record and is returned by Decode as it is.
	Fault(f *Fault) error
}

// Decoder finds the events in records. It keeps buffers for decompression between records, bounded
// by its limit. Make one with [NewDecoder]; it belongs to one goroutine at a time.
type Decoder struct {
	maxBytes int
}

// DefaultMaxBytes is how large a record may get when it is decompressed: 64 MiB.
const DefaultMaxBytes = 64 << 20

// NewDecoder returns a decoder that decompresses to at most maxBytes a record; 0 means DefaultMaxBytes.
func NewDecoder(maxBytes int) *Decoder {
	if maxBytes <= 0 {
		maxBytes = DefaultMaxBytes
	}
	return &Decoder{maxBytes: maxBytes}
}

// Decode reads one record and hands what it holds to the sink. It returns an error only where the
// sink returned one: what cannot be read is a [Fault], never an error. Nil and empty values are
// KindEmpty.
func (d *Decoder) Decode(value []byte, sink Sink) error {
	panic("not built yet")
}
