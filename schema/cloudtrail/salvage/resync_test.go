package salvage

import (
	"strings"
	"testing"
)

// The next value starts at a line's first bracket or brace, or where a known key follows a brace: at the start of a line
// anywhere, else from stop on.
func TestResync(t *testing.T) {
	f := func(text string, from, stop, want int) {
		t.Helper()
		if got := Resync([]byte(text), from, stop); got != want {
			t.Errorf("%q from %d, stop %d: %d, want %d", text, from, stop, got, want)
		}
	}
	const event = `{"eventName":1}`
	f("", 0, 0, 0)
	f("{", 0, 9, 0)
	f("x", 2, 0, 1) // from may lie behind the end
	f("x{\n{", 1, 9, 3)
	f("x\n[", 0, 9, 2)
	f("x\n [", 0, 9, 4)
	f("x[", 0, 0, 2)
	f(" \t\r"+event, 0, 99, 3)
	f("x\n \t\r"+event, 0, 99, 5)
	f("x\n \t\r"+event, 2, 99, 5)
	f("x\n \t\r"+event, 3, 99, 5+len(event)) // not at the start of a line
	f("x\n y"+event, 0, 99, 4+len(event))
	f(` {"a":1}`, 0, 99, 8)
	f("x "+event, 1, 3, 2+len(event))
	f("x "+event, 1, 2, 2)
	f(`x {"a":1}`, 1, 0, 9)
}

// Another start counts for braces only, and from the first byte on.
func TestResyncTo(t *testing.T) {
	asked := ""
	start := func(b []byte, i int) bool {
		asked += string(b[i : i+2])
		return b[i+1] == 'y'
	}
	if got := ResyncTo([]byte("[y {x {y"), 1, 99, start); got != 6 || asked != "{x{y" {
		t.Errorf("%d, asked for %s", got, asked)
	}
}

// A text of one line goes on within it or at the next line; one of several where a value may start.
func TestResyncText(t *testing.T) {
	f := func(text string, start, stop, want int) {
		t.Helper()
		if got := ResyncText([]byte(text), start, stop); got != want {
			t.Errorf("%q from %d, stop %d: %d, want %d", text, start, stop, got, want)
		}
	}
	const event = `{"eventName":1}`
	f(`{"a" `+event, 0, 4, 5)
	f(`{"a" {"b":1}`, 0, 4, 12)
	f("{\"a\" x\n \r\n{", 0, 4, 10)
	f("{\"a\" {}\n  "+event, 0, 4, 10)
	f(event+event, 0, 0, len(event)) // not where it is already
	f(`{"a":"b,`+event+`,`, 0, 10, 8)
	f("{\n{", 0, 1, 2) // the line break is at stop
	f("{\n\"a\" x\n[", 0, 6, 8)
	f("{\n\"a\" x\n [ ", 0, 6, 11)
	f("x{\n{\n", 1, 4, 3)
	f("\n{x", 0, 2, 1)        // a line break right at the start
	f("x\n{ "+event, 2, 4, 4) // the line before the value does not count
}

// The start of an object is recognized by its first key.
func TestIsObjectStart(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		if got := isObjectStart([]byte("x"+text), 1); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
	for key := range startKeys {
		f(`{"`+key+`":1}`, true)
		f("{ \n\""+key+`"`, true)
		f(`{"`+key, false)
		f(`{"`+key+`x"`, false)
	}
	f(`{`, false)
	f(`{"`, false)
	f(`{ xeventName"`, false)
	f(`{"`+strings.Repeat("x", 100)+`"`, false)
}

// Where things start and end by the bytes around them.
func TestPlaces(t *testing.T) {
	f := func(name, text string, i int, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s of %q at %d: %d, want %d", name, text, i, got, want)
		}
	}
	number := func(is bool) int {
		if is {
			return 1
		}
		return 0
	}
	for _, c := range []struct {
		text string
		i    int
		want bool
	}{
		{`,{"a"`, 1, true}, {", \n{ \"a\"", 3, true}, {`:{"a"`, 1, false}, {`{"a"`, 0, false}, {`,{a`, 1, false}, {`,{`, 1, false}, {`,["a"`, 1, false},
		{`,{""`, 1, true}, {`,{1"a"`, 1, false},
	} {
		f("IsElementStart", c.text, c.i, number(IsElementStart([]byte(c.text), c.i)), number(c.want))
	}
	for _, c := range []struct {
		text    string
		i, want int
	}{{"a \t\r\nb", 5, 'a'}, {"ab", 1, 'a'}, {" b", 1, 0}, {"b", 0, 0}, {"ab", 2, 'b'}} {
		f("LastByte", c.text, c.i, int(LastByte([]byte(c.text), c.i)), c.want)
	}
	for _, c := range []struct {
		text    string
		i, want int
	}{
		{`{"`, 2, 0}, {"x{ \t\n\"", 6, 1}, {`{a"`, 3, 3}, {`{x`, 2, 2}, {`{"a`, 3, 3}, {`"`, 1, 1}, {"", 0, 0}, {` "`, 2, 2}, {`[{"`, 3, 1}, {`[{"x`, 2, 2}, {`["`, 2, 2},
	} {
		f("BeforeKey", c.text, c.i, BeforeKey([]byte(c.text), c.i), c.want)
	}
	for _, c := range []struct {
		text    string
		i, want int
	}{{"a\nb", 0, 1}, {"a\nb\n", 1, 1}, {"a\nb\n", 2, 3}, {"a\nb", 2, 3}, {"", 0, 0}} {
		f("LineEnd", c.text, c.i, LineEnd([]byte(c.text), c.i), c.want)
	}
	for i, want := range []bool{true, false, true, false} {
		f("IsColumnOne", "a\nb", i, number(IsColumnOne([]byte("a\nb\n")[:3], min(i, 2)) && i != 3), number(want))
	}
}
