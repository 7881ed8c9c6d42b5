package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/layer"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// A JSON text usually holds one value. Several are NDJSON, one per line (https://github.com/ndjson/ndjson-spec),
// or stand one after the other without a line break, as Firehose joins the objects of CloudWatch Logs
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html).

// place is where a value stands. It decides which chain its events get, and how to go on after damage.
type place struct {
	chain Chain
	// inList is set within an array.
	inList bool
	// first is set for the first value of a text, until it is known whether others follow.
	first bool
	// trial is set for the text of a string that need not be ours, and for what is within a list that is damaged: an
	// object without an event is not a fault.
	trial bool
}

// settle adds NDJSON to the chain if other values follow this one, which ends at b[end].
func (p *place) settle(b []byte, end int) {
	if p.first && isSequence(b, end) {
		p.chain = p.chain.Push(ShapeNDJSON)
	}
	p.first = false
}

// resync is where to go on after damage at stop in the value that starts at b[start].
func (p *place) resync(b []byte, start, stop int) int {
	if !p.inList {
		return salvage.ResyncText(b, start, stop)
	}
	key := salvage.BeforeKey(b, stop)
	return salvage.Resync(b, max(key, start+1), key)
}

// isSequence reports whether another value follows b[end], even behind damage.
func isSequence(b []byte, end int) bool {
	i := jsonscan.SkipSpace(b, end)
	return i < len(b) && (startsValue(b, end, i) || salvage.Resync(b, i, i) < len(b))
}

// startsValue reports whether a value may start at b[i], where nothing but white space stands between it and the last one:
// an object, an array, or a string on its own line.
func startsValue(b []byte, end, i int) bool {
	return b[i] == '{' || b[i] == '[' || b[i] == '"' && bytes.IndexByte(b[end:i], '\n') >= 0
}

// text reads the values of a JSON text, one after the other.
func (d *Decoder) text(b []byte, p place) error {
	start := jsonscan.SkipSpace(b, 0)
	if start == len(b) {
		return d.skip(KindEmpty, p.chain)
	}
	i := start
	if !layer.IsTextStart(b[i]) && !isSequence(b, i) {
		if at, _, _ := d.prefixed(b, i); at == i {
			return d.plainText(b[i:], p.chain)
		}
	}
	if opened, err := d.quotedText(b[i:], p.chain); opened || err != nil {
		return err
	}
	p.first = true
	// Where a damaged value has swallowed the lines after it, each line up to the damage is read again, by
	// itself: no byte is read more than twice, whatever the input.
	var again, limit int
	ahead := -1 // where the next value that is not a scalar starts, if known
	tried := 0  // up to where prefixes were looked for
	for i < len(b) {
		end := len(b)
		if i < again {
			if limit <= i {
				limit = salvage.Resync(b, salvage.LineEnd(b, i), len(b))
			}
			end = limit
		}
		if i > start && d.run.IsOpen && d.run.Depth >= d.depth && d.startsRecord(b, i) {
			d.run.Reset()
		}
		at, q := i, p
		if i >= tried && !startsObject(b, i) {
			var found, after int
			if found, after, tried = d.prefixed(b[:end], i); found > i {
				p.settle(b, after)
				at, q = found, p
				q.chain = q.chain.Push(ShapePrefixed)
			}
		}
		next, stop, err := d.value(b[:end], at, q)
		if err != nil {
			return err
		}
		again = max(again, stop)
		if stop < 0 {
			if next, err = d.trailing(b, next, p, &ahead); err != nil {
				return err
			}
		}
		p.settle(b, next)
		i = jsonscan.SkipSpace(b, next)
	}
	return nil
}

// startsRecord reports whether a separate value starts at b[i], behind damage: it starts its line, and nothing follows it
// there. Damage can put a line break into an event, but then the rest of the event follows, or quotes with backslashes.
func (d *Decoder) startsRecord(b []byte, i int) bool {
	if !salvage.IsColumnOne(b, i) || !layer.IsTextStart(b[i]) {
		return false
	}
	line := b[i:salvage.LineEnd(b, i)]
	end, cause := d.scan.SkipValue(line, 0)
	if cause == nil {
		return jsonscan.SkipSpace(line, end) == len(line)
	}
	return line[0] == '"' || startsObject(line, 0) || startsObject(line, jsonscan.SkipSpace(line, 1)) // in a list
}

