package incident

import (
	"encoding/json"
	"fmt"

	segmentio "github.com/segmentio/encoding/json"
)

// ContentType is the media type of an encoded incident.
const ContentType = "application/json"

// AppendJSON appends the native JSON of i, one line without a line break.
func AppendJSON(dst []byte, i *Incident) []byte {
	dst, err := segmentio.Append(dst, i, segmentio.TrustRawMessage)
	if err != nil {
		panic(fmt.Sprintf("BUG: encoding incident: %v", err)) // everything in an Incident can be encoded
	}
	return dst
}

// Decode returns the incident that AppendJSON wrote. An error means that encoded is not one.
func Decode(encoded []byte) (*Incident, error) {
	var i Incident
	if err := json.Unmarshal(encoded, &i); err != nil {
		return nil, fmt.Errorf("reading incident: %w", err)
	}
	return &i, nil
}
