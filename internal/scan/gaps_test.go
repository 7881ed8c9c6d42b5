package scan

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// A scan stopped between two files reports that, and the file at which it would have continued.
//
// Guard: the comparison with w.finished in Run.
func TestStopBetweenFiles(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := withPolicy(t, Options{Alerts: io.Discard, Workers: 1})
	cancelled := make(chan struct{})                             // for Run's own context, too
	o.OnProgress = func(Progress) { cancel(); close(cancelled) } // the only chunk of the first file is done
	last := text("b", match("2"))
	opened := last.Open
	last.Open = func() (io.ReadCloser, error) {
		<-cancelled
		return opened()
	}
	s, err := Run(ctx, o, []Source{text("a", match("1")), last})
	if err != nil || s.Stopped == nil || s.Stopped.File != "b" || s.Stopped.Offset != 0 {
		t.Errorf("stopped %+v, %v", s.Stopped, err)
	}
	if s, err := Run(ctx, withPolicy(t, Options{Alerts: io.Discard}), []Source{text("a", match("1"))}); err != nil || s.Stopped == nil || s.Files != 0 {
		t.Errorf("stopped before it began: %+v, %v", s.Stopped, err)
	}
	if s, err := Run(t.Context(), withPolicy(t, Options{Alerts: io.Discard}), []Source{text("a", match("1"))}); err != nil || s.Stopped != nil {
		t.Errorf("not stopped: %+v, %v", s.Stopped, err)
	}
}

// A value of exactly max-event-bytes is decided; one byte more makes it a dead letter. This holds in each layout, for
// Run and for Records.
//
// Guards: the comparisons in chunk.each and chunker.run, and the room that chunker.grow makes.
func TestExactlyTheMaximum(t *testing.T) {
	for _, most := range []int{70_000, chunkBytes} { // the second fills a buffer
		exactlyTheMaximum(t, most)
	}
}

func exactlyTheMaximum(t *testing.T, most int) {
	value := match("1")
	long := func(extra int) string {
		return strings.Replace(value, `{`, `{"pad":"`+strings.Repeat("x", most-len(value)-len(`"pad":"",`)+extra)+`",`, 1)
	}
	for name, frame := range map[string]string{"whole": "%s", "lines": "%s\n" + match("2") + "\n", "values": "{\n\"a\":1}\n%s\n"} {
		for extra, tooLarge := range map[int]bool{-1: false, 0: false, 1: true} {
			content := fmt.Sprintf(frame, long(extra))
			r := scanSources(t, Options{MaxEventBytes: most}, text("f", content))
			found := slices.ContainsFunc(r.letters, func(d DeadLetter) bool { return d.Reason == "too-large" })
			alerted := slices.ContainsFunc(r.alerts, func(a alert.Alert) bool { return string(a.EventID) == `"1"` })
			if found != tooLarge || alerted == tooLarge {
				t.Errorf("%s, %+d bytes: too large %v, alerted %v", name, extra, found, alerted)
			}
			source, passed := text("f", content), 0
			err := Records(&source, most, func(p *Part) error {
				if p.PassedOver != nil {
					passed++
					if p.PassedOver.Reason != "too-large" || len(p.PassedOver.Value) != keptBytes {
						t.Errorf("%s: passed over for %s with %d bytes", name, p.PassedOver.Reason, len(p.PassedOver.Value))
					}
				}
				return nil
			})
			if err != nil || (passed > 0) != tooLarge {
				t.Errorf("%s, %+d bytes: Records passes over %d, %v", name, extra, passed, err)
			}
		}
	}
}

// descriptors returns how many files the process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs /proc")
	}
	return len(open)
}

