package cloudtrail

import "github.com/regionwatch/regionwatch/schema/jsonscan"

// envelope opens the object b, which is no event by itself, by the marks in d.event. Opened is false where
// the object has none, or not what belongs to it. Where b is damaged everything before the damage is
// opened. An envelope's keys are read at its top level only, and nothing but the value of its own key is
// opened: text that an attacker chose stands deeper or under other keys.
func (d *Decoder) envelope(b []byte, p place) (opened bool, err error) {
	if p.carries != "" {
		if v, whole := d.member(b, p.carries); v != nil {
			return true, d.carried(v, whole, p.chain)
		}
	}
	e := &d.event
	if e.isDelivery() {
		return d.delivery(b, p.chain)
	}
	m := e.marks
	for _, envelope := range [...]struct {
		marks marks // any of them
		open  func(d *Decoder, b []byte, chain Chain) (opened bool, err error)
	}{
		{markRecords, (*Decoder).recordsInside},
		{markDetail, (*Decoder).eventBridge},
		{markMessageType | markLogEvents, (*Decoder).logs},
		{markAWSLogs, (*Decoder).lambdaLogs},
		{markFirehoseRecords, (*Decoder).firehose},
		{markSNSMessage | markSNSType, (*Decoder).sns},
		{markSNS, (*Decoder).snsRecord},
		{markKinesis, (*Decoder).kinesis},
		{markCloudTrailEvent | markLookupEvents, (*Decoder).lookup},
		{markBody | markSQSBody | markMessages, (*Decoder).sqs},
		{markDigest | markTestEvent | markS3Bucket, (*Decoder).notice},
		{markEventOriginal | markEvent | markMessage | markLog, (*Decoder).shipper},
		{markPayload, (*Decoder).connect},
	} {
		if m&envelope.marks == 0 {
			continue
		}
		if opened, err = envelope.open(d, b, p.chain); opened || err != nil {
			return opened, err
		}
	}
	return false, nil
}

// carry opens the value of the key name in the object b as a layer of this shape.
func (d *Decoder) carry(b []byte, name string, shape Shape, chain Chain) (opened bool, err error) {
	v, whole := d.member(b, name)
	if len(v) == 0 {
		return false, nil
	}
	chain, ok, err := d.enter(b, chain, shape)
	if !ok {
		return true, err
	}
	return true, d.carried(v, whole, chain)
}

// carryList opens the array under the key list in the object b, whose objects each hold an event under
// the key name.
func (d *Decoder) carryList(b []byte, list, name string, shape Shape, chain Chain) (opened bool, err error) {
	v, _ := d.member(b, list)
	if len(v) == 0 || v[0] != '[' {
		return false, nil
	}
	chain, ok, err := d.enter(b, chain, shape)
	if !ok {
		return true, err
	}
	next, stop, err := d.list(v, 0, place{chain: chain, carries: name, inList: true})
	return true, d.rest(v, next, stop, chain, err)
}

// rest goes on behind a damaged list that was left before the end of b.
func (d *Decoder) rest(b []byte, next, stop int, chain Chain, err error) error {
	if err != nil || stop < 0 || next >= len(b) {
		return err
	}
	return d.text(b[next:], chain)
}

// carried opens what an envelope holds: a text in a string, or the object or array itself.
func (d *Decoder) carried(v Value, whole bool, chain Chain) error {
	switch {
	case v[0] == '"':
		return d.open(d.unquote(v, whole, chain), chain)
	case v[0] == '{' || v[0] == '[':
		return d.text(v, chain)
	case v.IsNull():
		return d.skip(KindEmpty, chain)
	}
	return d.noEvent(ReasonNotObject, errNotObject, v, chain)
}

// member returns the value of a key in the object b; the last one where it stands twice, nil where there
// is none. Where the value itself is damaged, whole is false and it is all of b from there.
func (d *Decoder) member(b []byte, name string) (v Value, whole bool) {
	if len(b) == 0 || b[0] != '{' {
		return nil, true
	}
	for i := 0; ; {
		key, value, done, err := d.scan.NextKey(b, i)
		if done || err != nil {
			return v, true
		}
		end, err := d.scan.SkipValue(b, value)
		found := value < len(b) && key.EqualString(name)
		if err != nil {
			if found {
				return Value(b[value:]), false
			}
			return v, true
		}
		if found {
			v = b[value:end]
		}
		i = jsonscan.SkipSpace(b, end)
	}
}

// unquote returns the text of a JSON string. It is valid as long as the layer is open. A string that is
// not whole is read as if it ended where it is cut off.
func (d *Decoder) unquote(v Value, whole bool, chain Chain) []byte {
	if !whole {
		v = append(append(make(Value, 0, len(v)+1), v...), '"')
	}
	body := v[1 : len(v)-1]
	if jsonscan.SkipPlain(body, 0) == len(body) {
		return body
	}
	text := d.buffers[chain.Len()]
	if cap(text) < len(body) {
		text = make([]byte, 0, len(body))
	}
	text = v.AppendText(text[:0])
	d.setBuffer(chain, text)
	return text
}
