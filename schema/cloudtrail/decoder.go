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

// Decoder finds the events in records. It keeps buffers for decompression and for quoted text between
// records, bounded by its limit and small between large records. Make one with [NewDecoder]; it belongs to
// one goroutine at a time.
type Decoder struct {
	// LostReadOnly makes a damaged event whose readOnly is lost reach the sink all the same, without it. The
	// owner may set it between records.
	LostReadOnly bool

	maxBytes int

	scan    scanner
	event   Event // reused for every event, so that handing it to the sink allocates nothing
	fault   Fault // reused likewise
	salvage salvaged
	buffers [MaxNesting + 1][]byte // by depth: the text that a layer holds, decompressed or unquoted
	inflate Decompressor

	// What follows belongs to the record at hand.

	sink   Sink
	index  int // the next event's place
	left   int // how many bytes may still be decompressed
	faults int // how many faults the sink was told
	events int // how many events the sink was handed
	// firstHalf has the regions of the last part of an event that was read without its readOnly.
	firstHalf salvaged
	large     bool // a buffer has grown beyond what is kept
}

// DefaultMaxBytes is how large a record may get when it is decompressed: 64 MiB.
const DefaultMaxBytes = 64 << 20

// keepBytes is how large a buffer may be to be kept for the next record. Log files of usual size fit.
const keepBytes = 4 << 20

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
	d.sink, d.index, d.left, d.faults, d.events = sink, 0, d.maxBytes, 0, 0
	d.firstHalf.reset()
	err := d.open(value, Chain{})
	d.release()
	return err
}

// setBuffer keeps the text of the layer that is the last of the chain.
func (d *Decoder) setBuffer(chain Chain, text []byte) {
	d.buffers[chain.Len()] = text
	d.large = d.large || cap(text) > keepBytes
}

// release lets go of the record and of buffers that one large record made grow.
func (d *Decoder) release() {
	d.sink = nil
	if !d.large {
		return
	}
	d.large = false
	for i, buffer := range d.buffers {
		if cap(buffer) > keepBytes {
			d.buffers[i] = nil
		}
	}
}
