package alert

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppendCleanSuccess(t *testing.T) {
	f := func(raw, want string) {
		t.Helper()
		got, omitted := AppendClean([]byte("before "), []byte(raw))
		if omitted != "" || string(got) != "before "+want {
			t.Errorf("AppendClean(%q) = %q, %q, want %q", raw, got, omitted, "before "+want)
		}
	}
	f(`"plain"`, `"plain"`)
	f("{\n\t\"a\" : [ 1 ,\r 2 ] }", `{"a":[1,2]}`)
	f(`"white  space stays"`, `"white  space stays"`)
	f(`12345678901234567890.10e+400`, `12345678901234567890.10e+400`)
	f(`[-0,0.000,1E9]`, `[-0,0.000,1E9]`)
	f(`[true,false,null]`, `[true,false,null]`)
	f(`"\"\\\/\b\f\n\r\t\u00e9"`, `"\"\\\/\b\f\n\r\t\u00e9"`)
	f(`"é€😀"`, `"é€😀"`)
	f("\"a\xffb\xc3\"", "\"a\ufffdb\ufffd\"")
	f("\"\xc0\xaf\"", "\"\ufffd\ufffd\"")           // overlong
	f("\"\xed\xa0\x80\"", "\"\ufffd\ufffd\ufffd\"") // a surrogate in UTF-8
	f(`"\ud83d\ude00"`, `"\ud83d\ude00"`)
	f(`"\ud83d"`, `"\ufffd"`)
	f(`"\uDE00\uD83D"`, `"\ufffd\ufffd"`)
	f(`"\ud83d\n\ud83d\u0041"`, `"\ufffd\n\ufffd\u0041"`)
	f(`"\ud83d\ud83d\ude00"`, `"\ufffd\ud83d\ude00"`)
	f(`"\\ud800"`, `"\\ud800"`)
	f("\"\u2028\u2029\"", `"\u2028\u2029"`)
	f("{\"\xff\":1}", "{\"\ufffd\":1}")
	f(`{"[{":"}]"}`, `{"[{":"}]"}`)
	f(strings.Repeat("9", MaxNumber), strings.Repeat("9", MaxNumber))
	f(`"\uDA00"`, `"\ufffd"`)
	f(`"\uda00\uDA00"`, `"\ufffd\ufffd"`)
	f(`"\uDBFF\uDFFF"`, `"\uDBFF\uDFFF"`)
	f(`"\uDFFF\uDBFF"`, `"\ufffd\ufffd"`)
	f(`"\uDFFF\udc00\uDC00"`, `"\ufffd\ufffd\ufffd"`)
	f(`"\ud83d\udc00"`, `"\ud83d\udc00"`)
	f(`"\ud7ff\ue000\u0c00"`, `"\ud7ff\ue000\u0c00"`)
	for _, high := range []string{`\uD8bc`, `\ud9cb`, `\uDA08`, `\udBcc`} {
		f(`"`+high+`"`, `"\ufffd"`)
		f(`"`+high+`\uDC01"`, `"`+high+`\uDC01"`)
	}
	f(`"\ud780\uD798\uD7ab\ud7bC"`, `"\ud780\uD798\uD7ab\ud7bC"`) // below all surrogates
	f(`"\ud83d\uDB00\uDBFF\udb00"`, `"\ufffd\ufffd\ufffd\ufffd"`)
	f(`"\ud83dxude00x"`, `"\ufffdxude00x"`)
	f(`"\ud83d\nde00xx"`, `"\ufffd\nde00xx"`)
	f("\"\x80\"", "\"\ufffd\"")
	f("["+strings.Repeat("[],", 2*MaxDepth)+"{}]", "["+strings.Repeat("[],", 2*MaxDepth)+"{}]")
	f(strings.Repeat("[", MaxDepth)+strings.Repeat("]", MaxDepth), strings.Repeat("[", MaxDepth)+strings.Repeat("]", MaxDepth))
}

// A string that is cut, which no value of an event should have, ends with the input.
func TestAppendCleanOfACutString(t *testing.T) {
	for _, cut := range []string{`"`, `"abc`, "\"ab\x80"} {
		if got, _ := AppendClean(nil, []byte(cut)); len(got) == 0 {
			t.Errorf("%q: nothing", cut)
		}
	}
}

func TestAppendCleanFailure(t *testing.T) {
	for _, depth := range []int{MaxDepth + 1, 1_000_000} {
		for _, open := range []string{"[", `{"a":`} {
			raw := []byte(strings.Repeat(open, depth))
			if got, omitted := AppendClean([]byte("before "), raw); omitted != OmittedDepth || string(got) != "before " {
				t.Errorf("AppendClean of depth %d = %.40q, %q, want what was there", depth, got, omitted)
			}
		}
	}
	digits := strings.Repeat("9", MaxNumber) // no part of a longer number may count alone
	for _, number := range []string{
		digits + "9", "-" + digits, "1e" + digits, "1" + strings.Repeat("0", MaxNumber), "1." + digits[1:], "1E+" + digits[2:],
		"1e-" + digits[2:],
	} {
		raw := []byte(`{"a":[1,` + number + `]}`)
		if got, omitted := AppendClean([]byte("before "), raw); omitted != OmittedNumber || string(got) != "before " {
			t.Errorf("AppendClean of a number of %d bytes = %.40q, %q", len(number), got, omitted)
		}
	}
}

// FuzzAppendClean holds AppendClean against encoding/json: the clean value is valid, on one line, in UTF-8,
// and it decodes to the same.
func FuzzAppendClean(f *testing.F) {
	for _, s := range []string{
		`{"a": [1, "\ud800", "é"], "b": null}`, "\"\xff\xed\xa0\x80\"", `"\uD83D\uDE00\ud83d"`, `[[[]]]`, "\"\u2028\"",
		"{\"\xff\":1,\"\xfe\":2}", `1e400`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		got, omitted := AppendClean(nil, raw)
		if omitted != "" {
			if omitted == OmittedNumber && len(raw) <= MaxNumber || omitted == OmittedDepth && bytes.Count(raw, []byte("["))+bytes.Count(raw, []byte("{")) <= MaxDepth {
				t.Fatalf("AppendClean(%q) omits it: %s", raw, omitted)
			}
			return
		}
		if !utf8.Valid(got) || !json.Valid(got) || bytes.ContainsAny(got, "\n\r\u2028\u2029") {
			t.Fatalf("AppendClean(%q) = %q, which is not clean", raw, got)
		}
		if want := decode(t, raw); !reflect.DeepEqual(decode(t, got), want) {
			t.Fatalf("AppendClean(%q) = %q, which means something else", raw, got)
		}
		if again, _ := AppendClean(nil, got); !bytes.Equal(again, got) {
			t.Fatalf("AppendClean(%q) = %q, want what is clean to stay", got, again)
		}
	})
}

// decode decodes with every digit.
func decode(t *testing.T, raw []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decoding %q: %v", raw, err)
	}
	return v
}
