// Package plain writes text and figures for people, on terminals, in logs and on pages. Text from outside comes out as
// text: it cannot move a cursor, change the direction of what stands around it, or hide.
package display

import (
	"strconv"
	"strings"
	"unicode"
)

// Text returns text from outside as it may be shown: whatever is no printable character, line breaks included, is
// written as a Go escape, and so is what is printable by name and shows nothing. Invalid UTF-8 becomes U+FFFD.
func Text(text string) string {
	if !strings.ContainsFunc(text, IsHidden) && strings.ToValidUTF8(text, "") == text {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !unicode.IsPrint(r):
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		case IsHidden(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// IsHidden reports whether a character is none that shows as itself: control and format characters (marks of direction,
// zero width, tags), line and paragraph ends, what is unassigned or private, and the fillers and variation selectors that
// Unicode calls letters and marks but tells renderers to ignore (Default_Ignorable_Code_Point).
func IsHidden(r rune) bool {
	return !unicode.IsPrint(r) || r >= 0x34f && unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Cut returns Text of at most limit characters; what was cut is an ellipsis. It reads no more of a long text than it
// needs.
func Cut(text string, limit int) string {
	const widest = 4 // bytes of a character
	long := len(text) > widest*limit
	if long {
		text = strings.ToValidUTF8(text[:widest*limit], "")
	}
	text = Text(text)
	n := 0
	for i := range text {
		if n++; n > limit {
			return text[:i] + "…"
		}
	}
	if long {
		text += "…"
	}
	return text
}

// Number writes a number with commas between thousands.
func Number(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
