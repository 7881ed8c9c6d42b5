// Package cloudtrail reads AWS CloudTrail: it finds the events in the bytes of a record, whatever
// they are wrapped in, and reads the fields of each event that a decision and an alert need.
//
// It guarantees: every byte of a record is accounted for. It is part of an event, of an envelope
// that was recognized, or of a [Fault]. The JSON grammar (RFC 8259) is checked to the last byte, at
// any depth, without recursion and without reflection.
//
// The same text is not checked twice: a userIdentity or tlsDetails that equals, byte for byte, one that the decoder has
// read lately needs no second look. What was remembered changes how fast an event is read, never what is read of it.
//
// Nothing is handed on as a copy: an [Event] is made of sub-slices of the record, or of the decoder's own buffer
// where the record was compressed or quoted. They are valid until the [Sink] returns. Copy what
// must outlive that.
//
// # What is accepted
//
// The JSON that package jsonscan accepts. Bytes that are not UTF-8 and lone surrogates are no damage: the event has
// [Event.InvalidUTF8] set. If a key is repeated, the last one wins, even if its value is null. Only the top
// level of an event counts: the same names further down are never taken for its fields.
//
// What is not accepted is damage. It is a [SyntaxError] with its place, and never undoes what was read before it.
//
// The package starts no goroutines. A [Decoder] belongs to one goroutine at a time.
package cloudtrail

import (
	"github.com/regionwatch/regionwatch/schema/cloudtrail/layer"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
)

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
	// KnownRegion, if set, reports whether a region code is one that the search of damaged text must keep however many
	// others stand there: the catalogue's. The owner may set it between records.
	KnownRegion func(code []byte) bool
	// Heavy, if set, is called once before a record takes more than HeavyBytes of memory, its own bytes included. An error
	// stops the record and is returned by Decode as it is. The owner may set it between records.
	Heavy func() error

	maxBytes int
	light    int // up to how many bytes a record is neither too large nor heavy

	scan    scanner
	event   Event // reused for every event, so that handing it to the sink allocates nothing
	fault   Fault // reused likewise
	salvage salvage.Search
	buffers [MaxNesting + 1][]byte // by depth: the text that a layer holds, decompressed or unquoted
	walkers [MaxNesting + 1]walker // by depth
	inflate layer.Decompressor

	// What follows belongs to the record at hand.

	sink   Sink
	index  int // the next event's place
	left   int // how many bytes may still be opened
	depth  int // layers that are open
	faults int // handed to the sink
	events int // handed to the sink
	calls  int // of the sink: events, faults and skips
	// quiet is set within a string of an envelope that need not be ours: damage in it is not a fault.
	quiet bool
	// inCut is set within a string that damage has cut: what follows the damage is read as its text.
	inCut bool
	// empty and full say of the envelope at hand that what should hold its events is empty, or is not.
	empty, full bool
	run         salvage.Run
	gaps        []span // between the elements of a damaged list
	kept        int    // bytes of all buffers
	large       bool   // a walker has grown beyond what is kept
	heavy       bool   // Heavy was called
}

// HeavyBytes is how much memory a record may take before [Decoder.Heavy] is asked.
const HeavyBytes = 1 << 20

// DefaultMaxBytes is how large a record may be, all that is opened within it included: 64 MiB.
const DefaultMaxBytes = 64 << 20

// keepBytes is how large all buffers together may be to be kept for the next record. Log files of usual size fit.
const keepBytes = 4 << 20

// NewDecoder returns a decoder that opens at most maxBytes of a record, its own bytes and those of all layers together;
// 0 means DefaultMaxBytes.
func NewDecoder(maxBytes int) *Decoder {
	if maxBytes <= 0 {
		maxBytes = DefaultMaxBytes
	}
	return &Decoder{maxBytes: maxBytes, light: min(maxBytes, HeavyBytes)}
}

// Decode reads one record and hands what it holds to the sink. It returns an error only where the
// sink returned one: what cannot be read is a [Fault], never an error. Nil and empty values are
// KindEmpty.
func (d *Decoder) Decode(value []byte, sink Sink) error {
	d.sink, d.index, d.left, d.faults, d.events = sink, 0, d.maxBytes, 0, 0
	d.depth, d.calls, d.quiet, d.inCut, d.empty, d.full, d.heavy = 0, 0, false, false, false, false, false
	d.run.Reset()
	err := d.record(value)
	d.release()
	return err
}

// record opens the record. An ordinary one is too small for the questions of charge.
func (d *Decoder) record(value []byte) error {
	if len(value) <= d.light {
		d.left -= len(value)
	} else if ok, err := d.charge(len(value), value, Chain{}); !ok {
		return err
	}
	if done, err := d.single(value, place{}); done {
		return err
	}
	return d.openLayer(value, place{})
}

// setBuffer keeps the text of the innermost layer.
func (d *Decoder) setBuffer(text []byte) {
	d.kept += cap(text) - cap(d.buffers[d.depth])
	d.buffers[d.depth] = text
}

// release drops the record and buffers that grew for one large record.
func (d *Decoder) release() {
	d.sink = nil
	if d.kept <= keepBytes && !d.large {
		return
	}
	d.kept, d.large = 0, false
	clear(d.buffers[:])
	clear(d.walkers[:])
}

// weigh asks Heavy before the record takes n bytes more.
func (d *Decoder) weigh(n int) error {
	if d.heavy || d.Heavy == nil || d.maxBytes-d.left+n <= HeavyBytes {
		return nil
	}
	d.heavy = true
	return d.Heavy()
}
