package explain

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

var update = flag.Bool("update", false, "write the golden files")

// eventOf returns an event with an id, in a region, by an identity.
func eventOf(id, region, identity string) string {
	return fmt.Sprintf(`{"eventVersion":"1.08","userIdentity":%s,"eventTime":"2026-03-01T08:30:00Z","eventSource":"ec2.amazonaws.com",`+
		`"eventName":"RunInstances","awsRegion":%q,"sourceIPAddress":"192.0.2.10","eventID":%q,"readOnly":false,"recipientAccountId":"111122223333"}`,
		identity, region, id)
}

const (
	alice  = `{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice","userName":"alice","principalId":"AIDA"}`
	unused = "eu-central-1"
)

func compile(t *testing.T, o policy.Options) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// at returns a record of a topic.
func at(offset int64, value string) *scan.Part {
	return &scan.Part{Record: detection.Record{
		Value: []byte(value), Topic: "cloudtrail", Partition: 3, Offset: offset, Timestamp: time.Date(2026, 3, 1, 8, 31, 0, 0, time.UTC),
	}}
}

// alertOf returns the alert that a record raises, encoded.
func alertOf(t *testing.T, o detection.Options, p *policy.Policy, part *scan.Part) string {
	t.Helper()
	var s sink
	if err := detection.NewDetector(o).Detect(p, &part.Record, &s); err != nil || s.alert == nil {
		t.Fatalf("no alert: %v", err)
	}
	return string(s.alert)
}

// sink keeps the last alert.
type sink struct{ alert []byte }

func (s *sink) Alert(a *alert.Alert) error           { s.alert = alert.AppendJSON(nil, a); return nil }
func (*sink) DeadLetter(*detection.DeadLetter) error { return nil }

