package cli

import (
	"math"
	"testing"
)

func TestNumber(t *testing.T) {
	f := func(text string, want int64, ok bool) {
		t.Helper()
		n := NewNumber("5", 2, 3_000)
		if err := n.Set(text); (err == nil) != ok || ok && n.Value != want {
			t.Errorf("%q: %d, %v", text, n.Value, err)
		}
	}
	f("2", 2, true)
	f("1", 0, false)
	f("3000", 3_000, true)
	f("3001", 0, false)
	f("3,000", 3_000, true)
	f("3k", 3_000, true)
	f("1M", 0, false)
	f("", 0, false)
	f("k", 0, false)
	f("18446744073709551k", 0, false)

	n := NewNumber("0", 0, math.MaxInt64)
	for text, ok := range map[string]bool{"9223372036G": true, "9223372037G": false, "9223372036854775807": true, "9223372036854775808": false} {
		if err := n.Set(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestShare(t *testing.T) {
	for text, ok := range map[string]bool{"0": true, "1": true, "0.5": true, "-0.1": false, "1.1": false, "NaN": false, "half": false} {
		if err := NewShare("0").Set(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
