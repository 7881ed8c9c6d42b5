package alert

import "unicode/utf8"

// MaxDepth is the deepest nesting of a value that is copied into an alert. It protects readers of alerts: many decoders
// recurse.
const MaxDepth = 128

// MaxNumber is the longest number, in bytes: Python's json refuses integers with more digits
// (https://docs.python.org/3/library/stdtypes.html#int-max-str-digits).
const MaxNumber = 4300

// AppendClean appends the JSON value raw in a form fit for an alert: on one line, as valid UTF-8, with the same
// meaning. It drops white space between tokens, replaces every byte that is not UTF-8 and every escape of half a
// surrogate pair by U+FFFD (as encoding/json decodes them), and escapes the line separators U+2028 and U+2029. All else
// is copied unchanged, numbers to the last digit.
//
// raw must be one value by RFC 8259. Nothing recurses. If readers may refuse the value, dst is returned unchanged with
// the reason: OmittedDepth or OmittedNumber.
func AppendClean(dst, raw []byte) (clean []byte, omitted string) {
	start, depth := len(dst), 0
	for i := 0; i < len(raw); {
		switch c := raw[i]; c {
		case ' ', '\t', '\n', '\r':
			i++
			continue
		case '"':
			dst, i = appendCleanString(dst, raw, i)
			continue
		case '{', '[':
			if depth++; depth > MaxDepth {
				return dst[:start], OmittedDepth
			}
		case '}', ']':
			depth--
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			n := numberLen(raw[i:])
			if n > MaxNumber {
				return dst[:start], OmittedNumber
			}
			dst = append(dst, raw[i:i+n]...)
			i += n
			continue
		}
		dst = append(dst, raw[i])
		i++
	}
	return dst, ""
}

// numberLen returns the length of the number that raw begins with.
func numberLen(raw []byte) int {
	n := 1
	for n < len(raw) && (raw[n] >= '0' && raw[n] <= '9' || raw[n] == '.' || raw[n] == '-' || raw[n] == '+' || raw[n]|0x20 == 'e') {
		n++
	}
	return n
}

// appendCleanString appends the string that begins at raw[i] and returns the index after it.
func appendCleanString(dst, raw []byte, i int) ([]byte, int) {
	dst = append(dst, '"')
	for i++; i < len(raw); {
		run := i
		for i < len(raw) && raw[i] < utf8.RuneSelf && raw[i] != '"' && raw[i] != '\\' {
			i++
		}
		dst = append(dst, raw[run:i]...)
		switch {
		case i == len(raw):
		case raw[i] == '"':
			return append(dst, '"'), i + 1
		case raw[i] == '\\':
			dst, i = appendCleanEscape(dst, raw, i)
		default:
			dst, i = appendCleanRune(dst, raw, i)
		}
	}
	return dst, i
}

func appendCleanRune(dst, raw []byte, i int) ([]byte, int) {
	r, size := utf8.DecodeRune(raw[i:])
	switch {
	case r == utf8.RuneError && size == 1:
		return append(dst, "\ufffd"...), i + 1
	case r == '\u2028':
		return append(dst, `\u2028`...), i + size
	case r == '\u2029':
		return append(dst, `\u2029`...), i + size
	}
	return append(dst, raw[i:i+size]...), i + size
}

// appendCleanEscape appends the escape that begins at raw[i], or a whole surrogate pair.
func appendCleanEscape(dst, raw []byte, i int) ([]byte, int) {
	n := escapeLen(raw[i:])
	if n == len(`\u0000`) && isSurrogate(raw[i:]) {
		return append(dst, `\ufffd`...), i + n
	}
	return append(dst, raw[i:i+n]...), i + n
}

// escapeLen returns the length of the escape that s begins with; a surrogate pair counts as one.
func escapeLen(s []byte) int {
	const short, long = len(`\n`), len(`\u0000`)
	switch {
	case len(s) < short:
		return len(s)
	case s[1] != 'u':
		return short
	case len(s) < long:
		return len(s)
	case isHigh(s) && len(s) >= 2*long && s[long] == '\\' && s[long+1] == 'u' && isLow(s[long:]):
		return 2 * long
	}
	return long
}

// The escapes of surrogates, which have four hexadecimal digits, are \uD800 to \uDFFF, the high half of a pair below \uDC00.
func isSurrogate(s []byte) bool { return isHigh(s) || isLow(s) }
func isHigh(s []byte) bool      { return s[2]|0x20 == 'd' && (s[3] == '8' || s[3] == '9' || isAB(s[3])) }
func isLow(s []byte) bool       { return s[2]|0x20 == 'd' && s[3]|0x20 >= 'c' }
func isAB(c byte) bool          { return c|0x20 == 'a' || c|0x20 == 'b' }
