package incident

import (
	"fmt"
	"strings"
	"testing"
)

// Shared texts are one copy, long ones are not kept, and there are never more than maxNames.
func TestNames(t *testing.T) {
	n := names{}
	long := strings.Repeat("x", longName)
	if n.of(long) != long || len(n) != 0 {
		t.Errorf("%d names, the long one among them", len(n))
	}
	if n.of(long[1:]) != long[1:] || len(n) != 1 {
		t.Errorf("%d names, want the shorter one", len(n))
	}
	for i := range maxNames - 1 {
		if s := fmt.Sprint(i); n.of(s) != s || n[s] != s {
			t.Fatalf("%s is another text", s)
		}
	}
	if len(n) != maxNames {
		t.Errorf("%d names, want %d", len(n), maxNames)
	}
	if n.of("one more"); len(n) != 1 {
		t.Errorf("%d names after they are full, want 1", len(n))
	}
}
