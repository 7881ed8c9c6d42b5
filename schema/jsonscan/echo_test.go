package jsonscan

import (
	"bytes"
	"fmt"
	"testing"
)

// Only objects of a bounded size are kept, and few of them.
func TestEchoIsBounded(t *testing.T) {
	f := func(size, want int) {
		t.Helper()
		var e Echo
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
	var e Echo
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

// What repeats is found, one way or another, until it does so no more. What it reads is what SkipValue reads.
func TestSkipRepeated(t *testing.T) {
	var e Echo
	var s Scanner
	skip := func(object string) (looked bool) {
		t.Helper()
		b := []byte("[" + object + "]")
		turn, last := e, e.texts
		looked = turn.looks()
		end, err := s.SkipRepeated(b, 1, &e)
		if wantEnd, wantErr := s.SkipValue(b, 1); end != wantEnd || (err == nil) != (wantErr == nil) {
			t.Errorf("%q: %d, %v, want %d, %v", object, end, err, wantEnd, wantErr)
		}
		if kept := fmt.Sprint(e.texts) != fmt.Sprint(last); kept && (err != nil || s.Invalid) {
			t.Errorf("%q is kept", object)
		}
		return looked
	}
	looked := 0
	for range 100 {
		for _, object := range []string{`{"a":1}`, `{"b":{"c":"d"}}`} {
			if skip(object) {
				looked++
			}
		}
	}
	if looked < 200-2*echoSample || e.worth != maxEchoWorth {
		t.Errorf("looked at %d of 200 objects; they are worth %d", looked, e.worth)
	}
	for _, object := range []string{"{\"a\":\"\xff\"}", `{"a":}`} {
		s.Invalid = false
		skip(object)
	}
	s.Invalid, looked = false, 0
	for i := range 1000 {
		if skip(fmt.Sprintf(`{"a":"%d"}`, i)) {
			looked++
		}
	}
	if looked > maxEchoWorth+1000/echoSample+1 {
		t.Errorf("looked at %d of 1000 objects that do not repeat", looked)
	}
}

// A text is found where it is all of a value, and its bytes are its own.
func TestEchoFinds(t *testing.T) {
	var e Echo
	object := []byte(`{"a":{"b":"}"}}`)
	e.keep(object)
	text := bytes.Clone(append(append([]byte(`[`), object...), ']'))
	clear(object)
	if n := e.find(text, 1); n != len(object) {
		t.Errorf("got %d, want %d", n, len(object))
	}
	flat := []byte(`{"a":"b"}`)
	e.keep(flat)
	if n := e.find(append(flat, ','), 0); n != len(flat) || e.worth != 2*echoGain-1 {
		t.Errorf("a flat one at the start: got %d, worth %d", n, e.worth)
	}
	if n := e.find(text[:len(text)-2], 1); n != 0 {
		t.Errorf("a text that is cut short: got %d", n)
	}
	e.keep([]byte(`"a}`))
	if n := e.find([]byte(`"a},`), 0); n != 0 {
		t.Errorf("what is no object: got %d", n)
	}
}
