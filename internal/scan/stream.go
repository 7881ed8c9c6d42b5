package scan

import (
	"context"
	"io"
)

// openUntil opens a source for as long as ctx holds: then reading ends with errStopped. What can keep a reader
// waiting for ever, a terminal or a pipe that nobody writes to, is opened and read by a goroutine of its own, because
// neither can be interrupted. The goroutine closes the source before the reader sees its end. Nobody waits for one
// that is stopped, or that has more than its reader wants: it ends with the next bytes, or with the process.
func openUntil(ctx context.Context, s *Source) (io.ReadCloser, error) {
	if s.Size >= 0 {
		return s.Open()
	}
	out, in := io.Pipe()
	release := context.AfterFunc(ctx, func() { _ = in.CloseWithError(errStopped) })
	go func() {
		defer release()
		_ = in.CloseWithError(feed(in, s)) // as the end of the file, where it is nil
	}()
	return out, nil
}

// feed writes a source to a pipe, as its bytes come.
func feed(in io.Writer, s *Source) error {
	raw, err := s.Open()
	if err != nil {
		return err
	}
	defer raw.Close()
	// A reader that is nothing else is read into this buffer.
	_, err = io.CopyBuffer(in, struct{ io.Reader }{raw}, make([]byte, readBuffer))
	return err
}
