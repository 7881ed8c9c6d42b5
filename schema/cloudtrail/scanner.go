package cloudtrail

import "github.com/regionwatch/regionwatch/schema/jsonscan"

// Value is one JSON value as it stands in an event.
type Value = jsonscan.Value

// SyntaxError says where and why bytes are not JSON by RFC 8259.
type SyntaxError = jsonscan.SyntaxError

// scanner is a JSON scanner that also reads the fields of events. It learns in which order their keys come and
// which values repeat; that changes how fast an event is read, never what is read of it. The zero value is usable.
type scanner struct {
	jsonscan.Scanner
	// follows guesses the key after each key of an event: the one that followed it last time. others holds the one
	// before that, since some keys are in every other event.
	follows, others [256]keyID
	got             members // where the event's values are
	// identity and tls remember values of userIdentity and tlsDetails.
	identity, tls jsonscan.Echo
}
