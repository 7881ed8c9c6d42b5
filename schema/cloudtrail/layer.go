package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// open reads one layer: it tells from the first bytes what the layer is, and hands it on. Layers nest as
// deep as the record says, but no deeper than MaxNesting: enter stops there.
func (d *Decoder) open(b []byte, chain Chain) error {
	if done, err := d.single(b, chain); done {
		return err
	}
	b = bytes.TrimPrefix(b, byteOrderMark)
	shape, inner := detectLayer(b)
	if shape == ShapeNone {
		return d.text(b, chain)
	}
	if shape == shapeUTF16 {
		return d.unreadable(ReasonEncoding, "reading text", errUTF16, b, chain)
	}
	chain, ok, err := d.enter(b, chain, shape)
	if !ok {
		return err
	}
	switch shape {
	case ShapeBase64:
		return d.base64(b, chain)
	case ShapeConfluent:
		return d.open(inner, chain)
	default:
		return d.decompress(b, chain)
	}
}

// byteOrderMark is U+FEFF in UTF-8, which some Windows shippers write before the first line.
var byteOrderMark = []byte("\xef\xbb\xbf")

// shapeUTF16 stands for text that we do not read; it is no layer.
const shapeUTF16 = shapeCount

// detectLayer tells what encodes b; ShapeNone for plain text. Inner is what follows a Confluent header.
func detectLayer(b []byte) (shape Shape, inner []byte) {
	if isUTF16(b) {
		return shapeUTF16, nil
	}
	if start := jsonscan.SkipSpace(b, 0); start == len(b) || isTextStart(b[start]) {
		return ShapeNone, nil
	}
	if shape = DetectCompression(b); shape != ShapeNone {
		return shape, nil
	}
	if inner, ok := cutConfluent(b); ok {
		return ShapeConfluent, inner
	}
	if isBase64(b) {
		return ShapeBase64, nil
	}
	return ShapeNone, nil
}

// isUTF16 reports whether b is UTF-16 of either byte order, by its mark or by the zero bytes around the
// first character. A Confluent header has a zero byte at its start too, and rarely a brace after it.
func isUTF16(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	if b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff {
		return true
	}
	return b[1] == 0 && isTextStart(b[0]) || b[0] == 0 && isTextStart(b[1]) && b[2] == 0 && b[3] != 0
}

// isTextStart reports whether a JSON text that we read can start with c.
func isTextStart(c byte) bool { return c == '{' || c == '[' || c == '"' }

// enter adds a layer to the chain. Where there are too many already it reports the piece, and ok is
// false.
func (d *Decoder) enter(piece []byte, chain Chain, shape Shape) (inner Chain, ok bool, err error) {
	if chain.Len() >= MaxNesting {
		return chain, false, d.tooNested(piece, chain, shape)
	}
	return chain.Push(shape), true, nil
}

// tooNested reports a layer that is not opened.
func (d *Decoder) tooNested(piece []byte, chain Chain, shape Shape) error {
	return d.unreadable(ReasonTooNested, "opening "+shape.String(), errTooNested, piece, chain)
}

// skip reports what is recognized and holds no events.
func (d *Decoder) skip(kind Kind, chain Chain) error {
	d.sink.Skip(kind, chain)
	return nil
}
