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
	// Record is ready for a detector and has the same identity as in a scan. Its value is valid until visit returns.
	Record detection.Record
	// PassedOver says why the part is not a record and holds the head of its bytes. It is nil for a record.
	PassedOver *DeadLetter

	layers string
}

// Shape returns the layers opened while reading the file, then those of the chain, outermost first.
func (p *Part) Shape(chain cloudtrail.Chain) string { return joinShapes(p.layers, chain.String()) }

// ErrEnough is what visit returns to end [Records] early without an error.
var ErrEnough = errors.New("enough")

// Records reads one source, cuts it into the same records as [Run] does, and hands them to visit in order. It starts no
// goroutines. It returns an error from reading or from visit.
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

// visitor passes the records of chunks to visit.
type visitor struct {
	file  *file
	most  int // largest record, in bytes
	visit func(*Part) error
	err   error // from visit
}

// chunk passes the records of a chunk to visit.
func (v *visitor) chunk(c *chunk) error {
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

// DeadLetter is one line of the dead-letter output: a part of a file that could not be read.
type DeadLetter struct {
	File string `json:"file"`
	// Offset and Length locate the record in the file's (decompressed) text: the NDJSON line, the value or the whole
	// file. Length is omitted if unknown.
	Offset int64 `json:"offset"`
	Length int64 `json:"length,omitempty"`
	// Index is the damaged event's position in the record, omitted if the damage is not within one event.
	Index  *int   `json:"index,omitempty"`
	Shape  string `json:"shape,omitempty"` // what was recognized before the damage
	Reason string `json:"reason"`          // a short stable code
	Error  string `json:"error"`           // for people
	// Value is the part that could not be read, a whole record or a piece of one, in base64.
	Value []byte `json:"value"`
	Cut   bool   `json:"cut,omitempty"` // Value is empty or only the head
	// Alerted is how many alerts the record raised despite the damage.
	Alerted int `json:"alerted,omitempty"`
	// Count is how many parts this line stands for, if more than one.
	Count int `json:"count,omitempty"`
}
