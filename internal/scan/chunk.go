package scan

import (
	"os"
	"sync"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// chunkBytes is how much of a text is decided at once. It is a compromise: larger ones keep more memory,
// smaller ones cost more hand-over.
const chunkBytes = 1 << 20

// chunk is a part of a text that holds whole values, or a fault of the reader, and what came of it.
type chunk struct {
	file   *file
	layout layout
	layers string // the shapes that reading has opened, the outermost first
	data   []byte
	offset int64  // of data in the text
	length int64  // of the part of the text that it stands for
	read   int64  // how many bytes of the file had been read when the chunk was cut
	fault  *fault // what data is the head of

	done    chan struct{} // closed when what follows is there
	spilled *os.File      // the alerts before those in alerts, where they are too many to keep
	// spillName is the name of the file as long as it has one.
	spillName string
	alerts    []byte
	letters   []byte
	findings  []finding
	tally     tally // of the findings before those in findings
	counts    detection.Counts
	err       error // of spilling
}

// fault is a part of a text that was passed over without deciding it.
type fault struct {
	reason cloudtrail.Reason
	err    error
	length int64 // in bytes; 0 where nobody knows
}

// keptBytes is how much of a part that was passed over goes into its dead letter.
const keptBytes = 64 << 10

// eachRecord calls yield with the start and the end of each record in the chunk, without the white space
// around it. Blank ones are left out, but a file that has nothing else is one.
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

// buffers are those of chunks that are done.
var buffers = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

func newBuffer() []byte { return buffers.Get().(*[chunkBytes]byte)[:0] }

// alertBuffers are those of the alerts of chunks that are written.
var alertBuffers = sync.Pool{New: func() any { return new([]byte) }}

// written lets go of the alerts. A buffer that an unusual chunk made large is not kept.
func (c *chunk) written() {
	c.endSpill()
	if cap(c.alerts) <= chunkBytes {
		buffer := c.alerts[:0]
		alertBuffers.Put(&buffer)
	}
	c.alerts = nil
}

// release lets go of the text.
func (c *chunk) release() {
	if cap(c.data) == chunkBytes {
		buffers.Put((*[chunkBytes]byte)(c.data[:chunkBytes]))
	}
	c.data = nil
}
