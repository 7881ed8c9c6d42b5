package scan

import (
	"fmt"
	"sync"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// chunkBytes is how much of a text is decided at once: more takes memory, less costs hand-over.
const chunkBytes = 1 << 20

// chunk is a part of a text with whole values, or a fault of the reader, and its results.
type chunk struct {
	file   *file
	layout layout
	layers string // the shapes opened by reading, outermost first
	data   []byte
	offset int64  // of data in the text
	length int64  // of its part of the text
	read   int64  // bytes of the file read when the chunk was cut
	fault  *fault // what data is the head of

	done     chan struct{} // closed when the fields below are set
	spilled  *spillFile    // the alerts before those in alerts, if they are too many to keep
	alerts   []byte
	letters  []byte
	findings []finding
	tally    tally // of the findings before those in findings
	counts   detection.Counts
	err      error // of spilling
}

// fault is why a part of a text was not decided.
type fault struct {
	reason cloudtrail.Reason
	err    error
	length int64 // in bytes; 0 if unknown
}

// keptBytes bounds how much of an undecided part goes into its dead letter.
const keptBytes = 64 << 10

// each calls record with each record of the chunk and its offset in the text, and passed with the head of each part that
// is not decided: one that the reader passed over, or a record larger than most bytes.
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
// records are skipped, but a file of nothing else is one record.
func (c *chunk) eachRecord(yield func(start, end int)) {
	if c.layout == layoutWhole {
		yield(0, len(c.data))
		return
	}
	data, next := c.data, c.layout.splitter()
	for at := 0; at < len(data); {
		start, end := at, at+next(data[at:])
		at = end
		for start < end && isSpace(data[start]) {
			start++
		}
		for start < end && isSpace(data[end-1]) {
			end--
		}
		if start < end {
			yield(start, end)
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// buffers are reused by chunks.
var buffers = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

func newBuffer() []byte { return buffers.Get().(*[chunkBytes]byte)[:0] }

// alertBuffers are reused for alerts.
var alertBuffers = sync.Pool{New: func() any { return new([]byte) }}

// written releases the alerts. An unusually large buffer is not kept.
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
