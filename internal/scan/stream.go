package scan

import (
	"context"
	"io"
)

// openUntil opens a source until ctx ends: then reading ends with errStopped. A source that can block forever, such as a
// terminal or a silent pipe, is opened and read by a goroutine of its own, because neither can be interrupted. The
// goroutine closes the source before the reader sees its end. Once stopped, it ends with the next bytes or with the
// process; nothing waits for it.
func openUntil(ctx context.Context, s *Source) (io.ReadCloser, error) {
	if s.Size >= 0 {
		return s.Open()
	}
	out, in := io.Pipe()
	release := context.AfterFunc(ctx, func() { _ = in.CloseWithError(errStopped) })
	go func() {
		defer release()
		_ = in.CloseWithError(feed(in, s)) // nil is the end of the file
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
	// Only a bare reader is read into this buffer.
	_, err = io.CopyBuffer(in, struct{ io.Reader }{raw}, make([]byte, readBuffer))
	return err
}
