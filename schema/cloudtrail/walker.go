package cloudtrail

import (
	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// walker steps through an envelope twice. The first time it learns what each object is, which its last key may decide;
// the second time it visits what is not within an event. Both take time in proportion to the bytes, at any nesting.
// Each layer has its own walker.
type walker struct {
	classes []class  // of the objects to visit, in their order
	open    []object // while classifying: the objects that have not ended
	around  []around // while visiting: the containers that have not ended and matter to what is inside
	missing []span   // elements without an event, of the lists in around
}

// object is one that has not ended.
type object struct {
	class uint32 // its place in classes
	marks marks
	half  salvage.Half
}

// classify learns what the objects in b are. Where b is damaged it ends before the damage: objects that have not ended
// are what their keys so far say.
func (w *walker) classify(s *scanner, b []byte) {
	w.classes, w.open = w.classes[:0], w.open[:0]
	for i := 0; i < len(b); {
		switch b[i] {
		case '{':
			w.open = append(w.open, object{class: uint32(len(w.classes))})
			w.classes = append(w.classes, classEnvelope)
		case '}':
			w.settle(false)
		case '"':
			i = w.text(s, b, i)
			continue
		}
		i++
	}
}

// settleOpen settles the objects that have not ended. What they say of an event that damage cut goes into the run.
func (w *walker) settleOpen(b []byte, run *salvage.Run, isKnown func(code []byte) bool) {
	for len(w.open) > 0 {
		if o := &w.open[len(w.open)-1]; !o.marks.class().isEvent() {
			run.Half(b, o.half, isKnown)
		}
		w.settle(true)
	}
}

// settle notes what the innermost object is, which damage may have cut. What is within an object that is not opened is not visited.
func (w *walker) settle(cut bool) {
	last := len(w.open) - 1
	o := w.open[last]
	w.open = w.open[:last]
	c := o.marks.class()
	if cut && c.isEvent() {
		c = classEvent // its region may be behind the damage
	}
	w.classes[o.class] = c
	if !c.isOpened() {
		w.classes = w.classes[:o.class+1]
	}
}

// text reads the string at b[i], and the value of one that is a key: it returns the index after a string, else that of
// the value.
func (w *walker) text(s *scanner, b []byte, i int) int {
	end := stringEnd(s, b, i)
	colon := jsonscan.SkipSpace(b, end)
	if jsonscan.At(b, colon) != ':' || len(w.open) == 0 {
		return end
	}
	start := jsonscan.SkipSpace(b, colon+1)
	next := start
	v := Value(b[start:min(start+1, len(b))])
	if jsonscan.At(b, start) == '"' {
		next = stringEnd(s, b, start)
		v = b[start:next]
	}
	o := &w.open[len(w.open)-1]
	o.marks.set(b[i:end], v)
	o.half.Set(b[i:end], start)
	return next
}

// stringEnd returns the index after the string at b[i], or len(b) where that is cut.
func stringEnd(s *scanner, b []byte, i int) int {
	end, err := s.SkipString(b, i)
	if err != nil {
		return len(b)
	}
	return end
}

// maxAround bounds how many of the containers around an event are remembered. What is found does not depend on it.
const maxAround = 1024

// maxMissing bounds the elements without an event that are remembered of the lists around an event.
const maxMissing = 256

// around is a container that has not ended.
type around struct {
	start, depth int
	class        class
	list         bool  // an array of objects
	row          bool  // a list without a key
	chain        Chain // outside of it
	events       int   // found before it
	calls        int   // of the sink before it
	missing      int   // elements of outer arrays that are without an event
	half         salvage.Half
}
