package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// object reads the object at b[i]: an event, or an envelope. An ordinary event is read once.
func (d *Decoder) object(b []byte, i int, p place) (next, stop int, err error) {
	if !p.inList && isRecords(b, i) {
		if p.first && isBrokenIntoLines(b[i:]) {
			p.chain = p.chain.Push(ShapeNDJSON)
		}
		return d.records(b, i, p)
	}
	n, cause := d.scan.decodeEvent(b[i:], &d.event)
	if cause != nil {
		stop, next = i+n, p.resync(b, i, i+n)
		p.settle(b, next)
		return next, stop, d.damaged(b[i:next], cause, p)
	}
	next = i + n
	p.settle(b, next)
	return next, -1, d.whole(b[i:next], p)
}

// single reads the text b if it is one event without damage and nothing else, which most records are. Anything
// else is read again as a text, which costs no more than a second look at the first value.
func (d *Decoder) single(b []byte, p place) (done bool, err error) {
	if len(b) == 0 || b[0] != '{' || isRecords(b, 0) {
		return false, nil
	}
	end, cause := d.scan.decodeEvent(b, &d.event)
	if cause != nil || jsonscan.SkipSpace(b, end) < len(b) {
		return false, nil
	}
	return true, d.whole(b[:end], p)
}

// whole decides the object b without damage, or opens it: d.event holds what was read of it.
func (d *Decoder) whole(b []byte, p place) error {
	switch c := d.event.class(); {
	case c == classEvent:
		return d.emit(p.chain)
	case c.isOpened():
		return d.envelope(b, p)
	default:
		return d.closed(c, b, p.chain)
	}
}

// closed decides the object b, which is not opened: d.event holds what was read of it.
func (d *Decoder) closed(c class, b []byte, chain Chain) error {
	switch c {
	case classEvent:
		return d.emit(chain)
	case classInsight:
		return d.skip(KindInsight, chain)
	case classAggregated:
		return d.skip(KindAggregated, chain)
	}
	quiet := d.quiet
	d.quiet = false
	err := d.noEvent(ReasonNormalized, errNormalized, b, chain)
	d.quiet = quiet
	return err
}

// envelope opens the object or array b without damage. It reports one that holds nothing for us. Beside damage an object may
// be half of an event, whatever is inside; d.event holds what was read of it.
func (d *Decoder) envelope(b []byte, p place) error {
	behindDamage := d.run.IsOpen
	isHalf := b[0] == '{' && (d.event.AWSRegion != nil || d.event.ReadOnly != nil)
	if isHalf && behindDamage {
		if err := d.half(b, p); err != nil {
			return err
		}
	}
	calls, empty, full := d.calls, d.empty, d.full
	d.empty, d.full = false, false
	err := d.unwrap(b, p.chain)
	isEmpty := d.empty && !d.full
	d.empty, d.full = empty, full
	found, isFault := d.calls > calls, !isEmpty && !p.trial
	if !found && isFault && isHalf {
		d.run.Damaged(d.depth)
	}
	if err == nil && isHalf && !behindDamage {
		err = d.half(b, p)
	}
	switch {
	case err != nil || found:
		return err
	case isEmpty:
		return d.skip(KindEmpty, p.chain)
	case !isFault: // metadata
		return nil
	}
	return d.noEvent(ReasonUnknownShape, errUnknownShape, b, p.chain)
}

// half joins the object b, which is not an event, to the pieces before it.
func (d *Decoder) half(b []byte, p place) error {
	_, _ = d.scan.decodeEvent(b, &d.event)
	_, err := d.joinWhole(p.chain)
	return err
}

// damaged decides as much of the object or array b as was read before the damage, and reports the damage. What decides
// comes first: an event with both fields; then an envelope with whole parts; then the search.
func (d *Decoder) damaged(b []byte, cause error, p place) error {
	calls, quiet := d.calls, d.quiet
	err := d.decideDamaged(b, cause, p)
	if err != nil || !quiet || d.calls == calls {
		return err
	}
	d.quiet = false // text with an event in it is ours
	err = d.unreadable(reasonOf(cause), "reading an envelope", cause, b, p.chain)
	d.quiet = quiet
	return err
}

// decideDamaged is damaged for a text that may not be ours: then it reports nothing.
func (d *Decoder) decideDamaged(b []byte, cause error, p place) error {
	if b[0] != '{' {
		d.event = Event{}
	}
	if c := d.event.class(); c.isEvent() || !c.isOpened() || d.scan.got.seen&actorKeys != 0 && b[0] == '{' {
		return d.damagedObject(b, cause, p.chain)
	}
	own, calls, faults, events := d.event, d.calls, d.faults, d.events
	stop := min(jsonscan.StoppedAt(cause, 0), len(b))
	rest, err := d.unwrapDamaged(b, stop, p.chain)
	if err == nil && rest < len(b) {
		err = d.elements(b, beforeText(b, rest), stop, p)
	}
	switch {
	case err != nil || rest == len(b) && d.faults > faults && d.events > events:
		return err
	case rest < len(b) && d.events > events:
		return d.searchGaps(cause, b, d.faults == faults, p.chain)
	case d.faults > faults:
		// A quote out of place ends the text early: the event goes on behind it.
		return d.searchAgain(cause, b, p.chain)
	case d.calls > calls:
		// A bracket out of place ends a list early: what stands behind may be the rest of it.
		return d.searchRest(reasonOf(cause), "reading an envelope", cause, b, b[beforeText(b, stop):], p.chain)
	}
	d.event = own
	return d.salvageEvent(b, "decoding event", cause, p.chain)
}

