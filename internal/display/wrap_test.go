package display

import (
	"slices"
	"testing"
)

func TestWrap(t *testing.T) {
	f := func(line string, width int, want ...string) {
		t.Helper()
		if got := Wrap(line, width); !slices.Equal(got, want) {
			t.Errorf("Wrap(%q, %d) = %q, want %q", line, width, got, want)
		}
	}
	f("", 4, "")
	f("one two three", 20, "one two three")
	f("one two three", 9, "one two", "three")
	f("one two three", 5, "one", "two", "three")
	f("  kafka-console", 5, "  kafka-console")
	f("  kafka-console --from-beginning", 20, "  kafka-console", "--from-beginning")
}

func TestHang(t *testing.T) {
	f := func(width int, indent, want string) {
		t.Helper()
		if got := Hang("twenty columns here, then more", width, indent); got != want {
			t.Errorf("Hang to %d behind %q = %q, want %q", width, indent, got, want)
		}
	}
	f(0, "  ", "twenty columns here, then more")
	f(24, "    ", "twenty columns here,\n    then more")
	f(40, "    ", "twenty columns here, then more")
	// Guard: leastRoom. Without it every word has a line of its own.
	f(8, "    ", "twenty columns here,\n    then more")
}
