package incident

import (
	"encoding/json"
	"fmt"

	segmentio "github.com/segmentio/encoding/json"
)

// ContentType is the media type of an encoded incident.
const ContentType = "application/json"

// AppendJSON appends the native JSON of i, one line without its end.
func AppendJSON(dst []byte, i *Incident) []byte {
	dst, err := segmentio.Append(dst, i, segmentio.TrustRawMessage)
	if err != nil {
		panic(fmt.Sprintf("BUG: encoding incident: %v", err)) // an Incident holds nothing that cannot be encoded
	}
	return dst
}

// Decode returns the incident that AppendJSON wrote. An error means that encoded is none.
func Decode(encoded []byte) (*Incident, error) {
	var i Incident
	if err := json.Unmarshal(encoded, &i); err != nil {
		return nil, fmt.Errorf("reading incident: %w", err)
	}
	return &i, nil
}
