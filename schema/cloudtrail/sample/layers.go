package sample

import (
	"unicode/utf8"

	"github.com/segmentio/encoding/json"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// layering is the generator's state while it wraps the events of one record.
type layering struct {
	codecs codecs
	texts  [cloudtrail.MaxNesting + 1][]byte // by depth: the content of a layer, before it is encoded or quoted
	scene  scene                             // of the envelopes
	victim int                               // index of the damaged event; negative for none
	cut    bool                              // the text ends here: leave everything around it open
}

// appendLayer appends the record's layers from depth on, down to its events. It calls itself once per layer.
func (g *Generator) appendLayer(dst []byte, depth int) []byte {
	chain, l := g.record.Shape, &g.layers
	if g.record.Damage == DamageGarbage && depth == g.innermostText() {
		return g.appendGarbage(dst)
	}
	if depth == chain.Len() || chain.At(depth) == cloudtrail.ShapeEvent {
		return g.appendInnermost(dst)
	}
	shape := chain.At(depth)
	if encode := encoders[shape]; encode != nil {
		l.texts[depth] = g.appendLayer(l.texts[depth][:0], depth+1)
		l.cut = false
		return encode(&l.codecs, dst, l.texts[depth])
	}
	if shape == cloudtrail.ShapeString {
		return g.appendQuoted(dst, depth)
	}
	return g.appendEnvelope(dst, depth, g.formAt(depth))
}

// appendEnvelope appends an envelope and its content.
func (g *Generator) appendEnvelope(dst []byte, depth int, f *form) []byte {
	l := &g.layers
	dst = g.fill(dst, f.head, &l.scene)
	for i := range g.parts(depth) {
		if i > 0 {
			dst = append(dst, f.separator...)
		}
		dst = g.fill(dst, f.before, &l.scene)
		if f.quoted || !isRaw(g.record.Shape.At(depth), g.shapeIn(depth)) {
			dst = g.appendQuoted(dst, depth)
		} else {
			dst = g.appendLayer(dst, depth+1)
		}
		if l.cut {
			return dst
		}
		dst = g.fill(dst, f.after, &l.scene)
	}
	return g.fill(dst, f.tail, &l.scene)
}

// appendQuoted appends the content of the layer at depth as a JSON string. Like every JSON encoder it replaces invalid
// UTF-8, which ends that damage.
func (g *Generator) appendQuoted(dst []byte, depth int) []byte {
	l := &g.layers
	l.texts[depth] = g.appendLayer(l.texts[depth][:0], depth+1)
	l.cut = false
	if g.record.Damage == DamageUTF8 && !utf8.Valid(l.texts[depth]) {
		g.record.Damage = DamageNone
	}
	return json.AppendEscape(dst, string(l.texts[depth]), 0)
}

// appendInnermost appends one event, damaged if it is the chosen one.
func (g *Generator) appendInnermost(dst []byte) []byte {
	l, start := &g.layers, len(dst)
	i := len(g.record.Events)
	dst = g.appendEvent(dst, g.newEvent())
	if i != l.victim {
		return dst
	}
	l.cut = g.record.Damage == DamageTruncated
	return g.damage(dst, start)
}

// shapeIn returns the layer within the one at depth.
func (g *Generator) shapeIn(depth int) cloudtrail.Shape {
	if depth+1 < g.record.Shape.Len() {
		return g.record.Shape.At(depth + 1)
	}
	return cloudtrail.ShapeEvent
}

// parts returns how many parts the layer at depth holds: of the layers that can hold several, the innermost has as many
// as the options say, and the others one. NDJSON has two then, because one line is not NDJSON.
func (g *Generator) parts(depth int) int {
	if g.single || g.record.Damage == DamageGarbage || !g.holdsSeveral(depth) {
		return 1
	}
	for inner := depth + 1; inner < g.record.Shape.Len(); inner++ {
		switch {
		case !g.holdsSeveral(inner):
		case g.record.Shape.At(depth) == cloudtrail.ShapeNDJSON:
			return 2
		default:
			return 1
		}
	}
	return g.options.EventsPerRecord
}

func (g *Generator) holdsSeveral(depth int) bool {
	choice := forms[g.record.Shape.At(depth)]
	return len(choice) > 0 && choice[0].several && !g.isLambdaLogs(depth)
}

// events returns how many events the record will have.
func (g *Generator) events() int {
	n := 1
	for depth := range g.record.Shape.Len() {
		n *= g.parts(depth)
	}
	return n
}

// innermostText returns the depth at which the innermost text begins: the record itself, or what is
// encoded or quoted.
func (g *Generator) innermostText() int {
	chain := g.record.Shape
	for depth := chain.Len() - 1; depth >= 0; depth-- {
		s := chain.At(depth)
		quoted := len(forms[s]) > 0 && forms[s][0].quoted
		if s == cloudtrail.ShapeString || encoders[s] != nil || quoted || !isRaw(s, g.shapeIn(depth)) {
			return depth + 1
		}
	}
	return 0
}
