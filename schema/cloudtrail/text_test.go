package cloudtrail

import "testing"

// A log file is known by its first key, whatever white space is around it, and wherever it is cut.
func TestIsRecords(t *testing.T) {
	for text, want := range map[string]bool{
		`{"Records":[`: true, " { \"Records\"\n:\t[]}": true, `{"Records":`: false, `{"Records": `: false, `{"Records"`: false, `{"Records" `: false,
		`{"Records`: false, `{`: false, `{ `: false, `{"Records"x[`: false, `{"Records"[`: false, `{"Records":{`: false, `{"records":[`: false, `{"a":[`: false,
	} {
		i := 0
		if text[0] == ' ' {
			i = 1
		}
		if got := isRecords([]byte(text), i); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// What may follow a value: an object or an array anywhere, a string on its own line.
func TestStartsValue(t *testing.T) {
	for text, want := range map[string]bool{
		"0 {": true, "0 [": true, "0{": true, `0"`: false, `0 "`: false, "0\n\"": true, "0 \n \"": true, "0\nx": false, "0 }": false,
	} {
		if got := startsValue([]byte(text), 1, len(text)-1); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// A separate value starts its line and nothing follows it there, or it is cut.
func TestStartsRecord(t *testing.T) {
	d := NewDecoder(0)
	for text, want := range map[string]bool{
		"{\"a\":1}": true, "{\"a\":1}\n": true, "{\"a\":1} \r\n": true, "{\"a\":1} x\n": false, "{\"a\":1},\n": false, "{\"a\":\n": true, "{\"a": true,
		"{oops\n": false, "{": false, "[{\"a\":\n": true, "[ {\"a\":\n": true, "[{}\n": true, "[1,\n": false, "[": false, "[1]": true, "\"a": true, "\"a\"": true,
		"\"a\" x": false, "x": false, " {\"a\":1}": false,
	} {
		i := len("x\n")
		if text[0] == ' ' {
			i++
		}
		if got := d.startsRecord([]byte("x\n"+text), i); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// A key names a shape only with a value that the shape has.
func TestShapeOf(t *testing.T) {
	for _, c := range []struct {
		key   string
		value byte
		want  Shape
	}{
		{"Records", '[', ShapeRecords}, {"Records", '{', ShapeNone}, {"Records", '"', ShapeNone}, {"records", '[', ShapeFirehose}, {"records", '{', ShapeNone},
		{"body", '"', ShapeSQS}, {"body", '[', ShapeSQS}, {"body", '{', ShapeNone}, {"Messages", '[', ShapeSQS}, {"detail", '{', ShapeEventBridge},
		{"detail", '"', ShapeEventBridge}, {"other", '{', ShapeNone},
	} {
		if got := shapeOf(Value(`"`+c.key+`"`), c.value); got != c.want {
			t.Errorf("%s with %c: %s", c.key, c.value, got)
		}
	}
}

// A cell of a row is an object of one member.
func TestIsCell(t *testing.T) {
	for text, want := range map[string]bool{`{}`: false, `{"a":1}`: true, `{"a":1,"b":2}`: false, `{"a":1,"b":2,"c":3}`: false} {
		if got := isCell([]byte(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// The gaps of a list that are remembered are bounded: the last one goes to the end.
func TestNoteGap(t *testing.T) {
	d := NewDecoder(0)
	d.noteGap(5, 5)
	for i := range maxGaps + 2 {
		d.noteGap(10*i, 10*i+1)
	}
	last := span{10 * (maxGaps - 1), 10*(maxGaps+1) + 1}
	if n := len(d.gaps); n != maxGaps || d.gaps[0] != (span{0, 1}) || d.gaps[n-1] != last {
		t.Errorf("%d gaps, the last %v, want %v", n, d.gaps[n-1], last)
	}
}
