package cloudtrail

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Log files in S3 and what CloudWatch Logs sends are gzip (RFC 1952), of one member or several; producers
// and shippers use the others: zstd (RFC 8878), zlib (RFC 1950), snappy frames
// (https://github.com/google/snappy/blob/main/framing_format.txt) and LZ4 frames
// (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md). All have magic bytes with which no
// JSON text starts.

// DetectCompression tells how b is compressed by its first bytes, 16 of which are enough; ShapeNone if it is
// not. It does not look whether b is text.
func DetectCompression(b []byte) Shape {
	switch {
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return ShapeGzip
	case bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")), isSkippableFrame(b):
		return ShapeZstd
	case bytes.HasPrefix(b, []byte("\xff\x06\x00\x00sNaPpY")):
		return ShapeSnappy
	case bytes.HasPrefix(b, []byte("\x04\x22\x4d\x18")):
		return ShapeLZ4
	case len(b) > 2 && b[0] == 0x78 && (int(b[0])<<8|int(b[1]))%31 == 0 && b[1]&0x20 == 0:
		return ShapeZlib
	}
	return ShapeNone
}

// isSkippableFrame reports whether b starts with a frame of metadata, as parallel zstd writers put first.
func isSkippableFrame(b []byte) bool {
	return len(b) > 4 && b[0]&0xf0 == 0x50 && string(b[1:4]) == "\x2a\x4d\x18"
}

// decompress opens what b decompresses to. No more than what the record has left is decompressed, and
// what can be is opened even if the rest is damaged or too much.
func (d *Decoder) decompress(b []byte, chain Chain) error {
	shape := chain.At(chain.Len() - 1)
	compressed := bytes.NewReader(b)
	text, cause := d.inflateTo(d.buffers[d.depth][:0], shape, compressed)
	d.setBuffer(text)
	if stop, ok := errors.AsType[stopped](cause); ok {
		return stop.error
	}
	d.left -= len(text)
	if shape == ShapeZstd {
		d.inflate.releaseZstd(b)
	}
	if cause == nil || len(text) > 0 {
		if err := d.open(text, chain); err != nil {
			return err
		}
	}
	if cause == nil {
		return nil
	}
	reason := ReasonCompression
	if errors.Is(cause, errTooLarge) || errors.Is(cause, zstd.ErrWindowSizeExceeded) {
		reason = ReasonTooLarge
	}
	doing := "decompressing " + shape.String()
	quiet := d.quiet
	d.quiet = quiet && reason == ReasonCompression && shape == ShapeZlib // two bytes of other text can look like zlib's
	defer func() { d.quiet = quiet }()
	return d.reportAt(len(b)-compressed.Len(), reason, doing, cause, -1, b, chain)
}

// stopped is an error of [Decoder.Heavy] among those of what is read.
type stopped struct{ error }

// inflateTo appends what the reader decompresses to, up to what the record has left.
func (d *Decoder) inflateTo(text []byte, shape Shape, compressed *bytes.Reader) ([]byte, error) {
	if shape == ShapeZstd {
		if err := d.weigh(zstdWindow(compressed)); err != nil {
			return text, stopped{err}
		}
	}
	r, err := d.inflate.Open(shape, compressed, d.maxBytes)
	if err != nil {
		return text, err
	}
	if most := min(int64(d.left), 4*compressed.Size()); int64(cap(text)) < most {
		text = make([]byte, 0, most)
	}
	for {
		if len(text) == cap(text) {
			text = append(text, 0)[:len(text)]
		}
		n, err := r.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if err := d.weigh(2 * len(text)); err != nil { // it may be about to be copied to twice its size
			return text, stopped{err}
		}
		switch {
		case len(text) > d.left:
			return text[:d.left], errTooLarge
		case err == io.EOF:
			return text, nil
		case err != nil:
			return text, err
		}
	}
}
