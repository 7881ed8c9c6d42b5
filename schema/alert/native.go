package alert

import (
	"fmt"

	"github.com/segmentio/encoding/json"
)

// ContentType is the media type of an encoded alert.
const ContentType = "application/json"

// AppendJSON appends the native JSON of a, one line without a line break. The values of a that come from an event must
// be clean, see [AppendClean]; texts may hold anything.
func AppendJSON(dst []byte, a *Alert) []byte {
	// Raw values are trusted because they are clean: checking them again would cost a second pass.
	dst, err := json.Append(dst, a, json.TrustRawMessage)
	if err != nil {
		panic(fmt.Sprintf("BUG: encoding alert: %v", err)) // everything in an Alert can be encoded
	}
	return dst
}
