package layer

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
// (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md). All have magic bytes with which no
// JSON text starts.

// DetectCompression tells how b is compressed by its first bytes, 16 of which are enough; None if it is
// not. It does not look whether b is text.
func DetectCompression(b []byte) Kind {
	switch {
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return Gzip
	case bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")), isSkippableFrame(b):
		return Zstd
	case bytes.HasPrefix(b, []byte("\xff\x06\x00\x00sNaPpY")):
		return Snappy
	case bytes.HasPrefix(b, []byte("\x04\x22\x4d\x18")):
		return LZ4
	case len(b) > 2 && b[0] == 0x78 && (int(b[0])<<8|int(b[1]))%31 == 0 && b[1]&0x20 == 0:
		return Zlib
	}
	return None
}

// isSkippableFrame reports whether b starts with a frame of metadata, as parallel zstd writers put first.
func isSkippableFrame(b []byte) bool {
	return len(b) > 4 && b[0]&0xf0 == 0x50 && string(b[1:4]) == "\x2a\x4d\x18"
}

// Decompressor reads what is compressed as a stream, one after the other. It keeps what decompressing needs
// for the next one. The zero value is usable; it starts no goroutines and belongs to one at a time.
type Decompressor struct {
	gzip   *gzip.Reader
	zlib   zlibStreams
	zstd   *zstd.Decoder
	snappy *s2.Reader
	lz4    *lz4.Reader
}

// Source is what a [Decompressor] reads from, such as a [bytes.Reader] or a [bufio.Reader]: it can be asked
// whether there is more.
type Source interface {
	io.Reader
	io.ByteScanner
}

// errNotCompressed is for shapes that no decompressor is for.
var errNotCompressed = errors.New("the kind is no compression")

// Open returns the text of r, which is compressed as DetectCompression has said; all of its members or
// frames, one after the other. It is valid until the next call. No more than a window is kept: that of a
// zstd frame may have up to maxBytes, and 8 MiB at least. The error is that of a damaged header.
func (d *Decompressor) Open(kind Kind, r Source, maxBytes int) (text io.Reader, err error) {
	switch kind {
	case Gzip:
		if d.gzip == nil {
			d.gzip = new(gzip.Reader)
		}
		return d.gzip, d.gzip.Reset(r)
	case Zlib:
		return &d.zlib, d.zlib.open(r)
	case Zstd:
		return d.openZstd(r, maxBytes)
	case Snappy:
		if d.snappy == nil {
			d.snappy = s2.NewReader(nil)
		}
		d.snappy.Reset(r)
		return d.snappy, nil
	case LZ4:
		if d.lz4 == nil {
			d.lz4 = lz4.NewReader(nil)
		}
		d.lz4.Reset(r)
		return d.lz4, nil
	}
	return nil, errNotCompressed
}

// minZstdWindow is what every decoder should accept (RFC 8878, section 3.1.1.1.2).
const minZstdWindow = 8 << 20

// openZstd bounds the window by what a record may decompress to: a frame that asks for more is refused
// before its memory is allocated. One at a time means that no goroutines are started.
func (d *Decompressor) openZstd(r io.Reader, maxBytes int) (_ io.Reader, err error) {
	if d.zstd == nil {
		window := uint64(max(maxBytes, minZstdWindow))
		d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(min(window, zstd.MaxWindowSize)))
		if err != nil {
			return nil, err
		}
	}
	return d.zstd, d.zstd.Reset(r)
}

// ZstdWindow returns how large a window the frame that r is about to read asks for; 0 if it does not say.
func ZstdWindow(r *bytes.Reader) int {
	start := make([]byte, zstd.HeaderMaxSize)
	n, _ := r.ReadAt(start, r.Size()-int64(r.Len())) // less than that at the end
	var frame zstd.Header
	if frame.Decode(start[:n]) != nil {
		return 0
	}
	return int(min(frame.WindowSize, zstd.MaxWindowSize))
}

// ReleaseZstd drops a decompressor that allocated a larger window than usual for the frame b: it would keep
// the memory.
func (d *Decompressor) ReleaseZstd(b []byte) {
	var frame zstd.Header
	if err := frame.Decode(b); err == nil && frame.WindowSize > minZstdWindow && d.zstd != nil {
		d.zstd.Close()
		d.zstd = nil
	}
}

// zlibStreams reads zlib streams that stand one after the other, as the other formats' readers do. What
// follows the last one and is not zlib is damage: nothing is skipped.
type zlibStreams struct {
	stream io.ReadCloser
	source Source
}

func (z *zlibStreams) open(r Source) (err error) {
	z.source = r
	if z.stream == nil {
		z.stream, err = zlib.NewReader(z.source)
		return err
	}
	return z.stream.(zlib.Resetter).Reset(z.source, nil)
}

// Read reads on, in the next stream where one has ended.
func (z *zlibStreams) Read(p []byte) (int, error) {
	for {
		n, err := z.stream.Read(p)
		if n > 0 || err != io.EOF {
			return n, ignoreEOF(err)
		}
		if _, err := z.source.ReadByte(); err != nil {
			return 0, err
		}
		if err := z.source.UnreadByte(); err != nil {
			return 0, err
		}
		_ = z.stream.(zlib.Resetter).Reset(z.source, nil) // reading returns its error
	}
}

// ignoreEOF leaves the end of a stream for the next reading.
func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
