package display

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := Text(text); got != want {
			t.Errorf("Text(%q) = %q, want %q", text, got, want)
		}
	}
	f("", "")
	f("Grüße 東京 שלום", "Grüße 東京 שלום")
	f("a\x1b[2Jb\n\u202e", `a\x1b[2Jb\n\u202e`)
	f("\x1b]8;;http://x\x07y\x1b]52;c;eA==\x1b\\", `\x1b]8;;http://x\ay\x1b]52;c;eA==\x1b\`)
	f("\u009b2J\u0085\u2028\u2029", `\u009b2J\u0085\u2028\u2029`)
	f("\b\r\t\x00\x7f", `\b\r\t\x00\x7f`)
	f("\u200b\u200f\u2066\u061c\ufeff\u00ad\U000e0041", `\u200b\u200f\u2066\u061c\ufeff\u00ad\U000e0041`)
	f("a\u3164b\u115f\ufe0f\u034f\U000e0100", `a\u3164b\u115f\ufe0f\u034f\U000e0100`)
	f("a\xffb", "a\ufffdb")
}

func TestCut(t *testing.T) {
	f := func(text string, limit int, want string) {
		t.Helper()
		if got := Cut(text, limit); got != want {
			t.Errorf("Cut(%.20q, %d) = %q, want %q", text, limit, got, want)
		}
	}
	f("", 3, "")
	f("abc", 3, "abc")
	f("abcd", 3, "abc…")
	f("äöü", 3, "äöü")
	f("äöü\x00", 5, `äöü\x…`)
	f(strings.Repeat("日", 1<<20), 2, "日日…")
	f(strings.Repeat("\x1b", 1<<20), 4, `\x1b…`)
	f("a"+strings.Repeat("\xff", 100), 4, "a…")
}

func TestNumber(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", 1 << 63: "9,223,372,036,854,775,808"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %s, want %s", n, got, want)
		}
	}
}

// For any input, the output prints as itself and is no longer than the limit.
func FuzzText(f *testing.F) {
	f.Add("a\x1b]0;b\a\x9b2J\u202ec\u200b\U000e0001\r\nd\xff", 3)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = max(min(limit, 1000), -limit%1000, 0)
		for _, got := range []string{Text(text), Cut(text, limit)} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, IsHidden) {
				t.Errorf("%q is not plain", got)
			}
		}
		if n := utf8.RuneCountInString(Cut(text, limit)); n > limit+1 {
			t.Errorf("%d characters, want at most %d", n, limit+1)
		}
	})
}

// Memory is bounded, for any number and length of names.
func TestCounter(t *testing.T) {
	var c, twice Counter
	for i := range maxNames + 5 {
		c.Add(fmt.Sprint(i, strings.Repeat("x", 2*maxNameBytes)))
	}
	seven := fmt.Sprint(7, strings.Repeat("x", maxNameBytes-1))
	c.Add(seven)
	top, others := c.Top(1)
	if len(top) != 1 || top[0] != (Count{seven, 2}) || others != maxNames-1+5 || c.Others != 5 || c.Len() != maxNames {
		t.Errorf("%v, others %d, %d names", top, others, c.Len())
	}
	twice.Merge(&c)
	twice.Merge(&c)
	if top := twice.Most(); top[0] != (Count{seven, 4}) || len(top) != maxNames || twice.Others != 10 {
		t.Errorf("%v, others %d", top[0], twice.Others)
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"0 alerts": Plural(0, "alert"), "1 alert": Plural(1, "alert"), "1,234 policies": Plural(1234, "policy"), "2 matches": Plural(2, "match"), "2 keys": Plural(2, "key"), "2 days": Plural(2, "day"),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestFit(t *testing.T) {
	f := func(text string, width int, want string) {
		t.Helper()
		if got := Fit(text, width); got != want || Width(got) != width {
			t.Errorf("Fit(%q, %d) = %q of width %d, want %q", text, width, got, Width(got), want)
		}
	}
	f("", 3, "   ")
	f("abc", 3, "abc")
	f("abcd", 3, "ab…")
	f("日本", 4, "日本")
	f("日本語", 4, "日… ")
	f("日本語", 5, "日本…")
	f("e\u0301a", 2, "e\u0301a")
}
