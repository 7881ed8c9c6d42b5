package alert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestShrinkDropsTheEventFirst(t *testing.T) { eachFormat(t, testShrinkDropsTheEventFirst) }

func testShrinkDropsTheEventFirst(t *testing.T, format Format) {
	a := sampleAlert()
	a.Event = json.RawMessage(`{"x":"` + strings.Repeat("x", 64<<10) + `"}`)
	got := shrink(t, format, a, 64<<10)
	if got.Event != nil || got.EventOmitted != OmittedSize || got.Truncated != nil {
		t.Errorf("event %d bytes, eventOmitted %q, truncated %q", len(got.Event), got.EventOmitted, got.Truncated)
	}
	if string(got.UserIdentity) != string(a.UserIdentity) || string(got.UserAgent) != string(a.UserAgent) {
		t.Error("more than the event was cut")
	}
}

func TestShrinkCutsWhatIsLong(t *testing.T) { eachFormat(t, testShrinkCutsWhatIsLong) }

func testShrinkCutsWhatIsLong(t *testing.T, format Format) {
	a := sampleAlert()
	a.UserAgent = json.RawMessage(`"` + strings.Repeat("é", 500_000) + `"`)
	a.UserIdentity = json.RawMessage(`{"x":"` + strings.Repeat("x", 500_000) + `"}`)
	got := shrink(t, format, a, 64<<10)
	if want := []string{"userAgent", "userIdentity"}; !slices.Equal(got.Truncated, want) {
		t.Errorf("truncated %q, want %q", got.Truncated, want)
	}
	if n := len(got.UserAgent); n < 16<<10-8 || n > 16<<10 {
		t.Errorf("userAgent has %d bytes, want all that is allowed", n)
	}
	if got.UserIdentity != nil || got.EventOmitted != OmittedSize {
		t.Errorf("userIdentity %.20s, eventOmitted %q", got.UserIdentity, got.EventOmitted)
	}
}

func TestShrinkLeavesAloneWhatFits(t *testing.T) { eachFormat(t, testShrinkLeavesAloneWhatFits) }

func testShrinkLeavesAloneWhatFits(t *testing.T, format Format) {
	encoded := format.Append(nil, sampleAlert())
	got, err := format.Shrink(encoded, 64<<10)
	if err != nil || !bytes.Equal(got, encoded) {
		t.Errorf("Shrink = %s, %v, want no change", got, err)
	}
}

// Values are cut in steps, and no further than needed.
func TestShrinkSteps(t *testing.T) { eachFormat(t, testShrinkSteps) }

func testShrinkSteps(t *testing.T, format Format) {
	long := json.RawMessage(`"` + strings.Repeat("x", 100_000) + `"`)
	for _, c := range []struct{ limit, maxBytes int }{{16 << 10, 64 << 10}, {4 << 10, 24 << 10}, {1 << 10, MinBytes}} {
		a := sampleAlert()
		a.Event, a.UserAgent, a.SourceIPAddress, a.ErrorCode = nil, long, long, long
		got := shrink(t, format, a, c.maxBytes)
		if n := len(got.UserAgent); n > c.limit || n < c.limit-8 {
			t.Errorf("to %d bytes: userAgent has %d bytes, want %d", c.maxBytes, n, c.limit)
		}
	}
}

// An alert of exactly as many bytes as are allowed stays as it is.
func TestShrinkAtTheLimit(t *testing.T) { eachFormat(t, testShrinkAtTheLimit) }

