// Package layer recognizes and decodes what encodes a text: compression, base64 and the headers of serializers. It tells
// them by their first bytes, and opens nothing within.
package layer

import (
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Kind is what encodes some bytes. The zero value is None.
type Kind uint8

// The kinds.
const (
	None      Kind = iota // plain text
	Gzip                  // RFC 1952
	Zstd                  // RFC 8878
	Zlib                  // RFC 1950
	Snappy                // snappy framing format
	LZ4                   // LZ4 frame format
	Base64                // RFC 4648, both alphabets
	Confluent             // zero byte and schema id
	Glue                  // Glue Schema Registry header
	Field                 // the one field of an Avro or Protobuf record
	UTF16                 // a text that is not read
)

// MaxNesting is how many layers are opened, one in the other.
const MaxNesting = 8

// ByteOrderMark is U+FEFF in UTF-8, which some Windows shippers write before the first line.
var ByteOrderMark = []byte("\xef\xbb\xbf")

// Detect tells what encodes b; None for plain text. Inner is what follows a header.
func Detect(b []byte) (kind Kind, inner []byte) {
	if isUTF16(b) {
		return UTF16, nil
	}
	if start := jsonscan.SkipSpace(b, 0); start == len(b) || IsTextStart(b[start]) {
		return None, nil
	}
	if kind = DetectCompression(b); kind != None {
		return kind, nil
	}
	if kind, inner = cutHeader(b); kind != None {
		return kind, inner
	}
	if IsBase64(b) {
		return Base64, nil
	}
	if IsWide(b) {
		return UTF16, nil
	}
	return None, nil
}

// isUTF16 reports whether b is UTF-16 of either byte order, by its mark or by the zero bytes around the first character.
// A Confluent header has a zero byte at its start too, and rarely a brace after it.
func isUTF16(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	if b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff {
		return true
	}
	return b[1] == 0 && IsTextStart(b[0]) || b[0] == 0 && IsTextStart(b[1]) && b[2] == 0 && b[3] != 0
}

// IsTextStart reports whether a JSON text that we read can start with c.
func IsTextStart(c byte) bool { return c == '{' || c == '[' || c == '"' }
