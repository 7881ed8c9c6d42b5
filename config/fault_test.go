package config

import (
	"strings"
	"testing"
)

// A fault shows a text of exactly the length allowed whole, and of a longer one so much. Only a plain name stands without
// quotes: no other text reaches a terminal as it is.
func TestQuote(t *testing.T) {
	text := strings.Repeat("x", maxShown)
	for in, want := range map[string]string{text: text, text + "x": `"` + text + `"…`, "": `""`, "a b": `"a b"`, "a\x1b[2J": `"a\x1b[2J"`, "a:b": `"a:b"`} {
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

// Words that no setting takes.
func TestParseFailure(t *testing.T) {
	if _, err := parseKafkaName("", maxInstanceID); err == nil {
		t.Error("an empty name is allowed")
	}
	if _, err := parsePath("a\x00b"); err == nil {
		t.Error("a path with a zero byte is allowed")
	}
}
