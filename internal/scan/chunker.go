package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// chunker cuts a text into chunks of whole values. It belongs to one goroutine.
type chunker struct {
	text   io.Reader
	max    int  // bytes of one value
	prompt bool // do not wait for a full chunk where there are whole lines
	emit   func(*chunk) error

	layout   layout
	layers   string // of the chunks
	buffer   []byte
	offset   int64 // of the buffer in the text
	searched int   // how much of the buffer has been searched for a break
	brackets brackets
	atEnd    bool
}

var errTooLarge = errors.New("the value has more bytes than max-event-bytes allows")

// run cuts the text until it ends. The error is emit's, or the reader's: then all that was read before it
// has been emitted.
func (c *chunker) run() error {
	c.buffer = newBuffer()
	err := c.fill()
	for err == nil && c.undecided() {
		err = c.fill()
	}
	c.layout = detectLayout(c.buffer, c.atEnd)
	if isSequence(c.buffer, c.layout) {
		c.layers = joinShapes(c.layers, cloudtrail.ShapeNDJSON.String())
	}
	for err == nil && !c.atEnd {
		cut := c.cut()
		switch {
		case cut > 0:
			err = c.send(cut)
		case len(c.buffer) > c.max:
			err = c.passOver()
		case len(c.buffer) == cap(c.buffer):
			c.grow()
		}
		if err == nil {
			err = c.fill()
		}
	}
	if errors.Is(err, errStopped) {
		return err
	}
	if len(c.buffer) > 0 || c.offset == 0 && err == nil { // an empty file is an empty record
		err = errors.Join(err, c.send(len(c.buffer)))
	}
	return err
}

// undecided reports whether a prompt reader has seen too little to tell the layout: a first line that is no
// value may be the one damaged line among many, which must not make one record of all of them.
func (c *chunker) undecided() bool {
	if !c.prompt || c.atEnd || len(c.buffer) == cap(c.buffer) || bytes.Count(c.buffer, []byte("\n")) >= headLines {
		return false
	}
	return detectLayout(c.buffer, false) == layoutWhole
}

// fill reads until the buffer is full, the text ends, or there is enough to be prompt.
func (c *chunker) fill() error {
	for len(c.buffer) < cap(c.buffer) && !c.atEnd {
		start := len(c.buffer)
		n, err := c.text.Read(c.buffer[start:cap(c.buffer)])
		c.buffer = c.buffer[:start+n]
		switch {
		case errors.Is(err, io.EOF):
			c.atEnd = true
		case err != nil:
			return err
		case c.prompt && bytes.IndexByte(c.buffer[start:], '\n') >= 0:
			return nil
		}
	}
	return nil
}

// cut returns where the last whole value in the buffer ends, or 0 if none does.
func (c *chunker) cut() int {
	from := c.searched
	c.searched = len(c.buffer)
	switch c.layout {
	case layoutLines:
		if last := lastLine(c.buffer, from); last > from {
			return last
		}
		return 0
	case layoutValues:
		return c.brackets.lastBreak(c.buffer, from)
	default:
		return 0
	}
}

// send emits the first n bytes and keeps the rest, which has been searched already.
func (c *chunker) send(n int) error {
	out, rest := c.newChunk(c.buffer[:n], nil), c.buffer[n:]
	c.buffer = nil
	if len(rest) > 0 || !c.atEnd {
		c.buffer = append(newBuffer(), rest...)
	}
	c.searched = len(c.buffer)
	c.offset += int64(n)
	return c.emit(out)
}

// grow makes room for a value that is larger than the buffer.
func (c *chunker) grow() {
	c.buffer = slices.Grow(c.buffer, min(cap(c.buffer), c.max+1-len(c.buffer)))
}

// passOver reports the value in the buffer as too large and goes on where the next one may start: at the
// next line, or after a value of several lines at a line that starts with a bracket. Of a text that is
// one value nothing more is read.
func (c *chunker) passOver() error {
	head, start := bytes.Clone(c.buffer[:min(len(c.buffer), keptBytes)]), c.offset
	for c.layout != layoutWhole {
		if at := restart(c.buffer, c.layout); at >= 0 {
			c.drop(at)
			break
		}
		c.drop(len(c.buffer) - 1) // the last byte may be the line break before a bracket
		if err := c.fill(); err != nil {
			return err
		}
		if c.atEnd && restart(c.buffer, c.layout) < 0 {
			c.drop(len(c.buffer))
			break
		}
	}
	length := c.offset - start
	if c.layout == layoutWhole {
		c.drop(len(c.buffer))
		c.atEnd, length = true, 0
	}
	c.brackets, c.searched = brackets{}, 0
	f := &fault{cloudtrail.ReasonTooLarge, fmt.Errorf("reading a value: %w", errTooLarge), length}
	out := c.newChunk(head, f)
	out.offset = start
	return c.emit(out)
}

// newChunk returns a chunk at the buffer's place in the text.
func (c *chunker) newChunk(data []byte, f *fault) *chunk {
	out := &chunk{layout: c.layout, layers: c.layers, data: data, offset: c.offset, length: int64(len(data)), fault: f, done: make(chan struct{})}
	if f != nil {
		out.length = f.length
	}
	return out
}

// restart returns the index in b at which a value may start after one that is passed over, or -1.
func restart(b []byte, l layout) int {
	for at := 0; ; {
		next := bytes.IndexByte(b[at:], '\n')
		if next < 0 {
			return -1
		}
		at += next + 1
		if l == layoutLines || at < len(b) && (b[at] == '{' || b[at] == '[') {
			return at
		}
	}
}

// drop forgets the first n bytes of the buffer.
func (c *chunker) drop(n int) {
	c.offset += int64(n)
	c.buffer = append(c.buffer[:0], c.buffer[n:]...)
}
