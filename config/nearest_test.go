package config

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	f := func(name, want string, candidates ...string) {
		t.Helper()
		if got := Nearest(name, candidates); got != want {
			t.Errorf("Nearest(%q, %q) = %q, want %q", name, candidates, got, want)
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
	f("stat", "start", names...)
	f("zzzzzz", "", names...)
	f("group", "", []string{}...)
	f(strings.Repeat("group", 1000), "", names...)
}
