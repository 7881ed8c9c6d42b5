package cloudtrail

import "github.com/regionwatch/regionwatch/schema/jsonscan"

// object reads the object at b[i]: an event, or an envelope. The event's fields and the envelope's marks
// come from the same pass, so that an ordinary event is read once.
func (d *Decoder) object(b []byte, i int, p place) (next, stop int, err error) {
	if isRecords(b, i) {
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

// single reads the text b if it is one event without damage and nothing else, which most records are. What it is not
// is read again by those who know the other shapes: that costs no more than a second look at the first value.
func (d *Decoder) single(b []byte, chain Chain) (done bool, err error) {
	if len(b) == 0 || b[0] != '{' || isRecords(b, 0) {
		return false, nil
	}
	end, cause := d.scan.decodeEvent(b, &d.event)
	if cause != nil || end < len(b) && jsonscan.SkipSpace(b, end) < len(b) {
		return false, nil
	}
	return true, d.whole(b[:end], place{chain: chain})
}

// whole decides the object b without damage: d.event holds what was read of it.
func (d *Decoder) whole(b []byte, p place) error {
	e := &d.event
	if e.isEvent() && !e.isDelivery() {
		if e.isInsight() {
			return d.skip(KindInsight, p.chain)
		}
		return d.emit(p.chain)
	}
	opened, err := d.envelope(b, p)
	if opened || err != nil {
		return err
	}
	if e.isEvent() {
		return d.emit(p.chain)
	}
	if e.AWSRegion == nil && e.ReadOnly != nil {
		if _, err = d.emitSecondHalf(errUnknownShape, p.chain); err != nil {
			return err
		}
	}
	return d.noEvent(ReasonUnknownShape, errUnknownShape, b, p.chain)
}

// damaged decides as much of the object b as was read before the damage, and reports the damage. What
// decides comes first: an event with both fields; then an envelope with whole parts; then the search.
func (d *Decoder) damaged(b []byte, cause error, p place) error {
	e := &d.event
	delivery := e.isDelivery()
	if e.isEvent() && !delivery && e.AWSRegion != nil && e.ReadOnly != nil {
		return d.damagedEvent(b, cause, p.chain)
	}
	if delivery || !e.isEvent() {
		e.marks |= d.lastMark(b)
		before, events := d.faults, d.events
		opened, err := d.envelope(b, p)
		if err != nil || opened && d.events > events && d.faults > before {
			return err
		}
		if opened && d.faults > before {
			// A quote out of place ends the text early: the event goes on behind it.
			return d.searchAgain(cause, b, p.chain)
		}
		if opened {
			// A bracket out of place ends a list early: what stands behind may be the rest of it.
			rest := b[min(jsonscan.StoppedAt(cause, 0), len(b)):]
			return d.searchRest(reasonOf(cause), "reading an envelope", cause, b, rest, p.chain)
		}
	}
	return d.salvageEvent(b, "decoding event", cause, p.chain)
}

// lastMark returns the mark of the member in whose value the damage is.
func (d *Decoder) lastMark(b []byte) (last marks) {
	for i := 0; ; {
		key, value, done, err := d.scan.NextKey(b, i)
		if done || err != nil {
			return last
		}
		var member Event
		member.set(key, nil)
		last = member.marks
		end, err := d.scan.SkipValue(b, value)
		if err != nil {
			return last
		}
		i = jsonscan.SkipSpace(b, end)
	}
}

// emit hands the event in d.event to the sink, with the next index.
func (d *Decoder) emit(chain Chain) error {
	e := &d.event
	e.Index, e.Shape = d.index, chain
	if chain.Len() == 0 {
		e.Shape = chain.Push(ShapeEvent)
	}
	if e.ReadOnly == nil {
		d.firstHalf.add(e.AWSRegion, nil)
	}
	d.index++
	d.events++
	return d.sink.Event(e)
}

// isInsight reports whether the event is one of CloudTrail Insights, which tells of unusual rates and has
// no readOnly
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html).
func (e *Event) isInsight() bool {
	return e.ReadOnly == nil && (e.marks.has(markInsight) || e.EventCategory.EqualString("Insight") ||
		e.EventType.EqualString("AwsCloudTrailInsight"))
}
