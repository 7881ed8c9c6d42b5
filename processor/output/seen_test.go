package output

import (
	"strconv"
	"testing"
)

// The output of a batch may be many times its size: what is kept for display is bounded, and is the latest.
func TestSeenIsBounded(t *testing.T) {
	t.Parallel()
	var s seen
	for i := range 5000 {
		s.addAlert(append(make([]byte, 1000), strconv.Itoa(i)...))
		if s.addDeadLetter(DeadLetter{Offset: int64(i)}); len(s.letters) != min(i+1, maxSeenLetters) {
			t.Fatalf("%d of %d dead letters are kept", len(s.letters), i+1)
		}
	}
	bytes := 0
	for _, encoded := range s.alerts {
		bytes += len(encoded)
	}
	if last := s.alerts[len(s.alerts)-1]; bytes > maxSeenBytes || bytes < maxSeenBytes/2 || string(last[1000:]) != "4999" {
		t.Errorf("%d bytes of alerts are kept, the last is %s", bytes, last)
	}
	if s.letters[maxSeenLetters-1].Offset != 4999 {
		t.Errorf("%d dead letters are kept, the last of offset %d", len(s.letters), s.letters[maxSeenLetters-1].Offset)
	}
	s = seen{}
	s.addAlert(make([]byte, 2*maxSeenBytes))
	if len(s.alerts) != 1 {
		t.Error("an alert that is too large is not shown")
	}
	if s.addAlert(make([]byte, maxSeenBytes-1)); len(s.alerts) != 1 {
		t.Error("an alert that is too large stays beside another one")
	}
	if s.addAlert(make([]byte, 1)); len(s.alerts) != 2 || s.bytes != maxSeenBytes {
		t.Errorf("%d alerts of %d bytes are kept, want the two that have exactly the bound", len(s.alerts), s.bytes)
	}
}
