package scan

import (
	"errors"
	"fmt"
	"sync"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Part is one record of a source, or a part of it that was passed over.
type Part struct {
	// Record is what a detector reads, with the identity that a scan gives it. Its value is valid until
	// the function that was handed the part returns.
	Record detection.Record
	// PassedOver says why the part is no record, with the head of its bytes; nil for a record.
	PassedOver *DeadLetter

	layers string
}

// Shape returns the layers that reading the file has opened and those of the chain, the outermost first.
func (p *Part) Shape(chain cloudtrail.Chain) string { return joinShapes(p.layers, chain.String()) }

// ErrEnough ends [Records] early, without an error.
var ErrEnough = errors.New("enough")

// Records reads one source as [Run] does, cut into the same records, and hands them to visit one by one, in
// order. It starts no goroutines. The error is one of reading, or visit's own.
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
	if c.fault != nil {
		v.passOver(c, c.data, c.offset, c.fault)
	} else {
		c.eachRecord(func(start, end int) { v.record(c, start, end) })
	}
	if v.err != nil {
		return errStopped
	}
	return nil
}

func (v *visitor) record(c *chunk, start, end int) {
	value, offset := c.data[start:end], c.offset+int64(start)
	if len(value) > v.most {
		v.passOver(c, value[:min(len(value), keptBytes)], offset, &fault{cloudtrail.ReasonTooLarge, errTooLarge, int64(len(value))})
		return
	}
	r := detection.Record{Value: value, File: v.file.source.Name, Offset: offset}
	r.Identity = sync.OnceValue(func() string { return contentIdentity(value, offset) })
	v.hand(&Part{Record: r, layers: c.layers})
}

func (v *visitor) passOver(c *chunk, head []byte, offset int64, f *fault) {
	v.hand(&Part{PassedOver: passedOver(v.file.source.Name, c, head, offset, f), layers: c.layers})
}

func (v *visitor) hand(p *Part) {
	if v.err == nil {
		v.err = v.visit(p)
	}
}
