package explain

import (
	"strings"
	"testing"
)

func TestParsePlace(t *testing.T) {
	f := func(text string, want Place, ok bool) {
		t.Helper()
		if got, gotOK := ParsePlace(text); gotOK != ok || ok && got != want {
			t.Errorf("%q: %+v, %t", text, got, gotOK)
		}
	}
	f("a.b_c-d:3:42", Place{"a.b_c-d", 3, 42}, true)
	f("a:0:9223372036854775807", Place{"a", 0, 1<<63 - 1}, true)
	longest := strings.Repeat("x", 249)
	f(longest+":0:1", Place{longest, 0, 1}, true)
	for _, text := range []string{longest + "x:0:1", "", "a", "a:1", "a:1:", ":1:2", "a:b:2", "a:1:-2", "a:1:2:3", "C:\\a:1:2", "a:3000000000:1", "a:1:9223372036854775808"} {
		f(text, Place{}, false)
	}
}
