package cloudtrail

// Value is one JSON value as it stands in an event: a sub-slice of the event's bytes, quotes and
// escapes included, nothing decoded. Nil means that the event does not have the field.
type Value []byte

// IsString reports whether the value is a JSON string.
func (v Value) IsString() bool { return len(v) > 1 && v[0] == '"' }

// IsNull reports whether the value is absent or null.
func (v Value) IsNull() bool { return len(v) == 0 || v[0] == 'n' }
