package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestValueText(t *testing.T) {
	f := func(value, want string) {
		t.Helper()
		if got := Value(value).Text(); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
		if got := string(Value(value).AppendText([]byte("x"))); got != "x"+want {
			t.Errorf("%q: appended to x: got %q", value, got)
		}
		if Value(value).IsString() != Value(value).EqualString(want) {
			t.Errorf("%q does not equal %q", value, want)
		}
		if want := value == "" || value == "null"; Value(value).IsNull() != want {
			t.Errorf("%q is null: %t", value, !want)
		}
		for _, other := range []string{want + "x", "x" + want, strings.ToUpper(want) + "É"} {
			if Value(value).EqualString(other) {
				t.Errorf("%q equals %q", value, other)
			}
		}
	}
	f(``, "")
	f(`""`, "")
	f(`"eu-central-1"`, "eu-central-1")
	f(`"eu\u002dcentral\u002D1"`, "eu-central-1")
	f(`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t")
	f(`"日本\u8a9e"`, "日本語")
	f(`"\ud83d\ude00"`, "😀")
	f(`"\ud83d"`, "\ufffd")
	f(`"\ude00x"`, "\ufffdx")
	f(`"\ud83d\ud83d\ude00"`, "\ufffd😀")
	f(`"\ud83d\u0041"`, "\ufffdA")
	f(`"a\u0000b"`, "a\x00b")
	f(`"\u0000"`, "\x00")
	f(`"\uDA00"`, "\ufffd")
	f(`"\uDA00\uDA00\uDFFF"`, "\ufffd\U000903ff")
	f(`"\uDBFF\uDFFF"`, "\U0010ffff")
	f(`"\uDFFF\uDBFF"`, "\ufffd\ufffd")
	f("\"a\xffb\"", "a\ufffdb")
	f("\"\xe2\x82\"", "\ufffd\ufffd")
	f("\"\xed\xa0\x80\"", "\ufffd\ufffd\ufffd")
	f(`"\ufffd"`, "\ufffd")
	f(`"\u"`, "\ufffd") // what no decoder lets through does no harm
	f(`"\u12"`, "\ufffd12")
	f(`null`, "null")
	f(`{"a":"é\n"}`, `{"a":"é\n"}`)
	f("[\"\xff\"]", "[\"\ufffd\"]")
}

func TestValueEqualStringFailure(t *testing.T) {
	f := func(value, text string) {
		t.Helper()
		if Value(value).EqualString(text) {
			t.Errorf("%q equals %q", value, text)
		}
	}
	f(``, "")
	f(`"`, "")
	f(`null`, "null")
	f(`null`, "")
	f(`12`, "12")
	f(`"a"`, "")
	f(`""`, "a")
	f(`"\\u0061"`, "a")
	f(`"a\nb"`, `a\nb`)
	f("\"\xff\"", "\xff") // the text is no UTF-8, what the value decodes to always is
	f(`"\ufffd"`, "\xff")
	f(`"eu-central-1"`, "EU-CENTRAL-1")
}

func TestValueAllocates(t *testing.T) {
	values := []Value{Value(`"eu-central-1"`), Value(`"eu\u002dcentral\u002d1"`), Value("\"é\xff\"")}
	buf := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		for _, v := range values {
			_ = v.EqualString("eu-central-1")
			buf = v.AppendText(buf[:0])
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// FuzzValue holds the decoding of strings against encoding/json, and must read any bytes without harm.
func FuzzValue(f *testing.F) {
	f.Add([]byte(`"\ud83d\ude00\ud800é\n\u0061"`), "x")
	f.Add([]byte("\"\xff\xc0\x80\""), "\ufffd")
	f.Add([]byte(`"\`), "")
	f.Add([]byte(`"\u12"`), "\xff")
	f.Fuzz(func(t *testing.T, value []byte, other string) {
		v := Value(value)
		text := v.Text()
		if !utf8.ValidString(text) {
			t.Fatalf("%q: %q is no UTF-8", value, text)
		}
		if v.IsString() && (!v.EqualString(text) || v.EqualString(other) != (other == text)) {
			t.Fatalf("%q: equals %q: %v, %q: %v", value, text, v.EqualString(text), other, v.EqualString(other))
		}
		var want string
		if json.Unmarshal(value, &want) == nil && len(value) > 0 && value[0] == '"' && value[len(value)-1] == '"' && text != want {
			t.Fatalf("%q: got %q, want %q", value, text, want)
		}
	})
}
