package cloudtrail

import "github.com/regionwatch/regionwatch/schema/jsonscan"

// A JSON text within a JSON string is what a producer writes that serializes what is JSON already, such as
// Kafka Connect's JsonConverter for a field of type string
// (https://kafka.apache.org/documentation/#connect_developing).

// quotedText opens the string b if it is all of the record and can hold an event.
func (d *Decoder) quotedText(b []byte, chain Chain) (opened bool, err error) {
	if b[0] != '"' {
		return false, nil
	}
	end, cause := d.scan.SkipValue(b, 0)
	whole := cause == nil
	if !whole {
		end = len(b)
	}
	if jsonscan.SkipSpace(b, end) < len(b) || !canOpen(Value(b[:end])) {
		return false, nil
	}
	chain, ok, err := d.enter(b, chain, ShapeString)
	if !ok {
		return true, err
	}
	before := d.faults
	err = d.carried(b[:end], whole, chain)
	if err == nil && !whole && d.faults == before {
		err = d.unreadable(reasonOf(cause), "reading a string", cause, b, chain)
	}
	return true, err
}
