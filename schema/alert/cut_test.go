package alert

import (
	"encoding/json"
	"strings"
	"testing"
)

// A JSON string is cut to the limit wherever that is: between two characters, of any kind, and at the last place that fits.
func TestCutRaw(t *testing.T) {
	parts := []string{`a`, `\"`, `b`, `c`, `\u00e9`, `é`, `d`, `日`, `\\`, `e`, `😀`, `f`}
	raw := `"` + strings.Join(parts, "") + `"`
	for limit := 2; limit < len(raw); limit++ {
		want := `"`
		for _, part := range parts {
			if len(want)+len(part)+1 > limit {
				break
			}
			want += part
		}
		if got := string(cutRaw(json.RawMessage(raw), limit)); got != want+`"` {
			t.Errorf("to %d bytes: got %s, want %s", limit, got, want+`"`)
		}
	}
	if got := cutRaw(json.RawMessage(`17`), 1); got != nil {
		t.Errorf("a number is cut to %s", got)
	}
}
