package nearest

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	f := func(name, want string, candidates ...string) {
		t.Helper()
		if got := Of(name, candidates); got != want {
			t.Errorf("Of(%q, %q) = %q, want %q", name, candidates, got, want)
		}
	}
	names := []string{"group", "alert-topic", "input-topic", "input-topic-pattern", "start"}
	f("groups", "group", names...)
	f("gruop", "group", names...) // one swap
	f("Alert_Topic", "alert-topic", names...)
	f("input", "input-topic", names...)
	f("topic", "", names...)
	f("", "", names...)
	f("in", "", names...)
	f("ale", "alert-topic", names...)
	f("id", "", "ou")
	f("o", "", "ou")
	f("uo", "", "ou") // two edits of two letters
	f("stat", "start", names...)
	f("zzzzzz", "", names...)
	f("a/prd", "a/prod", "a", "a/prod") // what it begins with counts for less than a typo
	f("group", "", []string{}...)
	f(strings.Repeat("group", 1000), "", names...)
}