// Every file is closed: for whole, broken and missing input, for Records that ends early, and for a scan that cannot
// write.
//
// Guards: the deferred Close in file.read and in Records, and the end of spills in Run.
func TestNothingStaysOpen(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"a.json": match("1"), "b.json": "{", "c.gz": gzipped(t, match("2")), "d.gz": gzipped(t, match("3"))[:30], "e.json": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := List([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	spills := t.TempDir()
	t.Setenv("TMPDIR", spills)
	large := "[" + match("0")
	for i := range 20 {
		large += "," + match(strconv.Itoa(i+1))
	}
	large += "]"
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // garbage collection would close forgotten files
	before := descriptors(t)
	for range 3 {
		scanSources(t, Options{}, sources...)
		for i := range sources {
			_ = Records(&sources[i], 0, func(*Part) error { return ErrEnough })
		}
	}
	o := withPolicy(t, Options{Alerts: closedPipe{}, Workers: 4})
	o.Append = func(dst []byte, _ *alert.Alert) []byte { return append(dst, make([]byte, maxAlertBytes/4)...) }
	if _, err := Run(t.Context(), o, []Source{text("a", large), text("b", large), text("c", large)}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("writing: %v", err)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d files were open before, %d are after", before, after)
	}
	if left, err := os.ReadDir(spills); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A URL gets advice; an ordinary path with a colon does not.
func TestListURL(t *testing.T) {
	for path, want := range map[string]string{
		"s3://bucket/AWSLogs/": `s3://bucket/AWSLogs/: scan reads local files and standard input; download it first, such as with: aws s3 cp --recursive "s3://bucket/AWSLogs/" FOLDER`,
		"https://a.example/x":  "https://a.example/x: scan reads local files and standard input; download it first",
		"a:b":                  "no such file",
	} {
		sources, err := List([]string{path}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || len(sources) > 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The summary counts alerts by severity, level and result, has their time span, and says the same in JSON.
func TestSummaryData(t *testing.T) {
	event := func(at, code string) string {
		return `{"eventVersion":"1.08","eventTime":"` + at + `","eventSource":"ec2.amazonaws.com","eventName":"=RunInstances",` +
			`"awsRegion":"eu-west-3","readOnly":false` + code + `}` + "\n"
	}
	content := event("2026-11-01T10:00:00Z", "") + event("2026-11-01T12:30:00+02:00", `,"errorCode":"AccessDenied"`) +
		event("yesterday", `,"errorCode":null`) + event("2026-10-31T23:59:59Z", "")
	r := scanSources(t, Options{}, text("f", content+"{\n"), text("g", "{"))
	s := r.summary
	if s.Failed != 1 || s.First != "2026-10-31T23:59:59Z" || s.Last != "2026-11-01T10:30:00Z" {
		t.Errorf("%d failed, from %s to %s", s.Failed, s.First, s.Last)
	}
	var got struct {
		Alerts, Failed, Succeeded, DeadLetters int
		First                                  string
		Top                                    map[string][]display.Count
	}
	if err := json.Unmarshal(s.AppendJSON(nil, 2, time.Second, 1), &got); err != nil {
		t.Fatal(err)
	}
	if got.Alerts != 4 || got.Failed != 1 || got.Succeeded != 3 || got.DeadLetters != 2 || got.First != s.First ||
		!slices.Equal(got.Top["severities"], []display.Count{{Name: "High", Count: 4}}) ||
		!slices.Equal(got.Top["levels"], []display.Count{{Name: "default", Count: 4}}) || len(got.Top["deadLetterFiles"]) != 1 {
		t.Errorf("in JSON: %+v", got)
	}

	s.learn("111122223333", json.RawMessage(`{"name":"payments","group":"prod"}`))
	s.Accounts.AddMany("111122223333", 9)
	var printed strings.Builder
	s.Print(&printed, 2, time.Second, 1)
	for _, want := range []string{"111122223333  payments, group prod  9", "\nalerts from " + s.First + " to " + s.Last + "\n"} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("%q is not in %s", want, printed.String())
		}
	}

	lines := []byte(CSVHeader)
	for i := range r.alerts {
		lines = AppendCSV(lines, &r.alerts[i])
	}
	rows, err := csv.NewReader(bytes.NewReader(lines)).ReadAll()
	if err != nil || len(rows) != 5 || rows[1][5] != "'=RunInstances" || rows[2][9] != "AccessDenied" || rows[1][1] != "High" || rows[1][11] != "f" {
		t.Errorf("in CSV: %q, %v", rows, err)
	}
}
