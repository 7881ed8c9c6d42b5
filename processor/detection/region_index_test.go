package detection

import (
	"fmt"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// A code is found in whatever way it is written, and nothing that differs in one byte, or in length, is taken for it.
func TestFindRegion(t *testing.T) {
	f := func(text string, want *regionEntry) {
		t.Helper()
		if got := findRegion(cloudtrail.Value(text)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	for _, r := range catalogue {
		entry := regionEntries[r.Code]
		f(`"`+r.Code+`"`, entry)
		f(`"`+strings.ReplaceAll(r.Code, "-", `\u002d`)+`"`, entry)
		f(`"`+r.Code+`-"`, nil)
		f(`"`+strings.ToUpper(r.Code)+`"`, nil)
		f(r.Code, nil)
		for i := range r.Code {
			text := r.Code[:i] + string(r.Code[i]^1) + r.Code[i+1:]
			f(fmt.Sprintf("%q", text), regionEntries[text])
			f(fmt.Sprintf("%q", r.Code[:i]), nil)
		}
	}
	for _, text := range []string{``, `""`, `"x"`, `null`, `7`, `"` + strings.Repeat("us-east-1", 100) + `"`} {
		f(text, nil)
	}
}
