package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// chunker cuts a text into chunks of whole values. One goroutine uses it.
type chunker struct {
	text   io.Reader
	max    int  // largest value, in bytes
	prompt bool // emit whole lines without waiting for a full chunk
	emit   func(*chunk) error

	layout   layout
	layers   string // shapes opened so far, for the chunks
	buffer   []byte
	offset   int64 // where the buffer starts in the text
	searched int   // bytes of the buffer already searched for a break
	brackets brackets
	atEnd    bool
}

var errTooLarge = errors.New("the value has more bytes than max-event-bytes allows")

// run cuts the text until it ends. It returns the error of emit or of the reader. After a reader's error, everything
// read before it has been emitted.
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

// undecided reports whether a prompt reader has seen too little to tell the layout. The first line may be the only
// damaged one of many, and must not turn them all into one record.
func (c *chunker) undecided() bool {
	if !c.prompt || c.atEnd || len(c.buffer) == cap(c.buffer) || bytes.Count(c.buffer, []byte("\n")) >= 2*headLines {
		return false
	}
	return detectLayout(c.buffer, false) == layoutWhole
}

// fill reads until the buffer is full, the text ends, or a prompt reader has a line break.
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

// cut returns the end of the last whole value in the buffer, or 0 if there is none.
func (c *chunker) cut() int {
	from := c.searched
	c.searched = len(c.buffer)
	switch c.layout {
	case layoutLines:
		return lastLine(c.buffer)
	case layoutValues:
		return c.brackets.lastBreak(c.buffer, from)
	default:
		return 0
	}
}

// send emits the first n bytes and keeps the rest, which has already been searched.
func (c *chunker) send(n int) error {
	out, rest := c.newChunk(c.buffer[:n], nil), c.buffer[n:]
	if !c.atEnd {
		c.buffer = append(newBuffer(), rest...)
	}
	c.searched = len(c.buffer)
	c.offset += int64(n)
	return c.emit(out)
}

// grow makes room for a value larger than the buffer.
func (c *chunker) grow() {
	c.buffer = slices.Grow(c.buffer, min(cap(c.buffer), c.max+1-len(c.buffer)))
}

// passOver reports the value in the buffer as too large and continues where the next one may start: at the next line
// or, after a value of several lines, at the next line that starts with a bracket. If the text is a single value,
// nothing more is read.
func (c *chunker) passOver() error {
	head, start := bytes.Clone(c.buffer[:min(len(c.buffer), keptBytes)]), c.offset
	if c.layout == layoutLines {
		c.drop(headerLen(c.buffer)) // it may hold line breaks
	}
	for c.layout != layoutWhole {
		if at := restart(c.buffer, c.layout); at > 0 {
			c.drop(at)
			break
		}
		c.drop(len(c.buffer) - 1) // the last byte may be the line break before a bracket
		if err := c.fill(); err != nil {
			return err
		}
		if c.atEnd && restart(c.buffer, c.layout) == 0 {
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

// newChunk returns a chunk that starts where the buffer does.
func (c *chunker) newChunk(data []byte, f *fault) *chunk {
	out := &chunk{layout: c.layout, layers: c.layers, data: data, offset: c.offset, length: int64(len(data)), fault: f, done: make(chan struct{})}
	if f != nil {
		out.length = f.length
	}
	return out
}

// restart returns the index in b at which the next value may start after one is passed over, or 0.
func restart(b []byte, l layout) int {
	for at := 0; ; {
		next := bytes.IndexByte(b[at:], '\n')
		if next < 0 {
			return 0
		}
		at += next + 1
		if l == layoutLines || at < len(b) && (b[at] == '{' || b[at] == '[') {
			return at
		}
	}
}

// drop discards the first n bytes of the buffer.
func (c *chunker) drop(n int) {
	c.offset += int64(n)
	c.buffer = append(c.buffer[:0], c.buffer[n:]...)
}
