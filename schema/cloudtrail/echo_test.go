package cloudtrail

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// familiar returns a scanner that has read the event so often that it remembers what it can.
func familiar(event string) *scanner {
	s, e := new(scanner), new(Event)
	for range 50 {
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
	for _, e := range []*jsonscan.Echo{&s.identity, &s.tls} {
		if reflect.ValueOf(e).Elem().FieldByName("worth").Uint() == 0 {
			t.Fatal("want the values remembered")
		}
	}
	text := []byte(sampleEvent)
	for i := range text {
		was := text[i]
		for _, c := range []byte("\"\\{}[],:x0 \n\x00\xff") {
			text[i] = c
			if got, want := decoded(s, text), decoded(new(scanner), text); got != want {
				t.Fatalf("byte %d is %q:\ngot  %s\nwant %s", i, c, got, want)
			}
			_, _ = s.decodeEvent([]byte(sampleEvent), new(Event)) // so that it goes on comparing
		}
		text[i] = was
	}
	for i := range text {
		if got, want := decoded(s, text[:i+1]), decoded(new(scanner), text[:i+1]); got != want {
			t.Fatalf("cut after byte %d:\ngot  %s\nwant %s", i, got, want)
		}
		decoded(s, text)
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
