package alert

import (
	"encoding/json"
	"fmt"
)

// Format is an encoding of alerts. The zero value is Native.
type Format uint8

// The formats. Both hold the same facts, so each can be converted to the other.
const (
	Native Format = iota // native.schema.json
	OCSF                 // ocsf.schema.json: Detection Finding (class 2004) of OCSF 1.6.0
)

// String returns the format as in settings.
func (f Format) String() string {
	if f == OCSF {
		return "ocsf"
	}
	return "native"
}

// Append appends a in the format: one line without a line break, see [AppendJSON] and [AppendOCSF].
func (f Format) Append(dst []byte, a *Alert) []byte {
	if f == OCSF {
		return AppendOCSF(dst, a)
	}
	return AppendJSON(dst, a)
}

// Shrink encodes an alert again that is too large for its broker: encoded is what Append wrote, the result is the same
// alert in the same format in at most maxBytes. A maxBytes below MinBytes counts as MinBytes.
//
// The copy of the event goes first (eventOmitted is "size"). If that is not enough, values from the event are cut, and
// truncated names them: long texts lose their end, userIdentity and other values that are not strings go entirely, ARNs
// go from the end of the list. The id, the rule and the region always stay, so that it remains the same alert. An error
// means that encoded is not an alert.
func (f Format) Shrink(encoded []byte, maxBytes int) ([]byte, error) {
	maxBytes = max(maxBytes, MinBytes)
	if len(encoded) <= maxBytes {
		return encoded, nil
	}
	a, err := f.Decode(encoded)
	if err != nil {
		return nil, fmt.Errorf("shrinking alert: %w", err)
	}
	if a.Event != nil {
		a.Event, a.EventOmitted = nil, OmittedSize
	}
	shrunk := f.Append(nil, a)
	for _, limit := range limits {
		if len(shrunk) <= maxBytes {
			break
		}
		a.cut(limit)
		shrunk = f.Append(shrunk[:0], a)
	}
	return shrunk, nil
}

// Decode returns the alert that Append wrote. An error means that encoded is not one.
func (f Format) Decode(encoded []byte) (*Alert, error) {
	if f == OCSF {
		return decodeOCSF(encoded)
	}
	var a Alert
	err := json.Unmarshal(encoded, &a)
	return &a, err
}