// value reads the value at b[i]. Next is where the next one may start. Stop is negative for a value that
// was read to its end, or where the reading stopped: then next is already past the damage.
func (d *Decoder) value(b []byte, i int, p place) (next, stop int, err error) {
	switch b[i] {
	case '{':
		return d.object(b, i, p)
	case '[':
		return d.array(b, i, p)
	}
	n, cause := d.scan.SkipValue(b[i:], 0)
	end := i + n
	if colon := jsonscan.SkipSpace(b, end); cause == nil && jsonscan.At(b, colon) == ':' && salvage.IsHalfKey(b[i:end]) {
		cause = jsonscan.Unexpected(b[i:], colon-i, "a value, not a key") // the rest of an event that damage cut in two
	}
	if cause != nil {
		next = p.resync(b, i, end)
		p.settle(b, next)
		d.event = Event{}
		return next, end, d.salvageEvent(b[i:next], "reading a value", cause, p.chain)
	}
	p.settle(b, end)
	return end, -1, d.scalar(b[i:end], p)
}

// scalar opens a string, and reports any other value that is not an event: null means no event, anything else does not belong
// here.
func (d *Decoder) scalar(v Value, p place) error {
	if v.IsNull() && !p.inList {
		return d.skip(KindEmpty, p.chain)
	}
	if v.IsString() {
		calls := d.calls
		if err := d.member(v, true, false, p.chain.Push(ShapeString)); err != nil || d.calls > calls {
			return err
		}
		// A text in which a quote is out of place is more than one value.
		d.event = Event{}
		if _, err := d.emitSalvaged(v, errNotObject, p.chain); err != nil {
			return err
		}
	}
	return d.noEvent(ReasonNotObject, errNotObject, v, p.chain)
}

// quotedText opens the string b if it is all of the text and can hold an event. A JSON text within a JSON string is what
// a producer writes that serializes what is JSON already.
func (d *Decoder) quotedText(b []byte, chain Chain) (opened bool, err error) {
	if b[0] != '"' {
		return false, nil
	}
	end, cause := d.scan.SkipValue(b, 0)
	whole := cause == nil
	if !whole {
		end = len(b)
	}
	if jsonscan.SkipSpace(b, end) < len(b) || !d.mayHold(Value(b[:end]), whole) {
		return false, nil
	}
	chain = chain.Push(ShapeString)
	before := d.faults
	err = d.openString(b[:end], whole, chain)
	if err == nil && !whole && d.faults == before {
		err = d.unreadable(reasonOf(cause), "reading a string", cause, b, chain)
	}
	return true, err
}

// trailing reports what stands right after a whole value and starts no other one. It returns where to go
// on. Ahead is where the next object or array may start, kept between calls: a text of scalars would be
// searched to its end after each of them.
func (d *Decoder) trailing(b []byte, end int, p place, ahead *int) (next int, err error) {
	i := jsonscan.SkipSpace(b, end)
	if i == len(b) || startsValue(b, end, i) {
		return i, nil
	}
	if *ahead < i {
		*ahead = salvage.Resync(b, i, i)
	}
	next = len(b)
	isLine := bytes.IndexByte(b[end:i], '\n') >= 0
	if isLine && *ahead == len(b) {
		at, _, _ := d.prefixed(b, i)
		isLine = at > i
	}
	if isLine {
		return i, nil // its own line
	}
	if *ahead < len(b) {
		next = salvage.ResyncText(b, i, i)
		p.settle(b, next)
	}
	return next, d.leftOver(b[i:next], p.chain)
}

// plainText reports a text without any JSON object or array in it.
func (d *Decoder) plainText(b []byte, chain Chain) error {
	if isValidationText(b) {
		return d.skip(KindValidation, chain)
	}
	p := place{chain: chain}
	end, cause := d.scan.SkipValue(b, 0)
	if cause == nil {
		if rest := jsonscan.SkipSpace(b, end); rest < len(b) {
			cause = jsonscan.Unexpected(b, rest, "the end of the text")
		}
	}
	if cause == nil {
		return d.scalar(b[:end], p)
	}
	calls := d.calls
	end, err := d.base64Runs(b, chain)
	isLast := len(bytes.TrimLeft(b[end:], "= \t\r\n")) == 0
	if err != nil || d.quiet || d.calls > calls && isLast && !salvage.HasMark(b) {
		return err
	}
	d.event = Event{}
	if _, err := d.emitFields(b, cause, chain); err != nil {
		return err
	}
	d.index++
	return d.report(reasonOf(cause), "reading text", cause, d.index-1, b, chain)
}
