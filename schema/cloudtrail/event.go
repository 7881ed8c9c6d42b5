package cloudtrail

// Event is one CloudTrail event: its bytes, and the top-level fields that a decision and an alert
// need. Field names follow the record's own
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
// If a key is repeated, the last one wins. All slices are valid until [Sink.Event] returns.
type Event struct {
	// Raw holds the event's bytes from its opening to its closing brace, or as far as it could be read
	// where Damage is set.
	Raw []byte

	EventVersion       Value
	UserIdentity       Value
	EventTime          Value
	EventSource        Value
	EventName          Value
	AWSRegion          Value
	SourceIPAddress    Value
	UserAgent          Value
	ErrorCode          Value
	EventID            Value
	ReadOnly           Value
	EventType          Value
	RecipientAccountID Value
	EventCategory      Value

	// InvalidUTF8 is set where some string of the event holds bytes that are not UTF-8, or half of a
	// surrogate pair. It is not damage: such an event is decided like any other.
	InvalidUTF8 bool

	// Damage says where and why the event ended early; nil for a whole event. A damaged event reaches
	// the sink only if AWSRegion and ReadOnly were read before the damage, or were salvaged after it; with
	// [Decoder.LostReadOnly] AWSRegion is enough.
	Damage error

	// Salvaged is set where AWSRegion and ReadOnly come from a lenient search of the bytes around the
	// damage. It implies Damage.
	Salvaged bool

	// Index is the event's place in its record, from 0, counting damaged ones.
	Index int

	// Shape is the chain of envelopes in which the event was found, the outermost first.
	Shape Chain

	original bool // the object holds an event as a text
}
