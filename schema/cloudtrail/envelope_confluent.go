package cloudtrail

import "github.com/regionwatch/regionwatch/schema/jsonscan"

// Confluent's serializers put a zero byte and the schema's id, four bytes, before the JSON
// (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).

// confluentHeader is the length of what they put before it.
const confluentHeader = 5

// cutConfluent returns what follows the header.
func cutConfluent(b []byte) (inner []byte, ok bool) {
	if len(b) <= confluentHeader || b[0] != 0 {
		return nil, false
	}
	inner = b[confluentHeader:]
	i := jsonscan.SkipSpace(inner, 0)
	return inner, i < len(inner) && isTextStart(inner[i])
}
