package scan

// DeadLetter is one line of the dead letters: a part of a file that could not be read.
type DeadLetter struct {
	File string `json:"file"`
	// Offset and Length are where the record stands in the file's (decompressed) text: the line of NDJSON,
	// the value, or the whole file. Length is left out where nobody knows.
	Offset int64 `json:"offset"`
	Length int64 `json:"length,omitempty"`
	// Index is the damaged event's place in the record; left out where the damage is not within one event.
	Index  *int   `json:"index,omitempty"`
	Shape  string `json:"shape,omitempty"` // what was recognized before the damage
	Reason string `json:"reason"`          // a short stable code
	Error  string `json:"error"`           // for people
	// Value is the part that could not be read, the record or a piece of it, in base64.
	Value []byte `json:"value"`
	Cut   bool   `json:"cut,omitempty"` // Value is the head of it only, or nothing
	// Alerted is how many alerts the record raised all the same.
	Alerted int `json:"alerted,omitempty"`
	// Count is how many parts this line stands for, where it is more than one.
	Count int `json:"count,omitempty"`
}
