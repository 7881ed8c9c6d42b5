package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// open reads one layer: it tells from the first bytes what the layer is, and hands it on. Layers nest as deep as the
// record says, but no deeper than MaxNesting: enter stops there.
func (d *Decoder) open(b []byte, chain Chain) error {
	trial := d.quiet
	if trial && (hasMark(b) || isWide(b)) {
		d.quiet = false // it is ours: what is wrong with it is damage
	}
	p := place{chain: chain, trial: trial}
	if done, err := d.single(b, p); done {
		return err
	}
	return d.openLayer(b, p)
}

// openLayer is open for anything but a single event.
func (d *Decoder) openLayer(b []byte, p place) error {
	b = bytes.TrimPrefix(b, byteOrderMark)
	shape, inner := detectLayer(b)
	switch shape {
	case ShapeNone:
		return d.text(b, p)
	case shapeUTF16:
		return d.unreadable(ReasonEncoding, "reading text", errUTF16, b, p.chain)
	}
	chain := p.chain.Push(shape)
	if ok, err := d.enter(b, chain); !ok {
		return err
	}
	defer d.leave()
	switch shape {
	case ShapeBase64:
		return d.base64(b, chain)
	case ShapeConfluent, ShapeGlue, ShapeField:
		return d.open(inner, chain)
	default:
		return d.decompress(b, chain)
	}
}

// byteOrderMark is U+FEFF in UTF-8, which some Windows shippers write before the first line.
var byteOrderMark = []byte("\xef\xbb\xbf")

// shapeUTF16 stands for text that we do not read; it is not a layer.
const shapeUTF16 = shapeCount

// detectLayer tells what encodes b; ShapeNone for plain text. Inner is what follows a header.
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
	if shape, inner = cutHeader(b); shape != ShapeNone {
		return shape, inner
	}
	if isBase64(b) {
		return ShapeBase64, nil
	}
	if isWide(b) {
		return shapeUTF16, nil
	}
	return ShapeNone, nil
}

// isUTF16 reports whether b is UTF-16 of either byte order, by its mark or by the zero bytes around the first character.
// A Confluent header has a zero byte at its start too, and rarely a brace after it.
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

// enter goes into a layer, the last of the chain. Where there are too many it reports the piece, searches it, and ok is
// false; else leave must follow.
func (d *Decoder) enter(piece []byte, chain Chain) (ok bool, err error) {
	if d.depth >= MaxNesting {
		return false, d.unopened(ReasonTooNested, errTooNested, piece, chain)
	}
	d.depth++
	return true, nil
}

func (d *Decoder) leave() { d.depth-- }

// charge takes the bytes of a layer from those that the record has left. Where there are too few it reports the piece,
// searches it, and ok is false.
func (d *Decoder) charge(n int, piece []byte, chain Chain) (ok bool, err error) {
	if n > d.left {
		return false, d.unopened(ReasonTooLarge, errTooLarge, piece, chain)
	}
	if err := d.weigh(n); err != nil {
		return false, err
	}
	d.left -= n
	return true, nil
}

// unopened reports a layer beyond a bound. What it says in plain is searched as damaged bytes are.
func (d *Decoder) unopened(reason Reason, cause error, piece []byte, chain Chain) error {
	quiet := d.quiet
	d.quiet = false
	err := d.searchRest(reason, "opening "+lastShape(chain), cause, piece, piece, chain)
	d.quiet = quiet
	return err
}

// skip reports what is recognized and holds no events.
func (d *Decoder) skip(kind Kind, chain Chain) error {
	if kind == KindEmpty && d.quiet {
		d.empty = true
		return nil
	}
	d.calls++
	d.sink.Skip(kind, chain)
	return nil
}

// validationText is what CloudTrail sends to an SNS topic when a trail is set up; AWS's own
// aws-cloudtrail-processing-library knows it as CloudTrailValidationMessage.
const validationText = "CloudTrail validation message."

// isValidationText reports whether a text is that one.
func isValidationText(b []byte) bool { return string(bytes.TrimSpace(b)) == validationText }
