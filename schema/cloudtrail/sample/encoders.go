package sample

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// encoder appends text in a layer that is not JSON.
type encoder func(c *codecs, dst, text []byte) []byte

var encoders = map[cloudtrail.Shape]encoder{
	cloudtrail.ShapeGzip:      compressor(cloudtrail.ShapeGzip),
	cloudtrail.ShapeZstd:      compressor(cloudtrail.ShapeZstd),
	cloudtrail.ShapeZlib:      compressor(cloudtrail.ShapeZlib),
	cloudtrail.ShapeSnappy:    compressor(cloudtrail.ShapeSnappy),
	cloudtrail.ShapeLZ4:       compressor(cloudtrail.ShapeLZ4),
	cloudtrail.ShapeBase64:    func(_ *codecs, dst, text []byte) []byte { return base64.StdEncoding.AppendEncode(dst, text) },
	cloudtrail.ShapeConfluent: func(_ *codecs, dst, text []byte) []byte { return append(append(dst, confluentHeader...), text...) },
	cloudtrail.ShapeGlue:      func(_ *codecs, dst, text []byte) []byte { return append(append(dst, glueHeader...), text...) },
	cloudtrail.ShapeField: func(_ *codecs, dst, text []byte) []byte {
		return append(binary.AppendUvarint(append(dst, protobufTag), uint64(len(text))), text...)
	},
}

// confluentHeader is the zero byte and a schema's id.
const confluentHeader = "\x00\x00\x00\x00\x2a"

// glueHeader is the version, no compression, and a schema's UUID.
const glueHeader = "\x03\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"

// protobufTag precedes the length of field 1.
const protobufTag = 0x0a

// codecs keeps the compressors, which are large, for later records.
type codecs struct {
	writers [cloudtrail.ShapeCount]compressing
	buffer  bytes.Buffer
}

// compressing is the interface of all compressors.
type compressing interface {
	io.WriteCloser
	Reset(w io.Writer)
}

func compressor(shape cloudtrail.Shape) encoder {
	return func(c *codecs, dst, text []byte) []byte {
		if c.writers[shape] == nil {
			c.writers[shape] = newCompressor(shape)
		}
		w := c.writers[shape]
		c.buffer.Reset()
		w.Reset(&c.buffer)
		// A bytes.Buffer does not fail.
		_, _ = w.Write(text)
		_ = w.Close()
		return append(dst, c.buffer.Bytes()...)
	}
}

// newCompressor returns one that starts no goroutines. The options are valid.
func newCompressor(shape cloudtrail.Shape) compressing {
	switch shape {
	case cloudtrail.ShapeZstd:
		w, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
		return w
	case cloudtrail.ShapeZlib:
		w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed)
		return w
	case cloudtrail.ShapeSnappy:
		return s2.NewWriter(nil, s2.WriterSnappyCompat(), s2.WriterConcurrency(1))
	case cloudtrail.ShapeLZ4:
		return lz4.NewWriter(nil)
	default:
		w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		return w
	}
}
