package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
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
	if _, err := parseHeader(""); err == nil {
		t.Error("an empty header is allowed")
	}
	if _, err := parseCommand("a\x07b"); err == nil {
		t.Error("a command with a bell is allowed")
	}
	for word, want := range map[string]int{
		"1Ki": 1024, "1125899906842624": maxSize, "-1125899906842624": -maxSize, "1048576 GiB": maxSize,
		"1125899906842625": 0, "-1125899906842625": 0, "1048577GiB": 0, "-1048577GiB": 0, "9223372036854775807G": 0, "1 KiB B": 0,
	} {
		if got, err := parseSize(word); err == nil && got != want || (err == nil) != (want != 0) {
			t.Errorf("%s: %d, %v", word, got, err)
		}
	}
}

// What may be a secret is hidden wherever it begins.
func TestHidden(t *testing.T) {
	for in, want := range map[string]string{"": "", "a": "a", "?a": "?(hidden)", "#a": "#(hidden)", "?a@b": "(hidden)"} {
		if got := withoutQuery(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{"": "", "a": "a", "@a": "(hidden)@a", "a@b@c": "(hidden)@c"} {
		if got := withoutUser(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// What commands ask of the table.
func TestTableRows(t *testing.T) {
	if got := Lookup("delivery").Choices; !slices.Equal(got, []string{AtLeastOnce, ExactlyOnce}) {
		t.Errorf("choices of delivery: %q", got)
	}
	if !Lookup("incident-topic").OfIncidents() || Lookup("alert-topic").OfIncidents() {
		t.Error("the section of a setting is another one")
	}
	if got := Lookup("sasl-password").Flag() + Lookup("config").Key(); got != "" {
		t.Errorf("a secret has a flag, or the file names itself: %s", got)
	}
	for name, parse := range map[string]func(string) (string, error){"instance-id": parseInstanceID, "page-address": parseOptionalListen} {
		if word, err := parse(""); word != "" || err != nil {
			t.Errorf("%s cannot be empty: %q, %v", name, word, err)
		}
	}
	if names := Reach(); names[0] != "brokers" || slices.Contains(names, "") || len(names) != len(reach) {
		t.Errorf("%q", names)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(flags, "group")
	n := 0
	flags.VisitAll(func(*pflag.Flag) { n++ })
	if n != 1 || flags.Lookup("group") == nil {
		t.Errorf("%d flags, want the one that is named", n)
	}
	if got := markdownRow(&Setting{Name: "x", Help: "a|b"}); !strings.Contains(got, `a\|b`) {
		t.Errorf("a bar divides the cell: %s", got)
	}
}
