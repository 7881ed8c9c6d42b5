package layer

import (
	"encoding/binary"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Serializers put a few bytes before the JSON: which schema it has, and how long it is.
const (
	// A zero byte and the schema's id
	// (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
	confluentHeader = 5
	// A version, whether what follows is compressed with zlib, and the schema's UUID
	// (https://github.com/awslabs/aws-glue-schema-registry).
	glueHeader, glueVersion, glueZlib = 18, 3, 5
)

// cutHeader returns what follows a header in b, or None if there is no header.
func cutHeader(b []byte) (kind Kind, inner []byte) {
	if inner = cutField(b); inner != nil {
		return Field, inner
	}
	switch {
	case len(b) > confluentHeader && b[0] == 0 && isHeaded(b[confluentHeader:]):
		return Confluent, b[confluentHeader:]
	case len(b) > glueHeader && b[0] == glueVersion && (b[1] == 0 || b[1] == glueZlib) && isHeaded(b[glueHeader:]):
		return Glue, b[glueHeader:]
	}
	return None, nil
}

// isHeaded reports whether b is what stands after a header: JSON, another header, something compressed, or base64.
func isHeaded(b []byte) bool {
	i := jsonscan.SkipSpace(b, 0)
	if i < len(b) && IsTextStart(b[i]) || DetectCompression(b) != None || cutField(b) != nil || isOnlyBase64(b) {
		return true
	}
	return len(b) > confluentHeader && b[0] == 0 && b[confluentHeader] != 0 && isHeadedOnce(b[confluentHeader:])
}

// isHeadedOnce is isHeaded without another header.
func isHeadedOnce(b []byte) bool {
	i := jsonscan.SkipSpace(b, 0)
	return i < len(b) && IsTextStart(b[i]) || cutField(b) != nil || isOnlyBase64(b)
}

// cutField returns the text of a record of one field, a string or bytes: in Avro its length as a zigzag varint
// (https://avro.apache.org/docs/1.12.0/specification/), maybe after the branch of a union; in Protobuf a tag and the
// length (https://protobuf.dev/programming-guides/encoding/), in Confluent's form after an index. It must be all of b,
// and JSON.
func cutField(b []byte) []byte {
	for start := range min(3, len(b)) {
		n, size := binary.Uvarint(b[start:])
		if size <= 0 {
			continue
		}
		text := b[start+size:]
		if n != uint64(len(text)) && n != 2*uint64(len(text)) || !isPrefixOfField(b[:start]) {
			continue
		}
		if i := jsonscan.SkipSpace(text, 0); i < len(text) && IsTextStart(text[i]) || isOnlyBase64(text) {
			return text
		}
	}
	return nil
}

// isPrefixOfField reports whether b can stand before the length: nothing, a branch or an index, a tag, or both.
func isPrefixOfField(b []byte) bool {
	const lengthDelimited, maxBranch = 2, 4
	switch len(b) {
	case 0:
		return true
	case 1:
		return b[0] <= maxBranch || b[0]&7 == lengthDelimited
	}
	return b[0] == 0 && b[1]&7 == lengthDelimited
}
