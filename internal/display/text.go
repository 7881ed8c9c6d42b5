// Package display formats text, figures and tables for people, on terminals, in logs and on pages. Untrusted text stays
// text: it cannot move a cursor, change the direction of surrounding text, or hide.
//
// Tables are laid out here and not by a library: a scan prints rows as they arrive, which table libraries cannot do, and
// the rest (character widths, from rivo/uniseg, and four colours) is shorter than their setup.
package display

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
)

// Text makes untrusted text safe to display. It replaces characters that do not print as themselves, including line
// breaks, by Go escapes, and invalid UTF-8 by U+FFFD.
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

// IsHidden reports whether a character does not print as itself: control and format characters (direction marks, zero
// width, tags), line and paragraph separators, unassigned and private-use characters, and the fillers and variation
// selectors that Unicode classifies as letters and marks but tells renderers to ignore (Default_Ignorable_Code_Point).
func IsHidden(r rune) bool {
	return !unicode.IsPrint(r) || r >= 0x34f && unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Cut returns [Text] of at most limit characters. An ellipsis replaces the rest. It reads only as much of a long text as
// it needs.
func Cut(text string, limit int) string {
	const widest = 4 // bytes per character
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

// Bytes formats bytes in ASCII so that each stays recognizable: with Go escapes, except for quotes, which are common in
// JSON.
func Bytes(b []byte) string {
	quoted := strconv.QuoteToASCII(string(b))
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// JSON returns a JSON value as text: the content of a string, else the JSON itself. The result is not escaped for display.
func JSON(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
}
