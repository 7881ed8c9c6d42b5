package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// visit is one step through an envelope.
type visit struct {
	d      *Decoder
	w      *walker
	b      []byte
	full   []byte // b and the damage behind it
	class  int    // the next of the walker's classes
	depth  int    // containers that have not ended
	key    Shape  // what the last key is known as
	named  bool   // the next value has a key
	chain  Chain
	root   int  // the length of the chain outside
	inText bool // the damage is in a string
	rest   int  // where the bytes start that are not read
}

// unwrap opens the object or array b, which is without damage: it hands on the events inside, and opens the texts that
// may hold some. A member that fails does not stop its siblings.
func (d *Decoder) unwrap(b []byte, chain Chain) error {
	_, err := d.unwrapDamaged(b, len(b), chain)
	return err
}

// unwrapDamaged is unwrap for an object or array with damage at stop. Rest is where the bytes
// start that were not read. A string that the damage is in was opened with all that follows, or is part of the rest.
func (d *Decoder) unwrapDamaged(b []byte, stop int, chain Chain) (rest int, err error) {
	w := &d.walkers[d.depth]
	w.classify(&d.scan, b[:stop])
	if len(w.open) > 0 {
		d.run.Damaged(d.depth)
	}
	w.settleOpen(b, &d.run, d.KnownRegion)
	w.around, w.missing = w.around[:0], w.missing[:0]
	d.large = d.large || cap(w.classes) > keepBytes
	v := visit{d: d, w: w, b: b[:stop], full: b, rest: stop, chain: chain, root: chain.Len()}
	for i := 0; i < stop && err == nil && !v.inText; {
		switch b[i] {
		case '{':
			i, err = v.object(i)
		case '[':
			// An array of texts is a list if its key says so. Otherwise it is a row: what stands beside an event in it is metadata.
			v.enter(i, classEnvelope, v.named && v.key != ShapeNone || jsonscan.At(v.b, jsonscan.SkipSpace(v.b, i+1)) == '{')
			i++
		case '}', ']':
			i++
			err = v.leave(i)
		case '"':
			i, err = v.text(i)
		case ',':
			v.key, v.named = ShapeNone, false
			i++
		case ':', ' ', '\n', '\r', '\t':
			i++
		default:
			i = v.scalar(i)
		}
	}
	return v.rest, err
}

// object goes into the object at b[i], or decides it.
func (v *visit) object(i int) (next int, err error) {
	c := v.w.classes[v.class]
	v.class++
	if c.isOpened() {
		v.enter(i, c, false)
		return i + 1, nil
	}
	d, p := v.d, place{chain: v.inner(v.key)}
	n, cause := d.scan.decodeEvent(v.full[i:], &d.event)
	if cause != nil {
		return len(v.b), d.damagedObject(v.full[i:], cause, p.chain)
	}
	return i + n, d.closed(c, v.full[i:i+n], p.chain)
}

// inner returns the chain of what stands in the value of a key.
func (v *visit) inner(key Shape) Chain {
	chain := v.chain
	// Within an envelope that has a name, message and log say nothing new, nor do the lists that it consists of.
	n := chain.Len()
	again := n > v.root && chain.At(n-1) == key && key != ShapeEventBridge && key != ShapeConnect
	if key != ShapeNone && !again && (n == v.root || key != ShapeShipper) {
		chain = chain.Push(key)
	}
	if chain.Len() == v.root && v.depth > 0 {
		chain = chain.Push(ShapeWrapped)
	}
	return chain
}

// enter goes into a container.
func (v *visit) enter(i int, c class, list bool) {
	chain := v.chain
	if v.key != ShapeNone {
		chain = v.inner(v.key)
	}
	v.key = ShapeNone
	if (list || v.parentIsList() || c > classEnvelope || chain != v.chain) && len(v.w.around) < maxAround {
		v.w.around = append(v.w.around, around{
			start: i, depth: v.depth, class: c, list: list, row: list && !v.named, chain: v.chain,
			events: v.d.events, calls: v.d.calls, missing: len(v.w.missing),
		})
	}
	v.chain, v.named = chain, false
	v.depth++
}

// parentIsList reports whether the innermost container is a list of events.
func (v *visit) parentIsList() bool {
	last := len(v.w.around) - 1
	return last >= 0 && v.w.around[last].list && v.w.around[last].depth == v.depth-1
}

// leave goes out of the container that ends before b[end].
func (v *visit) leave(end int) error {
	v.depth--
	last := len(v.w.around) - 1
	if last < 0 || v.w.around[last].depth != v.depth {
		return nil
	}
	a := v.w.around[last]
	v.w.around = v.w.around[:last]
	err := v.settle(&a, end)
	v.chain = a.chain
	if err == nil && v.d.calls == a.calls && a.class != classAttribute && !(v.parentIsRow() && isCell(v.b[a.start:end])) {
		v.miss(a.start, end)
	}
	return err
}