// Every kind of line, with all that it can have, as JSON and as text.
//
// Write the file anew with go test ./internal/explain -run TestLines -update, and read the difference.
func TestLines(t *testing.T) {
	o := policy.Options{
		Version: "7", Default: policy.Level{UnusedRegions: []string{unused, "ap-east-1"}},
		Accounts: []policy.Account{{ID: "111122223333", Name: "payments", Owner: "o@example.com"}},
		Exceptions: []policy.Exception{
			{Name: "backup", Owner: "b@example.com", Reason: "copies", Regions: []string{"ap-east-1"}},
			{Name: "old", Regions: []string{unused}, Expires: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		},
	}
	p := compile(t, o)
	inFile := at(0, "["+eventOf("a", "us-east-1", alice)+","+eventOf("b", unused, `{"type":"IAMUser","userName":"bob","principalId":"AIDA"}`)+"]")
	inFile.Record.File, inFile.Record.Topic, inFile.Record.Offset = "a/b.json", "", 7
	cut := eventOf("c", unused, alice)
	passed := &scan.Part{PassedOver: &scan.DeadLetter{
		File: "big.json", Offset: 9, Length: 1 << 30, Reason: "too-large", Error: "more bytes than allowed", Value: []byte("{\"Records\x00"),
	}}
	unsized := &scan.Part{PassedOver: &scan.DeadLetter{File: "-", Reason: "too-large", Error: "more bytes than allowed", Value: []byte("{")}}
	shadow := o
	shadow.Shadow = true
	native := at(1, eventOf("d", unused, alice))
	lines := []*scan.Part{
		at(0, eventOf("0", unused, alice)), inFile, at(2, eventOf("e", "ap-east-1", `{"type":"AWSService","principalId":"x"}`)),
		at(3, strings.TrimSuffix(cut, `,"recipientAccountId":"111122223333"}`)), at(4, cut+` and more that is not an event, which goes on beyond what is shown of it`),
		at(5, "["+eventOf("f", unused, `{"arn":{"x":"`+strings.Repeat("x", maxFieldBytes)+`"},"userName":"u"}`)+`,{"awsRegion":"`+unused+`"],"readOnly":false,"eventName":"x"}]`),
		at(6, `{"s3Bucket":"b","s3ObjectKey":[]}`), passed, unsized,
		at(7, alertOf(t, detection.Options{}, p, native)),
		at(8, alertOf(t, detection.Options{NoEventCopy: true}, p, native)),
		at(9, alertOf(t, detection.Options{Shadowed: true}, compile(t, shadow), inAnotherFile())),
	}
	var got bytes.Buffer
	e := New(Options{Policy: p, Number: -1, Limit: 100, Show: func(l *Line) error {
		got.WriteString("\n")
		if err := l.WriteJSON(&got); err != nil {
			return err
		}
		return l.WriteText(&got)
	}})
	for _, part := range lines {
		if err := e.Visit(part); err != nil {
			t.Fatal(err)
		}
	}
	if n, more, err := e.Finish("x"); n < 13 || more || err != nil {
		t.Errorf("%d lines, %t, %v", n, more, err)
	}
	name := filepath.Join("testdata", "lines.golden")
	if *update {
		if err := os.WriteFile(name, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// inAnotherFile returns a record of a file.
func inAnotherFile() *scan.Part {
	return &scan.Part{Record: detection.Record{Value: []byte(eventOf("g", unused, alice)), File: "c.json", Offset: 70}}
}

// What is selected by number or id is explained, with its damage and nothing else, and no more is read than that takes.
func TestSelection(t *testing.T) {
	p := compile(t, policy.Options{Default: policy.Level{UnusedRegions: []string{unused}}})
	one, two, three := eventOf("1", unused, alice), eventOf("2", unused, alice), eventOf("3", unused, alice)
	records := []string{"[" + one + "," + two + "]", `{"s3Bucket":"b","s3ObjectKey":[]}`, `{"neither":1}`, three[:len(three)-1], two, alertOf(t, detection.Options{}, p, at(0, one))}
	f := func(number int64, id string, limit int64, wantRead int, wantMore bool, want ...string) {
		t.Helper()
		var got []string
		e := New(Options{Policy: p, Number: number, EventID: id, Limit: limit, Show: func(l *Line) error {
			text := l.Kind
			if l.Number != nil {
				text = fmt.Sprintf("%s %d %d", l.Kind, *l.Number, *l.Index)
			}
			got = append(got, text)
			return nil
		}})
		read := 0
		for _, value := range records {
			read++
			if err := e.Visit(at(int64(read), value)); err != nil {
				if IgnoreEnough(err) != nil {
					t.Fatal(err)
				}
				break
			}
		}
		n, more, err := e.Finish("x.json")
		if !slices.Equal(got, want) || read != wantRead || int(n) != len(want) || more != wantMore || (err != nil) != (len(want) == 0) {
			t.Errorf("%d, %q: %q of %d records, %d lines, %t, %v; want %q of %d", number, id, got, read, n, more, err, want, wantRead)
		}
	}
	all := []string{"event 0 0", "event 1 1", "skip", "fault 2 0", "event 3 0", "fault 3 0", "event 4 0", "alert", "event 5 0"}
	f(-1, "", 100, 6, false, all...)
	f(-1, "", int64(len(all)), 6, false, all...)
	f(-1, "", 8, 6, true, all[:8]...)
	f(-1, "", 2, 2, true, all[:2]...)
	f(0, "", 100, 1, false, all[0])
	f(1, "", 100, 1, false, all[1])
	f(2, "", 100, 3, false, all[3])
	f(3, "", 100, 4, false, all[4:6]...)
	f(-1, "2", 100, 6, false, "event 1 1", "event 4 0")
	f(-1, "3", 100, 6, false, all[4:6]...)
	f(4, "2", 100, 5, false, "event 4 0")
	f(4, "3", 100, 5, false)
	f(6, "", 100, 6, false)
}

// Why nothing was selected is a mistake in the command line, and names what was asked for and what there is.
func TestNothingSelected(t *testing.T) {
	f := func(number int64, id, want string, values ...string) {
		t.Helper()
		e := New(Options{Policy: compile(t, policy.Options{}), Number: number, EventID: id, Limit: 9, Show: func(*Line) error { return nil }})
		for _, value := range values {
			if err := IgnoreEnough(e.Visit(at(0, value))); err != nil {
				t.Fatal(err)
			}
		}
		if n, more, err := e.Finish("x.json"); n != 0 || more || err == nil || err.Error() != want {
			t.Errorf("%d lines, %t, %v, want %q", n, more, err, want)
		}
	}
	f(-1, "", "x.json: the file is empty")
	f(1, "", "flag --index: 1: no such event in x.json, which holds 1, including damaged ones", eventOf("1", unused, alice))
	f(-1, "y", `flag --event-id: "y": no such event in x.json, which holds 1, including damaged ones`, eventOf("1", unused, alice))
	f(0, "y", `flag --index: 0, flag --event-id: "y": no such event in x.json; the event with this number has another eventID, or none`, eventOf("1", unused, alice))
}

// errClosed is the error of a writer.
var errClosed = errors.New("closed")

// What cannot be written ends the explanation, with the error: a line of a part without events as well.
func TestShowFailure(t *testing.T) {
	for _, value := range []string{eventOf("1", unused, alice), `{"s3Bucket":"b","s3ObjectKey":[]}`, `{"neither":1}`} {
		shown := 0
		e := New(Options{Policy: compile(t, policy.Options{}), Number: -1, Limit: 9, Show: func(*Line) error { shown++; return errClosed }})
		_ = e.Visit(at(0, value))
		if n, more, err := e.Finish("x"); n != 0 || more || !errors.Is(err, errClosed) || shown != 1 {
			t.Errorf("%s: %d lines, %t, %v, %d shown", value, n, more, err, shown)
		}
	}
	if err := IgnoreEnough(errClosed); !errors.Is(err, errClosed) {
		t.Errorf("%v", err)
	}
}

// failing fails after some writes.
type failing struct{ left int }

func (f *failing) Write(b []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errClosed
	}
	return len(b), nil
}

func TestWriteFailure(t *testing.T) {
	l := newPassedOverLine(&scan.Part{PassedOver: &scan.DeadLetter{}})
	if err := l.WriteJSON(&failing{}); !errors.Is(err, errClosed) {
		t.Errorf("JSON: %v", err)
	}
	var whole bytes.Buffer
	if err := l.WriteText(&whole); err != nil {
		t.Fatal(err)
	}
	for left := range 2 {
		if err := l.WriteText(&failing{left}); !errors.Is(err, errClosed) {
			t.Errorf("text: %v after %d writes", err, left)
		}
	}
}

// The timestamp of an alert's record counts unless it lies ahead or is none.
func TestStampOf(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	f := func(stamp, want time.Time) {
		t.Helper()
		if got := stampOf(&detection.Record{Timestamp: stamp, DecidedAt: now}); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", stamp, got, want)
		}
	}
	f(now, now)
	f(now.Add(-1), now.Add(-1))
	f(now.Add(1), now)
	f(time.UnixMilli(1), time.UnixMilli(1))
	f(time.UnixMilli(0), now)
	f(time.Time{}, now)
}
