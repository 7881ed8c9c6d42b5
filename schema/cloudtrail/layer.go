package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/layer"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
)

// open reads one layer: it tells from the first bytes what the layer is, and hands it on. Layers nest as deep as the
// record says, but no deeper than MaxNesting: enter stops there.
func (d *Decoder) open(b []byte, chain Chain) error {
	trial := d.quiet
	if trial && (salvage.HasMark(b) || layer.IsWide(b)) {
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
	b = bytes.TrimPrefix(b, layer.ByteOrderMark)
	kind, inner := layer.Detect(b)
	switch kind {
	case layer.None:
		return d.text(b, p)
	case layer.UTF16:
		return d.unreadable(ReasonEncoding, "reading text", errUTF16, b, p.chain)
	}
	chain := p.chain.Push(LayerShape(kind))
	if ok, err := d.enter(b, chain); !ok {
		return err
	}
	defer d.leave()
	switch kind {
	case layer.Base64:
		return d.base64(b, chain)
	case layer.Confluent, layer.Glue, layer.Field:
		return d.open(inner, chain)
	default:
		return d.decompress(b, kind, chain)
	}
}

// LayerShape returns the shape that stands for a layer in a chain.
func LayerShape(k layer.Kind) Shape { return layerShapes[k] }

var layerShapes = [...]Shape{
	layer.Gzip: ShapeGzip, layer.Zstd: ShapeZstd, layer.Zlib: ShapeZlib, layer.Snappy: ShapeSnappy, layer.LZ4: ShapeLZ4,
	layer.Base64: ShapeBase64, layer.Confluent: ShapeConfluent, layer.Glue: ShapeGlue, layer.Field: ShapeField,
}

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
