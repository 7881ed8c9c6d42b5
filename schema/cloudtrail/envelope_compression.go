package cloudtrail

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Log files in S3 and what CloudWatch Logs sends are gzip (RFC 1952), of one member or several; producers
// and shippers use the others: zstd (RFC 8878), zlib (RFC 1950), snappy frames
// (https://github.com/google/snappy/blob/main/framing_format.txt) and LZ4 frames
// (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md). All are told by their magic bytes, none of
// which a JSON text starts with.

// detectCompression tells how b is compressed by its first bytes; ShapeNone if it is not.
func detectCompression(b []byte) Shape {
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

// inflaters are the decompressors, made when they are first needed and used again for later records.
type inflaters struct {
	gzip   *gzip.Reader
	zlib   io.ReadCloser
	zstd   *zstd.Decoder
	snappy *s2.Reader
	lz4    *lz4.Reader
}

// decompress opens what b decompresses to. No more than what the record has left is decompressed, and
// what can be is opened even if the rest is damaged or too much.
func (d *Decoder) decompress(b []byte, chain Chain) error {
	shape := chain.At(chain.Len() - 1)
	compressed := bytes.NewReader(b)
	text, cause := d.inflateTo(d.buffers[chain.Len()][:0], shape, compressed)
	d.setBuffer(chain, text)
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
	return d.reportAt(len(b)-compressed.Len(), reason, doing, cause, -1, b, chain)
}

// inflateTo appends what the reader decompresses to, up to what the record has left.
func (d *Decoder) inflateTo(text []byte, shape Shape, compressed *bytes.Reader) ([]byte, error) {
	r, err := d.inflater(shape, compressed)
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

// inflater returns the decompressor for a shape, set to read from r.
func (d *Decoder) inflater(shape Shape, r io.Reader) (io.Reader, error) {
	in := &d.inflate
	switch shape {
	case ShapeGzip:
		return in.openGzip(r)
	case ShapeZlib:
		return in.openZlib(r)
	case ShapeZstd:
		return in.openZstd(r, d.maxBytes)
	case ShapeSnappy:
		if in.snappy == nil {
			in.snappy = s2.NewReader(nil)
		}
		in.snappy.Reset(r)
		return in.snappy, nil
	}
	if in.lz4 == nil {
		in.lz4 = lz4.NewReader(nil)
	}
	in.lz4.Reset(r)
	return in.lz4, nil
}

func (in *inflaters) openGzip(r io.Reader) (io.Reader, error) {
	if in.gzip == nil {
		in.gzip = new(gzip.Reader)
	}
	return in.gzip, in.gzip.Reset(r)
}

func (in *inflaters) openZlib(r io.Reader) (_ io.Reader, err error) {
	if in.zlib == nil {
		in.zlib, err = zlib.NewReader(r)
		return in.zlib, err
	}
	return in.zlib, in.zlib.(zlib.Resetter).Reset(r, nil)
}

// minZstdWindow is what every decoder should accept (RFC 8878, section 3.1.1.1.2).
const minZstdWindow = 8 << 20

// openZstd bounds the window by what a record may decompress to: a frame that asks for more is refused
// before its memory is allocated. One at a time means that no goroutines are started.
func (in *inflaters) openZstd(r io.Reader, maxBytes int) (_ io.Reader, err error) {
	if in.zstd == nil {
		window := uint64(max(maxBytes, minZstdWindow))
		in.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(false),
			zstd.WithDecoderMaxWindow(min(window, zstd.MaxWindowSize)))
		if err != nil {
			return nil, err
		}
	}
	return in.zstd, in.zstd.Reset(r)
}

// releaseZstd lets go of a decompressor that has made room for a window larger than usual, as the frame b
// asked for: it would keep that for good.
func (in *inflaters) releaseZstd(b []byte) {
	var frame zstd.Header
	if err := frame.Decode(b); err == nil && frame.WindowSize > minZstdWindow && in.zstd != nil {
		in.zstd.Close()
		in.zstd = nil
	}
}