func testShrinkAtTheLimit(t *testing.T, format Format) {
	a := sampleAlert()
	a.Event = json.RawMessage(`{"x":"` + strings.Repeat("x", 2*MinBytes) + `"}`)
	encoded := format.Append(nil, a)
	if got, err := format.Shrink(encoded, len(encoded)); err != nil || !bytes.Equal(got, encoded) {
		t.Errorf("%d bytes of %d, %v", len(got), len(encoded), err)
	}
	if got, err := format.Shrink(encoded, len(encoded)-1); err != nil || len(got) >= len(encoded) {
		t.Errorf("one byte less: %d bytes of %d, %v", len(got), len(encoded), err)
	}
	// The same where values are cut: what fits exactly is not cut further.
	a.Event, a.UserAgent = nil, json.RawMessage(`"`+strings.Repeat("x", 100_000)+`"`)
	cut, err := format.Shrink(format.Append(nil, a), 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := format.Shrink(format.Append(nil, a), len(cut)); err != nil || !bytes.Equal(again, cut) {
		t.Errorf("%d bytes, want %d, %v", len(again), len(cut), err)
	}
}

// Every alert comes down to MinBytes, whatever is in it, and stays valid.
func TestShrinkReachesEveryBound(t *testing.T) { eachFormat(t, testShrinkReachesEveryBound) }

func testShrinkReachesEveryBound(t *testing.T, format Format) {
	worst := strings.Repeat("\x01", 4_000)
	for _, unit := range []string{"x", "é", "😀", `\u00e9`, `\ud83d\ude00`, `\n`, `\\`, `\"`} {
		a := sampleAlert()
		raw := json.RawMessage(`"` + strings.Repeat(unit, 3_000) + `"`)
		for _, f := range a.rawFields() {
			*f.raw = raw
		}
		for _, f := range a.textFields() {
			*f.text = worst
		}
		a.UserIdentity = json.RawMessage(`[` + string(raw) + `]`)
		a.Event = json.RawMessage(`{"x":` + string(raw) + `}`)
		a.ARNs = nil
		for i := range 100 {
			a.ARNs = append(a.ARNs, fmt.Sprintf("arn:%d%s", i, worst[:1000]))
		}
		for _, limit := range []int{0, MinBytes, 16 << 10, 64 << 10, 1 << 20} {
			got := shrink(t, format, a, limit)
			if got.ID != a.ID || got.AWSRegion == nil {
				t.Errorf("%q at %d: id %q, awsRegion %q", unit, limit, got.ID, got.AWSRegion)
			}
		}
	}
}

// Below MinBytes nothing is cut that fits into MinBytes. The region keeps more than other values.
func TestShrinkNoFurtherThanMinBytes(t *testing.T) {
	a := sampleAlert()
	a.Event = nil
	for _, format := range []Format{Native, OCSF} {
		encoded := format.Append(nil, a)
		if got, err := format.Shrink(encoded, 1); err != nil || !bytes.Equal(got, encoded) {
			t.Errorf("%d bytes of %d, %v", len(got), len(encoded), err)
		}
	}
	if a.Title = strings.Repeat("x", MinBytes); a.Trim(1) {
		t.Error("a title of MinBytes is trimmed")
	}
	a.AWSRegion = json.RawMessage(`"` + strings.Repeat("x", 300) + `"`)
	if a.cut(16); len(a.AWSRegion) != 256 {
		t.Errorf("%d bytes of the region are left", len(a.AWSRegion))
	}
}

// What is cut is as long as allowed, and its name is in truncated. A value of exactly the limit stays.
func TestCutAtTheLimit(t *testing.T) {
	const limit = 1 << 10
	a := new(Alert)
	for name, n := range map[string]int{"": limit, "arns": limit + 1} {
		for _, f := range a.rawFields() {
			*f.raw = json.RawMessage(`"` + strings.Repeat("x", n-2) + `"`)
		}
		for _, f := range a.textFields() {
			*f.text = strings.Repeat("x", n)
		}
		a.ARNs, a.Truncated = []string{strings.Repeat("x", 4*limit), name[:min(len(name), 1)]}, nil
		a.cut(limit)
		var want []string
		for _, f := range a.rawFields() {
			if len(*f.raw) != limit {
				t.Errorf("%s has %d bytes", f.name, len(*f.raw))
			}
			want = append(want, f.name)
		}
		for _, f := range a.textFields() {
			if len(*f.text) != limit {
				t.Errorf("%s has %d bytes", f.name, len(*f.text))
			}
			want = append(want, f.name)
		}
		if want = append(want, name); name == "" {
			want = nil
		}
		slices.Sort(want)
		if slices.Sort(a.Truncated); !slices.Equal(a.Truncated, want) {
			t.Errorf("truncated %q, want %q", a.Truncated, want)
		}
	}
}

func TestCutText(t *testing.T) {
	f := func(s string, limit int, want string) {
		t.Helper()
		if got := CutText(s, limit); got != want {
			t.Errorf("CutText(%q, %d) = %q, want %q", s, limit, got, want)
		}
	}
	f("abc", 3, "abc")
	f("abc", 2, "ab")
	f("abc", 0, "")
	f("aé€😀", 10, "aé€😀")
	f("aé€😀", 9, "aé€")
	f("aé€😀", 6, "aé€")
	f("aé€😀", 5, "aé")
	f("aé€😀", 2, "a")
	f("😀", 3, "")
	f("\x80\x80\x80", 2, "") // what errors quote need not be UTF-8
}

// As many texts are kept as fit, up to exactly the limit.
func TestFitting(t *testing.T) {
	for limit, want := range []int{0, 0, 1, 2, 2, 3, 3} {
		if got := fitting([]string{"ab", "c", "de"}, limit); got != want {
			t.Errorf("%d bytes: %d texts, want %d", limit, got, want)
		}
	}
}

// Settings and what is logged name the formats.
func TestFormatString(t *testing.T) {
	if Native.String() != "native" || OCSF.String() != "ocsf" {
		t.Errorf("%s, %s", Native, OCSF)
	}
}

func TestShrinkFailure(t *testing.T) { eachFormat(t, testShrinkFailure) }

func testShrinkFailure(t *testing.T, format Format) {
	if _, err := format.Shrink([]byte(strings.Repeat("x", MinBytes+1)), MinBytes); err == nil || !strings.Contains(err.Error(), "shrinking alert") {
		t.Errorf("err = %v", err)
	}
}

// shrink checks what holds for every shrunk alert and returns it decoded.
func shrink(t *testing.T, format Format, a *Alert, maxBytes int) *Alert {
	t.Helper()
	got, err := format.Shrink(format.Append(nil, a), maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) > max(maxBytes, MinBytes) || !json.Valid(got) || !utf8.Valid(got) {
		t.Fatalf("Shrink to %d = %d bytes, valid JSON %t: %.200s", maxBytes, len(got), json.Valid(got), got)
	}
	b, err := format.Decode(got)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func eachFormat(t *testing.T, test func(*testing.T, Format)) {
	t.Helper()
	for _, format := range []Format{Native, OCSF} {
		t.Run(format.String(), func(t *testing.T) { test(t, format) })
	}
}

// Trim comes to what Shrink would, without encoding what is too large.
func TestTrim(t *testing.T) { eachFormat(t, testTrim) }

func testTrim(t *testing.T, format Format) {
	const limit = 64 << 10
	for name, change := range map[string]func(*Alert){
		"event":        func(a *Alert) { a.Event = json.RawMessage(`{"x":"` + strings.Repeat("x", limit) + `"}`) },
		"userIdentity": func(a *Alert) { a.UserIdentity = json.RawMessage(`{"x":"` + strings.Repeat("x", limit) + `"}`) },
		"userAgent":    func(a *Alert) { a.UserAgent = json.RawMessage(`"` + strings.Repeat("x", limit) + `"`) },
		"title":        func(a *Alert) { a.Title = strings.Repeat("x", limit+1) },
		"nothing":      func(*Alert) {},
	} {
		a, b := sampleAlert(), sampleAlert()
		change(a)
		change(b)
		if got := a.Trim(limit); got != (name != "nothing") {
			t.Errorf("%s: trimmed: %v", name, got)
		}
		want, err := format.Shrink(format.Append(nil, b), limit)
		if err != nil {
			t.Fatal(err)
		}
		if got := format.Append(nil, a); !bytes.Equal(got, want) {
			t.Errorf("%s:\ngot  %.300s\nwant %.300s", name, got, want)
		}
	}
}

// A value of exactly the limit is left to Shrink, and one byte more is not.
func TestTrimAtTheLimit(t *testing.T) {
	const limit = 64 << 10
	for more := range 2 {
		text := strings.Repeat("x", limit+more)
		for name, change := range map[string]func(*Alert){
			"event": func(a *Alert) { a.Event = json.RawMessage(text) }, "userAgent": func(a *Alert) { a.UserAgent = json.RawMessage(text) },
			"title": func(a *Alert) { a.Title = text }, "no event": func(a *Alert) { a.Event, a.Title = nil, text },
		} {
			a := sampleAlert()
			change(a)
			if got := a.Trim(limit); got != (more > 0) || (a.EventOmitted != "") != (got && name != "no event") {
				t.Errorf("%s, %d more: trimmed %t, omitted %q", name, more, got, a.EventOmitted)
			}
		}
	}
}
