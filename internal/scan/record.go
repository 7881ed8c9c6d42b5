package scan

import (
	"errors"
	"fmt"
	"sync"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Part is one record of a source, or a part that was passed over.
type Part struct {
	// Record is for a detector, with the identity that a scan gives it. Its value is valid until visit returns.
	Record detection.Record
	// PassedOver says why the part is not a record, with the head of its bytes; nil for a record.
	PassedOver *DeadLetter

	layers string
}

// Shape returns the layers opened by reading the file and those of the chain, outermost first.
func (p *Part) Shape(chain cloudtrail.Chain) string { return joinShapes(p.layers, chain.String()) }

// ErrEnough ends [Records] early, without an error.
var ErrEnough = errors.New("enough")

// Records reads one source as [Run] does, cut into the same records, and hands them to visit in order. It starts no
// goroutines. The error is of reading, or visit's own.
func Records(s *Source, maxEventBytes int, visit func(*Part) error) error {
	raw, err := s.Open()
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	defer raw.Close()
	o := Options{MaxEventBytes: maxEventBytes}
	v := visitor{file: &file{source: *s}, most: o.maxEventBytes(), visit: visit}
	in := &input{reader: raw}
	opener := openers.Get().(*opener)
	defer openers.Put(opener)
	c := chunker{max: v.most, prompt: s.Size < 0, emit: v.chunk}
	c.text, c.layers, err = opener.open(in, c.max)
	if err == nil {
		err = c.run()
	}
	err = v.file.settle(&c, in, err)
	switch {
	case errors.Is(v.err, ErrEnough):
		return nil
	case v.err != nil:
		return v.err
	}
	return err
}

// visitor hands the records of chunks on.
type visitor struct {
	file  *file
	most  int // bytes of a record
	visit func(*Part) error
	err   error // visit's
}

// chunk hands on the records of a chunk.
func (v *visitor) chunk(c *chunk) error {
	c.file = v.file
	defer c.release()
	c.each(v.most, func(value []byte, offset int64) { v.record(c, value, offset) }, func(head []byte, offset int64, f *fault) {
		v.hand(&Part{PassedOver: passedOver(v.file.source.Name, c, head, offset, f), layers: c.layers})
	})
	if v.err != nil {
		return errStopped
	}
	return nil
}

func (v *visitor) record(c *chunk, value []byte, offset int64) {
	r := detection.Record{Value: value, File: v.file.source.Name, Offset: offset}
	r.Identity = sync.OnceValue(func() string { return contentIdentity(value, offset) })
	v.hand(&Part{Record: r, layers: c.layers})
}

func (v *visitor) hand(p *Part) {
	if v.err == nil {
		v.err = v.visit(p)
	}
}

// DeadLetter is one line of the dead letters: a part of a file that could not be read.
type DeadLetter struct {
	File string `json:"file"`
	// Offset and Length are where the record stands in the file's (decompressed) text: the line of NDJSON,
	// the value, or the whole file. Length is left out where nobody knows.
	Offset int64 `json:"offset"`
	Length int64 `json:"length,omitempty"`
	// Index is the damaged event's place in the record; left out where the damage is not within one event.
	Index  *int   `json:"index,omitempty"`
	Shape  string `json:"shape,omitempty"` // what was recognized before the damage
	Reason string `json:"reason"`          // a short stable code
	Error  string `json:"error"`           // for people
	// Value is the part that could not be read, the record or a piece of it, in base64.
	Value []byte `json:"value"`
	Cut   bool   `json:"cut,omitempty"` // Value is the head of it only, or nothing
	// Alerted is how many alerts the record raised all the same.
	Alerted int `json:"alerted,omitempty"`
	// Count is how many parts this line stands for, where it is more than one.
	Count int `json:"count,omitempty"`
}
