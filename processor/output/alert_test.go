package output

import (
	"strings"
	"testing"
)

func TestAccountKey(t *testing.T) {
	t.Parallel()
	f := func(raw, want string) {
		t.Helper()
		if got := accountKey([]byte(raw)); string(got) != want || (want == "") != (got == nil) {
			t.Errorf("accountKey(%s) = %q, want %q", raw, got, want)
		}
	}
	f(`"123456789012"`, "123456789012")
	f(`"\u0031\u0032"`, "12")
	f(`123456789012`, "123456789012")
	f(``, "")
	f(`""`, "")
	f(`"`+strings.Repeat("1", maxKeyBytes)+`"`, "")
}
