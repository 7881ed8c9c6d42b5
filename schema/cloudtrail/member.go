package cloudtrail

import (
	"bytes"
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/layer"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// member opens a string of an envelope if it may hold events. Where it turns out to hold something else it is metadata,
// and no fault. Carrier says that the envelope is known to hold its events there: damaged JSON there is a fault. A string
// that is not whole ends where it is cut.
func (d *Decoder) member(v Value, whole, carrier bool, chain Chain) error {
	if len(v) == len(`""`) && whole {
		d.empty = d.empty || carrier
		return nil
	}
	if v.EqualString(validationText) {
		return d.skip(KindValidation, chain)
	}
	calls, empty, quiet, inCut := d.calls, d.empty, d.quiet, d.inCut
	d.empty, d.quiet, d.inCut = false, !carrier || firstLetter(v[1:]) != '{', inCut || !whole
	var err error
	if d.mayHold(v, whole) {
		err = d.openString(v, whole, chain)
	}
	d.full = d.full || carrier && d.calls == calls && !d.empty
	d.empty, d.quiet, d.inCut = empty || carrier && d.empty, quiet, inCut
	return err
}

// openString opens the text of a string as a layer.
func (d *Decoder) openString(v Value, whole bool, chain Chain) error {
	if ok, err := d.enter(v, chain); !ok {
		return err
	}
	defer d.leave()
	if ok, err := d.charge(len(v), v, chain); !ok {
		return err
	}
	return d.open(d.unquote(v, whole), chain)
}

// mayHold reports whether a string may hold an event: its text starts like JSON, is or ends in base64 of something that we
// open, or has an object or a key of CloudTrail's in it.
func (d *Decoder) mayHold(v Value, whole bool) bool {
	if c := firstLetter(v[1:]); c == '{' || c == '[' {
		return true
	}
	text := []byte(v[1:])
	if bytes.IndexByte(text, '\\') >= 0 {
		if d.depth < MaxNesting { // where the buffer of the next layer is free
			d.depth++
			text = d.unquote(v, whole)
			d.depth--
		}
		if firstLetter(text) == '"' || salvage.HoldsObject(text) || salvage.HasMark(text) {
			return true
		}
	} else if whole {
		text = text[:len(text)-1]
	}
	run, _ := layer.Base64Run(text, 0)
	return run != nil || len(text) > layer.MinBase64/3*4 && layer.IsBase64(text)
}

// firstLetter returns the first character of the inside of a string that is neither white space nor a byte order mark; 0
// if there is none.
func firstLetter(body []byte) rune {
	for len(body) > 0 {
		c, size := jsonscan.FirstRune(body)
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\ufeff' {
			return c
		}
		body = body[size:]
	}
	return 0
}

// unquote returns the text of a JSON string. It is valid as long as the layer is open.
func (d *Decoder) unquote(v Value, whole bool) []byte {
	if !whole {
		v = slices.Concat(v, Value{'"'})
	}
	body := v[1 : len(v)-1]
	if jsonscan.SkipPlain(body, 0) == len(body) {
		return body
	}
	text := v.AppendText(slices.Grow(d.buffers[d.depth][:0], len(body)))
	d.setBuffer(text)
	return text
}
