package config

import (
	"strings"
	"testing"
)

// A fault shows a text of exactly the length allowed whole, and of a longer one so much.
func TestQuote(t *testing.T) {
	text := strings.Repeat("x", maxShown)
	for in, want := range map[string]string{text: text, text + "x": `"` + text + `"…`, "": `""`, "a b": `"a b"`} {
		if got := quoteName(in); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for in, want := range map[string]string{text: `"` + text + `"`, text + "x": `"` + text + `"…`} {
		if got := quote(in); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