// parentIsRow reports whether the innermost container is an array of objects without a key.
func (v *visit) parentIsRow() bool { return v.parentIsList() && v.w.around[len(v.w.around)-1].row }

// isCell reports whether b is an object of one member, as in the rows of a query on CloudTrail Lake: it is metadata if it
// holds no event.
func isCell(b []byte) bool {
	members := 0
	for range Value(b).Members() {
		if members++; members > 1 {
			return false
		}
	}
	return members == 1
}

// scalar steps over the number or literal at b[i].
func (v *visit) scalar(i int) (next int) {
	for next = i + 1; next < len(v.b) && bytes.IndexByte([]byte(" \n\r\t,]}"), v.b[next]) < 0; next++ {
	}
	v.miss(i, next)
	return next
}

// miss notes an element of a list of events that holds none. There are never more than a record may report.
func (v *visit) miss(start, end int) {
	if v.parentIsList() && len(v.w.missing) < maxMissing {
		v.w.missing = append(v.w.missing, span{start, end})
	}
}

// settle reports what a container is that did not hold what it should.
func (v *visit) settle(a *around, end int) error {
	d, piece := v.d, v.b[a.start:end]
	switch found := d.calls > a.calls; {
	case a.list:
		return v.settleList(a)
	case a.class == classDelivery && !found:
		return d.noEvent(ReasonUnknownShape, errEmptyDelivery, piece, v.inner(ShapeNone))
	case (a.class == classBare || a.class == classNoRegion) && d.events == a.events:
		_, _ = d.scan.decodeEvent(piece, &d.event)
		return d.emit(v.inner(ShapeNone))
	case a.class == classBare, a.class == classNoRegion, a.class == classHalf:
		return d.joinHalf(v.b, a.half, v.inner(ShapeNone))
	case a.class >= classNotice && !found:
		return d.skip(Kind(a.class-classNotice), v.inner(ShapeNone))
	}
	return nil
}

// settleList reports the elements without an event in a list where others hold one.
func (v *visit) settleList(a *around) error {
	missing := v.w.missing[a.missing:]
	v.w.missing = v.w.missing[:a.missing]
	if v.d.events == a.events {
		return nil
	}
	for _, m := range missing {
		if err := v.d.unreadable(ReasonUnknownShape, "reading a list", errUnknownShape, v.b[m.start:m.end], v.inner(ShapeNone)); err != nil {
			return err
		}
	}
	return nil
}

// text reads the string at b[i]: a key, or a text that may hold events.
func (v *visit) text(i int) (next int, err error) {
	d, b := v.d, v.b
	end, cause := d.scan.SkipString(b, i)
	if cause != nil {
		v.inText = true
		if v.rest = i; d.mayHold(v.full[i:], false) {
			v.rest = len(v.full)
		}
		return len(b), d.member(v.full[i:], false, v.key != ShapeNone, v.inner(v.key))
	}
	colon := jsonscan.SkipSpace(b, end)
	if jsonscan.At(b, colon) == ':' {
		next = jsonscan.SkipSpace(b, colon+1)
		v.key, v.named = shapeOf(b[i:end], jsonscan.At(b, next)), true
		v.noteCarrier(next)
		v.noteHalf(b[i:end], next)
		return next, nil
	}
	if colon == len(b) {
		v.rest = i // it may be a key: the damage is right behind it
	}
	calls := d.calls
	err = d.member(b[i:end], true, v.key != ShapeNone, v.inner(v.key))
	if err == nil && d.calls == calls {
		v.miss(i, end)
	}
	return end, err
}

// noteHalf notes the value of a key that may be half of an event.
func (v *visit) noteHalf(key []byte, value int) {
	if last := len(v.w.around) - 1; last >= 0 && v.w.around[last].depth == v.depth-1 {
		v.w.around[last].half.Set(key, value)
	}
}

// noteCarrier notes that what a known key should hold is null or empty.
func (v *visit) noteCarrier(i int) {
	if v.key == ShapeNone {
		return
	}
	rest := v.b[i:]
	switch jsonscan.At(rest, 0) {
	case 'n':
		v.d.empty = true
	case '[':
		v.d.empty = v.d.empty || jsonscan.At(rest, jsonscan.SkipSpace(rest, 1)) == ']'
	case '{':
	default:
		v.d.full = v.d.full || jsonscan.At(rest, 0) != '"'
	}
}
