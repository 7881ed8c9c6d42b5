package scan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Records hands over each record with its place and the identity that a scan gives it.
func TestRecordsHaveTheirPlace(t *testing.T) {
	one := match("1")
	source := text("a", one+"\n"+one+"\n")
	var got []string
	err := Records(&source, 0, func(p *Part) error {
		r := &p.Record
		w := newWorker(&Options{})
		w.record.Value, w.record.Offset = r.Value, r.Offset
		got = append(got, fmt.Sprintf("%s@%d %s %v", r.File, r.Offset, r.Value, r.Identity() == w.identity()))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	want(t, "records", got, "a@0 "+one+" true", fmt.Sprintf("a@%d %s true", len(one)+1, one))
}

// A source without end is not read on once the visit has enough.
func TestRecordsEndEarly(t *testing.T) {
	visits := 0
	source := Source{Name: "endless", Size: -1, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(&repeated{[]byte(match("1") + "\n"), 0}), nil
	}}
	if err := Records(&source, 0, func(*Part) error { visits++; return ErrEnough }); err != nil || visits != 1 {
		t.Errorf("%d visits, error %v", visits, err)
	}
}

// Records passes on the errors of opening, of reading and of the visit, and ends early without one.
func TestRecordsErrors(t *testing.T) {
	broken := errors.New("broken")
	source := Source{Open: func() (io.ReadCloser, error) { return nil, broken }}
	if err := Records(&source, 0, func(*Part) error { return nil }); !errors.Is(err, broken) || !strings.Contains(err.Error(), "reading: ") {
		t.Errorf("opening: %v", err)
	}
	source = text("a", strings.Repeat(match("1")+"\n", 3))
	for answer, want := range map[error]error{broken: broken, ErrEnough: nil} {
		visits := 0
		err := Records(&source, 0, func(p *Part) error {
			if visits++; p.Shape(cloudtrail.Chain{}) != "ndjson" {
				t.Errorf("shape %q", p.Shape(cloudtrail.Chain{}))
			}
			return answer
		})
		if visits != 1 || !errors.Is(err, want) {
			t.Errorf("%v: %d visits, error %v, want %v", answer, visits, err, want)
		}
	}
}

// Records passes on a read error, and damaged compression as a part passed over.
func TestRecordsOfDamagedSources(t *testing.T) {
	broken := errors.New("input/output error")
	source := Source{Name: "a", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(match("1")+"\n"), iotest.ErrReader(broken))), nil
	}}
	records := 0
	err := Records(&source, 0, func(*Part) error { records++; return nil })
	if records != 1 || !errors.Is(err, broken) || !strings.Contains(err.Error(), "reading a: ") {
		t.Errorf("%d records, error %v", records, err)
	}
	packed := gzipped(t, match("1")+"\n")
	source = text("b", packed[:len(packed)-4])
	var reasons []string
	err = Records(&source, 0, func(p *Part) error {
		if p.PassedOver != nil {
			reasons = append(reasons, p.PassedOver.File+" "+p.PassedOver.Shape+" "+p.PassedOver.Reason)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	want(t, "parts passed over", reasons, "b gzip compression")
}

// A dead letter has the index of its event, the first included, and none if it is about more than one event.
func TestDeadLetterIndex(t *testing.T) {
	for index, want := range map[int]string{-1: "", 0: `"index":0,`, 3: `"index":3,`} {
		w := newWorker(&Options{DeadLetters: io.Discard})
		w.chunk = &chunk{}
		if err := w.DeadLetter(&detection.DeadLetter{Fault: cloudtrail.Fault{Index: index, Err: io.EOF}}); err != nil {
			t.Error(err)
		}
		if got := string(w.chunk.letters); !strings.Contains(got, want) || want == "" && strings.Contains(got, "index") {
			t.Errorf("index %d: %s", index, got)
		}
	}
	if name := contentIdentity(nil, 10); !strings.HasSuffix(name, "/10") {
		t.Errorf("the identity %s does not end in its offset", name)
	}
}

// A dead letter that stands for several parts says for how many.
func TestDeadLetterCount(t *testing.T) {
	for count, want := range map[int]int{0: 0, 1: 0, 2: 2} {
		w := newWorker(&Options{DeadLetters: io.Discard})
		w.chunk = &chunk{}
		if err := w.DeadLetter(&detection.DeadLetter{Count: count, Fault: cloudtrail.Fault{Err: io.EOF}}); err != nil {
			t.Error(err)
		}
		var letter DeadLetter
		if err := json.Unmarshal(w.chunk.letters, &letter); err != nil || letter.Count != want {
			t.Errorf("%d parts: %s, %v", count, w.chunk.letters, err)
		}
	}
}
