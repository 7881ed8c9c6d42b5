package deadletter

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// part writes "ORIGIN OFFSET PART/PARTS VALUE" as a letter; 0/0 is one in one record.
func part(t *testing.T, text string) *Letter {
	t.Helper()
	l := &Letter{Index: -1}
	var value string
	if _, err := fmt.Sscanf(text, "%s %d %d/%d %s", &l.Origin.Topic, &l.Origin.Offset, &l.Part, &l.Parts, &value); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	l.Value = []byte(value)
	return l
}

func TestAssembler(t *testing.T) {
	f := func(want string, parts ...string) {
		t.Helper()
		var got []string
		a := Assembler{OnIncomplete: func(l *Letter) { got = append(got, fmt.Sprint("!", l.Origin.Offset)) }}
		for i, text := range parts {
			l := part(t, text)
			l.Place.Offset, l.Offsets = int64(i), []int64{int64(i)}
			if whole := a.Add(l); whole != nil {
				got = append(got, fmt.Sprintf("%d=%s@%d", whole.Origin.Offset, whole.Value, whole.Offsets))
				if whole.Part != 0 || whole.Parts != 0 {
					t.Errorf("%q: the whole says that it is part %d of %d", parts, whole.Part, whole.Parts)
				}
			}
		}
		a.Finish()
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%q:\ngot  %s\nwant %s", parts, text, want)
		}
		if len(a.open) != 0 || a.held != 0 {
			t.Errorf("%q: %d sets of %d bytes are kept", parts, len(a.open), a.held)
		}
	}
	f("1=x@[0]", "a 1 0/0 x")
	f("1=xyz@[0 1 2]", "a 1 1/3 x", "a 1 2/3 y", "a 1 3/3 z")
	f("2=m@[1] 1=xy@[0 2]", "a 1 1/2 x", "b 2 0/0 m", "a 1 2/2 y")                 // of two input partitions
	f("2=mn@[1 2] 1=xy@[0 3]", "a 1 1/2 x", "b 2 1/2 m", "b 2 2/2 n", "a 1 2/2 y") // both in parts
	f("!1 2=m@[1] !1", "a 1 1/2 x", "a 2 0/0 m", "a 1 2/2 y")                      // of one: the writer was interrupted
	f("!1 1=xy@[1 2]", "a 1 1/2 x", "a 1 1/2 x", "a 1 2/2 y")                      // written again
	f("!1 1=pqr@[1 2 3]", "a 1 1/2 x", "a 1 1/3 p", "a 1 2/3 q", "a 1 3/3 r")      // in smaller parts
	f("!1 !1", "a 1 1/3 x", "a 1 3/3 z")                                           // the middle is missing
	f("!1", "a 1 2/2 y")                                                           // the beginning is
	f("!1", "a 1 1/2 x")                                                           // the end is
	f("1=xy@[0 1] 1=xy@[2 3]", "a 1 1/2 x", "a 1 2/2 y", "a 1 1/2 x", "a 1 2/2 y") // twice
	f("!1 !2 2=mn@[2 3]", "a 1 1/2 x", "a 2 2/2 n", "a 2 1/2 m", "a 2 2/2 n")      // parts of two letters mixed up
	f("1=x@[0]", "a 1 1/1 x")
}

// Hostile parts cannot make it keep more than its bounds.
func TestAssemblerIsBounded(t *testing.T) {
	lost := 0
	a := Assembler{OnIncomplete: func(*Letter) { lost++ }}
	for i := range 2 * maxOpenInputs {
		a.Add(&Letter{Origin: Place{Partition: int32(i)}, Part: 1, Parts: 2})
	}
	if len(a.open) != maxOpenInputs || lost != maxOpenInputs {
		t.Errorf("%d sets are open, %d are lost", len(a.open), lost)
	}
	a.Finish()
	piece := make([]byte, 32<<20)
	for i := 1; i <= maxSetBytes/len(piece)+1; i++ {
		a.Add(&Letter{Part: i, Parts: maxParts, Value: piece})
		if i*len(piece) == maxSetBytes && a.held != maxSetBytes {
			t.Errorf("a letter of %d bytes is given up", maxSetBytes)
		}
	}
	if a.held > maxSetBytes || len(a.open) != 0 {
		t.Errorf("%d bytes are held", a.held)
	}
	const others = maxAllSets - 2
	a, lost = Assembler{OnIncomplete: a.OnIncomplete, held: others}, 0
	for i, want := range []int{others + 1, others + 2, others} {
		if a.Add(&Letter{Part: i + 1, Parts: 4, Value: []byte("x")}); a.held != want {
			t.Errorf("part %d: %d bytes of all letters are held, want %d", i+1, a.held, want)
		}
	}
	if lost != 1 {
		t.Errorf("%d letters are given up", lost)
	}
}

// What differs in anything that the parts of a letter share is a part of another one.
func TestAssemblerKeepsLettersApart(t *testing.T) {
	for i, change := range []func(*Letter){
		func(l *Letter) { l.Origin.Offset++ },
		func(l *Letter) { l.Index++ },
		func(l *Letter) { l.Replays++ },
		func(l *Letter) { l.Reason = "other" },
		func(l *Letter) { l.Holds = HoldsPiece },
		func(l *Letter) { l.Parts++ },
	} {
		lost := 0
		a := Assembler{OnIncomplete: func(*Letter) { lost++ }}
		a.Add(&Letter{Part: 1, Parts: 2})
		second := &Letter{Part: 2, Parts: 2}
		change(second)
		if a.Add(second) != nil || lost != 2 {
			t.Errorf("change %d: %d letters are given up", i, lost)
		}
	}
}

// Key and headers that go ahead belong to the value that follows.
func TestAssemblerFrame(t *testing.T) {
	frame, err := json.Marshal(frameContents{Key: []byte("k\xff"), Headers: []framePair{{[]byte("h\xfe"), []byte("v")}}})
	if err != nil {
		t.Fatal(err)
	}
	letter := func(holds string, part, parts int, value []byte) *Letter {
		return &Letter{Index: -1, Holds: holds, Part: part, Parts: parts, Value: value}
	}
	var a Assembler
	var got *Letter
	for _, l := range []*Letter{
		letter(HoldsFrame, 1, 2, frame[:5]), letter(HoldsFrame, 2, 2, frame[5:]),
		letter(HoldsPiece, 1, 2, []byte("x")), letter(HoldsPiece, 2, 2, []byte("y")),
	} {
		got = a.Add(l)
	}
	if got == nil || string(got.Value) != "xy" || string(got.Key) != "k\xff" || got.Holds != HoldsPiece ||
		len(got.Headers) != 1 || got.Headers[0].Key != "h\xfe" {
		t.Errorf("%+v", got)
	}
	if a.held != 0 {
		t.Errorf("%d bytes are held", a.held)
	}
	whole := letter(HoldsFrame, 1, 1, frame)
	for name, after := range map[string]*Letter{"a frame": letter(HoldsFrame, 1, 2, frame), "a later part": letter("", 2, 2, nil)} {
		lost := 0
		a = Assembler{OnIncomplete: func(*Letter) { lost++ }}
		a.Add(whole)
		if a.Add(after) != nil || lost == 0 || a.held != len(after.Value) {
			t.Errorf("%s after a frame: %d lost, %d bytes held", name, lost, a.held)
		}
	}
	lost := 0
	a = Assembler{OnIncomplete: func(*Letter) { lost++ }}
	if a.Add(letter(HoldsFrame, 1, 1, []byte("no JSON"))) != nil || lost != 1 || len(a.open) != 0 {
		t.Errorf("a broken frame: %d lost", lost)
	}
}
