package jsonscan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestMember(t *testing.T) {
	f := func(object, name, want string) {
		t.Helper()
		if got := Value(object).Member(name); string(got) != want {
			t.Errorf("%.60s: %s is %.60q, want %q", object, name, got, want)
		}
	}
	f(`{"a":1,"b":{"a":2}}`, "a", "1")
	f(` {"a":1}`, "a", "") // a Value starts with its first byte
	f(`{ "a" : [1, 2] , "b" : "x" }`, "a", "[1, 2]")
	f(`{"a":1,"a":2}`, "a", "2")
	f(`{"\u0061":1}`, "a", "1")
	f(`{"A":1,"a ":2,"b":{"a":3}}`, "a", "")
	f(`{}`, "a", "")
	f(`[{"a":1}]`, "a", "")
	f(`"a"`, "a", "")
	f(``, "a", "")
	f(`{"a":1,"b":]`, "a", "1") // damaged after it
	f(`{"a":1,"a":`, "a", "1")
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	f(`{"b":`+deep+`,"a":1}`, "a", "1")
}

// A comma, or an opening bracket, wants a value or the end.
func TestNextItem(t *testing.T) {
	f := func(text string, i int, want string) {
		t.Helper()
		value, done, err := NextItem([]byte(text), i)
		if got := fmt.Sprint(value, done, err); got != want {
			t.Errorf("%s from %d: %s, want %s", text, i, got, want)
		}
	}
	f("[]", 0, "2 true <nil>")
	f("[ ]", 0, "3 true <nil>")
	f("[1]", 0, "1 false <nil>")
	f("[1]", 2, "3 true <nil>")
	f("[1, 2]", 2, "4 false <nil>")
	f("[1,]", 2, "3 false byte 3: found ']', want a value")
	f("[1,", 2, "3 false byte 3: the input ends, want a value")
	f("[", 0, "1 false byte 1: the input ends, want a value")
	f("{}", 0, "0 false byte 0: found '{', want a comma or the end of the array")
	f("", 0, "0 false byte 0: the input ends, want a comma or the end of the array")
}

func TestMembersStopEarly(t *testing.T) {
	var keys []string
	for key := range Value(`{"a":1,"b":2,"c":3}`).Members() {
		if keys = append(keys, string(key)); len(keys) == 2 {
			break
		}
	}
	if want := []string{`"a"`, `"b"`}; !slices.Equal(keys, want) {
		t.Errorf("keys %q, want %q", keys, want)
	}
}

func TestStrings(t *testing.T) {
	f := func(value string, want ...string) {
		t.Helper()
		var got []string
		for s := range Value(value).Strings() {
			got = append(got, string(s))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%.60s: %q, want %q", value, got, want)
		}
	}
	f(``)
	f(`7`)
	f(`[7]`)
	f(`["x",7]`, `"x"`)
	f(`"x"`, `"x"`)
	f(`{"k":"a","l" : ["b",{"m":"c"}],"n":"\"d:\""}`, `"a"`, `"b"`, `"c"`, `"\"d:\""`)
	f(`["a" , "b"]`, `"a"`, `"b"`)
	f(`{"k":"a","l":"b`, `"a"`)               // ends in a string
	f("{\"k\":\"a\",\"l\":\"b\x00\"}", `"a"`) // damaged in one
	f(strings.Repeat("[", 100_000)+`"x"`+strings.Repeat("]", 100_000), `"x"`)
}

func TestStringsStopEarly(t *testing.T) {
	n := 0
	for range Value(`["a","b","c"]`).Strings() {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d strings", n)
	}
}
