package cloudtrail

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"
)

// familiar returns a scanner that has read the event so often that it remembers what it can.
func familiar(event string) *scanner {
	s, e := new(scanner), new(Event)
	for range 3 * echoSample {
		_, _ = s.decodeEvent([]byte(event), e)
	}
	return s
}

// decoded tells all that a scanner reads of a text.
func decoded(s *scanner, text []byte) string {
	var e Event
	end, err := s.decodeEvent(text, &e)
	fields := maps.Clone(capturedFields(&e))
	return fmt.Sprintf("%d %v %v %q", end, err, e.InvalidUTF8, fields)
}

// What a scanner remembers changes nothing but its speed: an event in which any one byte is another one reads as
// by a scanner that remembers nothing.
func TestEchoSeesEveryChange(t *testing.T) {
	s := familiar(sampleEvent)
	if s.identity.worth == 0 || s.tls.worth == 0 {
		t.Fatal("want the values remembered")
	}
	text := []byte(sampleEvent)
	for i := range text {
		was := text[i]
		for _, c := range []byte("\"\\{}[],:x0 \n\x00\xff") {
			text[i] = c
			s.identity.worth, s.tls.worth = maxEchoWorth, maxEchoWorth
			if got, want := decoded(s, text), decoded(new(scanner), text); got != want {
				t.Fatalf("byte %d is %q:\ngot  %s\nwant %s", i, c, got, want)
			}
		}
		text[i] = was
	}
	for i := range text {
		if got, want := decoded(s, text[:i+1]), decoded(new(scanner), text[:i+1]); got != want {
			t.Fatalf("cut after byte %d:\ngot  %s\nwant %s", i, got, want)
		}
	}
}

// An object with bytes that are not UTF-8 is no less invalid the second time.
func TestEchoForgetsNoInvalidUTF8(t *testing.T) {
	text := []byte(strings.Replace(sampleEvent, "example-role", "ex\xffample", 1))
	s := familiar(string(text))
	var e Event
	if _, err := s.decodeEvent(text, &e); err != nil || !e.InvalidUTF8 {
		t.Fatal(err, e.InvalidUTF8)
	}
}

// Only objects of a bounded size are kept, and few of them.
func TestEchoIsBounded(t *testing.T) {
	f := func(size, want int) {
		t.Helper()
		var e echo
		for i := range 3 * echoTexts {
			e.keep([]byte(fmt.Sprintf(`{"a":"%0*d"}`, size-len(`{"a":""}`), i)))
		}
		n := 0
		for _, text := range e.texts {
			n += len(text)
		}
		if n != want {
			t.Errorf("objects of %d bytes: %d bytes are kept, want %d", size, n, want)
		}
	}
	f(20, 20*echoTexts)
	f(maxEcho, maxEcho*echoTexts)
	f(maxEcho+1, 0)
}

// Where nothing repeats, hardly anything is looked for or copied.
func TestEchoGivesUp(t *testing.T) {
	var e echo
	looked := 0
	for i := range 1000 {
		object := []byte(fmt.Sprintf(`{"a":%d}`, i))
		if !e.looks() {
			continue
		}
		looked++
		if e.find(append(object, ','), 0) != 0 {
			t.Fatalf("%s was found", object)
		}
		e.keep(object)
	}
	if looked > 1000/echoSample+1 {
		t.Errorf("looked at %d of 1000 objects", looked)
	}
}

// A text is found where it is all of a value, and its bytes are its own.
func TestEchoFinds(t *testing.T) {
	var e echo
	object := []byte(`{"a":{"b":"}"}}`)
	e.keep(object)
	text := bytes.Clone(append(append([]byte(`[`), object...), ']'))
	clear(object)
	if n := e.find(text, 1); n != len(object) {
		t.Errorf("got %d, want %d", n, len(object))
	}
	if n := e.find(text[:len(text)-2], 1); n != 0 {
		t.Errorf("a text that is cut short: got %d", n)
	}
	e.keep([]byte(`"a}`))
	if n := e.find([]byte(`"a},`), 0); n != 0 {
		t.Errorf("what is no object: got %d", n)
	}
}
