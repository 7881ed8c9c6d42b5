// Package display writes text, figures and tables for people, on terminals, in logs and on pages. Text from outside
// stays text: it cannot move a cursor, change the direction of what surrounds it, or hide.
//
// Tables are laid out here rather than by a library: rows of a scan are printed as they come, which table libraries
// cannot do, and what remains (widths of characters, from rivo/uniseg, and four colours) is shorter than their set-up.
package display

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
)

// Text makes text from outside safe to show. Characters that do not print as themselves, line breaks included, become
// Go escapes. Invalid UTF-8 becomes U+FFFD.
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

// IsHidden reports whether a character does not print as itself: control and format characters (marks of direction, zero
// width, tags), line and paragraph ends, unassigned and private characters, and the fillers and variation selectors that
// Unicode calls letters and marks but tells renderers to ignore (Default_Ignorable_Code_Point).
func IsHidden(r rune) bool {
	return !unicode.IsPrint(r) || r >= 0x34f && unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Cut returns [Text] of at most limit characters; an ellipsis stands for the rest. Of a long text it reads only what it
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

// Bytes shows bytes in ASCII, each of them recognizable: with Go's escapes, except for quotes, which JSON is full of.
func Bytes(b []byte) string {
	quoted := strconv.QuoteToASCII(string(b))
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// JSON returns a JSON value as text: the content of a string, else the JSON itself. It is not yet safe to show.
func JSON(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
}