// beforeText returns where to search from for what goes on at b[i]. A lost backslash ends a quoted text early: then it is
// before its last key and value, which may be cut.
func beforeText(b []byte, i int) int {
	before := bytes.TrimRight(b[:i], ":, \t\r\n")
	if n := len(before); n > 0 && before[n-1] == '"' {
		return max(0, n-salvage.MaxEscapedKey-salvage.MaxRegion)
	}
	return i
}

// damagedObject decides the damaged object b, which is not opened: d.event holds what was read of it.
func (d *Decoder) damagedObject(b []byte, cause error, chain Chain) error {
	e := &d.event
	if e.class() != classEvent || e.AWSRegion == nil || e.ReadOnly == nil || d.isForeign(e.AWSRegion) {
		return d.salvageEvent(b, "decoding event", cause, chain)
	}
	behindDamage, rest := d.run.IsOpen, b[min(jsonscan.StoppedAt(cause, 0), len(b)):]
	if err := d.damagedEvent(b, cause, chain); err != nil || !behindDamage {
		return err
	}
	// What looks like an event may be an actor's text, and the rest be that of the event around it.
	return d.searchPiece(rest, cause, chain)
}

// isForeign reports whether a region is not in the catalogue. Without its last quote it goes on to the next one.
func (d *Decoder) isForeign(region Value) bool {
	n := len(region)
	return d.KnownRegion != nil && n > 2 && !d.KnownRegion(region[1:n-1])
}

// searchPiece searches a piece that has been reported.
func (d *Decoder) searchPiece(piece []byte, cause error, chain Chain) error {
	d.event = Event{}
	found, err := d.emitSalvaged(piece, cause, chain)
	if found {
		d.index++
	}
	return err
}

// elements goes on behind the damage of an envelope, where the objects of a list may start. It notes what stands between
// them.
func (d *Decoder) elements(b []byte, from, stop int, p place) error {
	p = place{chain: p.chain.Push(ShapeWrapped), inList: true, trial: true}
	d.gaps = d.gaps[:0]
	stop = salvage.BeforeKey(b, stop)
	for i := salvage.ResyncTo(b, stop, stop, salvage.IsElementStart); i < len(b); {
		d.noteGap(from, i)
		n, cause := d.scan.decodeEvent(b[i:], &d.event)
		next := i + n
		var err error
		if cause == nil {
			err = d.whole(b[i:next], p)
		} else if d.event.class().isEvent() {
			err = d.damagedObject(b[i:next], cause, p.chain)
		} else {
			_, err = d.unwrapDamaged(b[i:next], n, p.chain)
		}
		if err != nil {
			return err
		}
		from, i = next, salvage.ResyncTo(b, next, next, salvage.IsElementStart)
	}
	d.noteGap(from, len(b))
	return nil
}

// maxGaps bounds the gaps that are remembered.
const maxGaps = 256

// noteGap notes what stands between the elements of a damaged list. The last gap that is remembered goes to the end.
func (d *Decoder) noteGap(from, to int) {
	switch n := len(d.gaps); {
	case from >= to:
	case n < maxGaps:
		d.gaps = append(d.gaps, span{from, to})
	default:
		d.gaps[n-1].end = to
	}
}

// searchGaps searches what stands between the elements of a damaged envelope, and reports its damage unless that is done.
func (d *Decoder) searchGaps(cause error, b []byte, report bool, chain Chain) error {
	index := -1
	for _, gap := range d.gaps {
		d.event = Event{}
		found, err := d.emitSalvaged(b[gap.start:gap.end], cause, chain)
		if err != nil {
			return err
		}
		if found {
			index = d.index
			d.index++
		}
	}
	if !report {
		return nil
	}
	return d.report(reasonOf(cause), "reading an envelope", cause, index, b, chain)
}

// emit hands the event in d.event to the sink, with the next index.
func (d *Decoder) emit(chain Chain) error {
	e := &d.event
	e.Index, e.Shape = d.index, chain
	if chain.Len() == 0 {
		e.Shape = chain.Push(ShapeEvent)
	}
	d.events++
	d.calls++
	err := d.sink.Event(e)
	isWhole := e.AWSRegion != nil && e.ReadOnly != nil // and no half of another event
	if err == nil && e.Damage == nil && !(isWhole && d.run.IsUnused()) {
		_, err = d.joinWhole(chain)
	}
	d.index++
	return err
}
