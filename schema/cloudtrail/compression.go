package cloudtrail

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/layer"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// decompress opens what b decompresses to. No more than what the record has left is decompressed, and
// what can be is opened even if the rest is damaged or too much.
func (d *Decoder) decompress(b []byte, kind layer.Kind, chain Chain) error {
	compressed := bytes.NewReader(b)
	text, cause := d.inflateTo(d.buffers[d.depth][:0], kind, compressed)
	d.setBuffer(text)
	if stop, ok := errors.AsType[stopped](cause); ok {
		return stop.error
	}
	d.left -= len(text)
	if kind == layer.Zstd {
		d.inflate.ReleaseZstd(b)
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
	doing := "decompressing " + lastShape(chain)
	quiet := d.quiet
	d.quiet = quiet && reason == ReasonCompression && kind == layer.Zlib // two bytes of other text can look like zlib's
	defer func() { d.quiet = quiet }()
	return d.reportAt(len(b)-compressed.Len(), reason, doing, cause, -1, b, chain)
}

// stopped is an error of [Decoder.Heavy] among those of what is read.
type stopped struct{ error }

// inflateTo appends what the reader decompresses to, up to what the record has left.
func (d *Decoder) inflateTo(text []byte, kind layer.Kind, compressed *bytes.Reader) ([]byte, error) {
	if kind == layer.Zstd {
		if err := d.weigh(layer.ZstdWindow(compressed)); err != nil {
			return text, stopped{err}
		}
	}
	r, err := d.inflate.Open(kind, compressed, d.maxBytes)
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

// base64Runs opens the runs of base64 in a plain text. It returns where the last one ends.
func (d *Decoder) base64Runs(b []byte, chain Chain) (last int, err error) {
	chain = chain.Push(ShapeBase64)
	for run, end := layer.Base64Run(b, 0); run != nil; run, end = layer.Base64Run(b, end) {
		last = end
		if ok, err := d.enter(run, chain); !ok {
			return last, err
		}
		err := d.base64(run, chain)
		d.leave()
		if err != nil {
			return last, err
		}
	}
	return last, nil
}

// base64 opens what b decodes to. Damage to a few characters costs only the bytes that they stand for.
func (d *Decoder) base64(b []byte, chain Chain) error {
	if ok, err := d.charge(len(b)/4*3, b, chain); !ok {
		return err
	}
	text := d.buffers[d.depth]
	if cap(text) < len(b) {
		text = make([]byte, len(b))
		d.setBuffer(text)
	}
	n, stop := layer.DecodeBase64(text[:cap(text)], b)
	if stop < len(b) {
		n = layer.DecodeDamaged(text[:cap(text)], b)
	}
	if err := d.open(text[:n:n], chain); err != nil || stop == len(b) {
		return err
	}
	return d.unreadable(ReasonEncoding, "reading base64", jsonscan.Unexpected(b, stop, "base64"), b, chain)
}
