package scan

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/layer"
)

// chunksAhead is how many chunks of a file may wait for earlier ones to be written.
const chunksAhead = 2

// file is a source being read. Its reader sends the chunks in order and closes the channel. It sets the fields below
// before closing.
type file struct {
	source Source
	chunks chan *chunk
	opened bool
	err    error // why it was not read to the end; errStopped if the scan was stopped
}

// errStopped ends the reading of a file when the scan stops.
var errStopped = errors.New("stopped")

// readBuffer is the size of a file's read buffer.
const readBuffer = 256 << 10

// read reads the file and hands its chunks to the workers.
func (f *file) read(ctx context.Context, o *Options, work chan<- *chunk) {
	defer close(f.chunks)
	if ctx.Err() != nil {
		f.err = errStopped
		return
	}
	raw, err := openUntil(ctx, &f.source)
	if err != nil {
		f.err = fmt.Errorf("reading: %w", err)
		return
	}
	f.opened = true
	defer raw.Close()
	input := &input{reader: raw}
	opener := openers.Get().(*opener)
	defer openers.Put(opener)
	c := chunker{max: o.maxEventBytes(), prompt: f.source.Size < 0}
	c.emit = func(out *chunk) error {
		out.file, out.read = f, input.read
		return f.send(ctx, out, work)
	}
	c.text, c.layers, err = opener.open(input, c.max)
	if err == nil {
		err = c.run()
	}
	f.err = f.settle(&c, input, err)
}

// settle distinguishes damaged compression, which becomes a dead letter, from a read error.
func (f *file) settle(c *chunker, in *input, err error) error {
	switch {
	case err == nil || errors.Is(err, errStopped):
		return err
	case in.err != nil:
		return fmt.Errorf("reading %s: %w", f.source.Name, in.err)
	}
	broken := &fault{reason: cloudtrail.ReasonCompression, err: fmt.Errorf("decompressing: %w", err)}
	return c.emit(c.newChunk(nil, broken))
}

// send hands a chunk to a worker, and then to the writer, which takes chunks in order.
func (f *file) send(ctx context.Context, c *chunk, work chan<- *chunk) error {
	if ctx.Err() != nil { // select alone would choose at random
		return errStopped
	}
	select {
	case work <- c:
	case <-ctx.Done():
		return errStopped
	}
	select {
	case f.chunks <- c:
		return nil
	case <-ctx.Done():
		return errStopped
	}
}

// opener opens files one after another and keeps its large buffers, because many files are small.
type opener struct {
	buffered     *bufio.Reader
	decompressor layer.Decompressor
}

var openers = sync.Pool{New: func() any { return &opener{buffered: bufio.NewReaderSize(nil, readBuffer)} }}

// magicBytes is how many bytes are needed to detect a compression.
const magicBytes = 16

// open returns the text of a file, decompressed if its first bytes say so, and the layers that were opened. It streams:
// only a window of compressed data is kept. The text is valid until the next call.
func (o *opener) open(file io.Reader, maxBytes int) (text io.Reader, layers string, err error) {
	o.buffered.Reset(file)
	magic, err := o.buffered.Peek(magicBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	kind := layer.DetectCompression(magic)
	if kind == layer.None {
		return o.buffered, "", nil
	}
	text, err = o.decompressor.Open(kind, o.buffered, maxBytes)
	return text, cloudtrail.LayerShape(kind).String(), err
}

// joinShapes joins shapes the way [cloudtrail.Chain] does. A bare event inside another shape is not named.
func joinShapes(outer, inner string) string {
	switch {
	case outer == "":
		return inner
	case inner == "" || inner == cloudtrail.ShapeEvent.String():
		return outer
	default:
		return outer + " > " + inner
	}
}

// input reads a file, counts its bytes and keeps its first error.
type input struct {
	reader io.Reader
	read   int64
	err    error // from reading, other than io.EOF
}

// Read implements [io.Reader].
func (in *input) Read(p []byte) (int, error) {
	n, err := in.reader.Read(p)
	in.read += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		in.err = err
	}
	return n, err
}
