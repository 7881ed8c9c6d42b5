package scan

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// chunkBytes is the usual size of a chunk. Larger chunks need more memory; smaller ones cost more in handover.
const chunkBytes = 1 << 20

// chunk is a part of a text that consists of whole values, or a part the reader could not deliver, together with the
// results of deciding it.
type chunk struct {
	file   *file
	layout layout
	layers string // shapes opened while reading, outermost first
	data   []byte
	offset int64  // where data starts in the text
	length int64  // of the part of the text it covers
	read   int64  // bytes of the file read so far when the chunk was cut
	fault  *fault // set if data is only the head of an undecided part

	done     chan struct{} // closed when the fields below are set
	spilled  *spillFile    // alerts before those in alerts, if there are too many for memory
	alerts   []byte
	letters  []byte
	findings []finding
	tally    tally // counts findings already dropped from findings
	counts   detection.Counts
	err      error // from spilling
}

// fault explains why a part of a text was not decided.
type fault struct {
	reason cloudtrail.Reason
	err    error
	length int64 // in bytes; 0 if unknown
}

// keptBytes bounds how much of an undecided part its dead letter carries.
const keptBytes = 64 << 10

// each calls record for each record of the chunk, with its offset in the text. It calls passed with the head of each
// part that is not decided: one the reader passed over, or a record of more than most bytes.
func (c *chunk) each(most int, record func(value []byte, offset int64), passed func(head []byte, offset int64, f *fault)) {
	if c.fault != nil {
		passed(c.data, c.offset, c.fault)
		return
	}
	c.eachRecord(func(start, end int) {
		value, offset := c.data[start:end], c.offset+int64(start)
		if len(value) > most {
			f := &fault{cloudtrail.ReasonTooLarge, fmt.Errorf("reading a value: %w", errTooLarge), int64(len(value))}
			passed(value[:min(len(value), keptBytes)], offset, f)
			return
		}
		record(value, offset)
	})
}

// eachRecord calls yield with the start and end of each record in the chunk, without surrounding white space. Blank
// records are skipped, except that a blank file is one record.
func (c *chunk) eachRecord(yield func(start, end int)) {
	if c.layout == layoutWhole {
		yield(0, len(c.data))
		return
	}
	data, next := c.data, c.layout.splitter()
	for at := 0; at < len(data); {
		end := at + next(data[at:])
		record := bytes.TrimLeft(data[at:end], blanks)
		start := end - len(record)
		if n := len(bytes.TrimRight(record, blanks)); n > 0 {
			yield(start, start+n)
		}
		at = end
	}
}

// blanks are the bytes that JSON allows around a value.
const blanks = " \n\r\t"

// buffers holds the buffers that chunks reuse.
var buffers = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

func newBuffer() []byte { return buffers.Get().(*[chunkBytes]byte)[:0] }

// alertBuffers holds the buffers that alerts reuse.
var alertBuffers = sync.Pool{New: func() any { return new([]byte) }}

// written releases the alerts. Unusually large buffers are not reused.
func (c *chunk) written() {
	if c.spilled != nil {
		c.spilled.end()
	}
	if cap(c.alerts) <= chunkBytes {
		buffer := c.alerts[:0]
		alertBuffers.Put(&buffer)
	}
	c.alerts = nil
}

// release releases the text.
func (c *chunk) release() {
	if cap(c.data) == chunkBytes {
		buffers.Put((*[chunkBytes]byte)(c.data[:chunkBytes]))
	}
	c.data = nil
}
