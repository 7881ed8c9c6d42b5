package deadletter

import (
	"encoding/json"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The bounds of letters in parts. A Kafka record has at most some tens of megabytes, and the parts of a letter hold
// one.
const (
	maxParts      = 1 << 16
	maxSetBytes   = 256 << 20
	maxAllSets    = 512 << 20
	maxOpenInputs = 10_000 // input partitions with a letter whose parts are not all there yet
)

// Assembler joins letters that come in parts. The zero value is ready. The parts of a letter stand in one partition,
// in order, with letters of other input partitions between them. A letter of the same input partition between them
// means that the writer was interrupted, and that it has started over or will.
type Assembler struct {
	// OnIncomplete, if set, is called for each letter with missing parts, with one of its parts. The whole letter
	// usually follows later, because an interrupted writer starts over.
	OnIncomplete func(*Letter)

	open map[stream]*set
	held int // bytes of all sets
}

// stream identifies what one writer writes in order.
type stream struct {
	partition int32
	topic     string
	origin    int32
}

// set is a letter whose parts are still coming.
type set struct {
	letter *Letter
	bytes  []byte
	next   int            // the part that comes next
	parts  int            // 0 means that the value's first part comes next, after key and headers
	frame  *frameContents // nil until it is read
}

// Add takes the next record and returns the letter that it completes, or nil.
func (a *Assembler) Add(l *Letter) *Letter {
	key := stream{l.Place.Partition, l.Origin.Topic, l.Origin.Partition}
	s := a.open[key]
	if s != nil && !s.takes(l) {
		a.giveUp(key)
		s = nil
	}
	if l.Parts == 0 {
		return l
	}
	if s == nil {
		if s = a.begin(key, l); s == nil {
			return nil
		}
	} else {
		s.letter.Offsets = append(s.letter.Offsets, l.Place.Offset)
	}
	if len(s.bytes)+len(l.Value) > maxSetBytes || a.held+len(l.Value) > maxAllSets {
		a.giveUp(key)
		return nil
	}
	if s.frame != nil {
		s.letter.Holds = l.Holds // of the value, not of the frame
	}
	s.parts, s.next = l.Parts, l.Part+1
	s.bytes = append(s.bytes, l.Value...)
	a.held += len(l.Value)
	if s.next <= s.parts {
		return nil
	}
	return a.whole(key, s)
}

// Finish gives up the letters that are still open, at the end of the topic.
func (a *Assembler) Finish() {
	for key := range a.open {
		a.giveUp(key)
	}
}

// begin opens a set if l is its first part.
func (a *Assembler) begin(key stream, l *Letter) *set {
	if l.Part != 1 || len(a.open) >= maxOpenInputs {
		if a.OnIncomplete != nil {
			a.OnIncomplete(l)
		}
		return nil
	}
	if a.open == nil {
		a.open = make(map[stream]*set)
	}
	first := *l
	s := &set{letter: &first}
	a.open[key] = s
	return s
}

func (a *Assembler) giveUp(key stream) {
	l := a.open[key].letter
	a.drop(key)
	if a.OnIncomplete != nil {
		a.OnIncomplete(l)
	}
}

func (a *Assembler) drop(key stream) {
	a.held -= len(a.open[key].bytes)
	delete(a.open, key)
}

// takes reports whether l is the part that comes next.
func (s *set) takes(l *Letter) bool {
	first := s.letter
	switch {
	case l.Origin != first.Origin || l.Index != first.Index || l.Replays != first.Replays || l.Reason != first.Reason:
		return false
	case s.parts == 0:
		return l.Part == 1 && l.Holds != HoldsFrame
	}
	return l.Part == s.next && l.Parts == s.parts && l.Holds == first.Holds
}

// whole closes a complete set. A frame stays open for the value that follows it.
func (a *Assembler) whole(key stream, s *set) *Letter {
	l := s.letter
	if l.Holds == HoldsFrame {
		frame := new(frameContents)
		if json.Unmarshal(s.bytes, frame) != nil {
			a.giveUp(key)
			return nil
		}
		a.held -= len(s.bytes)
		s.frame, s.bytes, s.parts, l.Holds = frame, nil, 0, ""
		return nil
	}
	l.Value, l.Part, l.Parts = s.bytes, 0, 0
	if s.frame != nil {
		l.Key, l.Headers = s.frame.Key, nil
		for _, h := range s.frame.Headers {
			l.Headers = append(l.Headers, kgo.RecordHeader{Key: string(h.Key), Value: h.Value})
		}
	}
	a.drop(key)
	return l
}
