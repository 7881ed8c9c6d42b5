package cloudtrail

import (
	"bytes"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// {"Records":[…]} is CloudTrail's log file
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html), and the
// frame of what Lambda gets from SQS, SNS, Kinesis and S3. It can hold tens of thousands of events: they
// are read one by one, in one pass, before the end of the file has been seen.

// isRecords reports whether the object at b[i] starts like a log file.
func isRecords(b []byte, i int) bool {
	key := []byte(`"Records"`)
	i = jsonscan.SkipSpace(b, i+1)
	if !bytes.HasPrefix(b[i:], key) {
		return false
	}
	i = jsonscan.SkipSpace(b, i+len(key))
	return jsonscan.At(b, i) == ':' && jsonscan.At(b, jsonscan.SkipSpace(b, i+1)) == '['
}

// records reads the object at b[i], which has a key Records. Its other members are checked too: if they
// make it an event by themselves, it is decided as well.
func (d *Decoder) records(b []byte, i int, p place) (next, stop int, err error) {
	chain := p.chain.Push(ShapeRecords)
	var outer Event
	for at := i; ; at = jsonscan.SkipSpace(b, next) {
		key, value, done, cause := d.scan.NextKey(b, at)
		if done {
			return value, -1, d.outerEvent(&outer, b[i:value], p.chain)
		}
		if cause == nil && key.EqualString("Records") && jsonscan.At(b, value) == '[' {
			next, stop, err = d.list(b, value, place{chain: chain, inList: true})
			if stop >= 0 || err != nil {
				return next, stop, err
			}
			continue
		}
		if cause == nil {
			next, cause = d.scan.SkipValue(b, value)
		}
		if cause != nil {
			next = p.resync(b, at, at)
			return next, at, d.gap(b, at, next, cause, chain)
		}
		outer.set(key, b[value:next])
		if keyOf(key) == keyOther {
			if err = d.beside(key, b[value:next], p.chain); err != nil {
				return next, -1, err
			}
		}
	}
}

// outerEvent decides an object with a key Records that is an event all the same. CloudTrail writes no such
// thing; but if someone does, it must not be a place to hide.
func (d *Decoder) outerEvent(e *Event, b []byte, chain Chain) error {
	d.event = *e
	if e.class().isEvent() {
		end, cause := d.scan.SkipValue(b, 0)
		d.event.Raw = b[:end:end]
		if cause == nil {
			return d.emit(chain)
		}
		// The list went on behind damage, which has been reported, and so did the object around it.
		if e.AWSRegion != nil && (e.ReadOnly != nil || d.LostReadOnly) {
			return d.damagedEvent(b, cause, chain)
		}
	}
	found, err := d.joinWhole(chain)
	if found {
		d.index++
	}
	return err
}

// beside opens a member of a log file that is not its list.
func (d *Decoder) beside(key, v Value, chain Chain) error {
	shape := shapeOf(key, v[0])
	if shape == ShapeNone {
		shape = ShapeWrapped
	}
	switch v[0] {
	case '"':
		return d.member(v, true, false, chain.Push(shape))
	case '{', '[':
		return d.unwrap(v, chain.Push(shape))
	}
	return nil
}
