package scan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"go.uber.org/goleak"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// result is the output of a scan.
type result struct {
	summary *Summary
	alerts  []alert.Alert
	letters []DeadLetter
	faults  []string
}

// text returns a source of the content, read in pieces of random sizes.
func text(name, content string) Source {
	return Source{Name: name, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(&ragged{strings.NewReader(content), rand.New(rand.NewPCG(1, 2))}), nil
	}}
}

// ragged returns as many bytes per read as a pipe or disk might.
type ragged struct {
	r      io.Reader
	random *rand.Rand
}

func (r *ragged) Read(p []byte) (int, error) {
	return r.r.Read(p[:1+r.random.IntN(min(len(p), 100_000))])
}

func scanSources(t *testing.T, o Options, sources ...Source) result {
	t.Helper()
	var alerts, letters bytes.Buffer
	var r result
	o.Alerts, o.DeadLetters = &alerts, &letters
	o.OnError = func(err error) { r.faults = append(r.faults, err.Error()) }
	if o.Workers == 0 {
		o.Workers = 3
	}
	var err error
	if r.summary, err = Run(t.Context(), withPolicy(t, o), sources); err != nil {
		t.Fatal(err)
	}
	readLines(t, &alerts, &r.alerts)
	readLines(t, &letters, &r.letters)
	c := &r.summary.Counts
	if alerted := c.Outcomes[policy.OutcomeAlerted]; alerted != uint64(len(r.alerts)) || c.Records != c.Done+c.DeadLettered {
		t.Errorf("counts do not add up: %+v", c)
	}
	return r
}

func withPolicy(t *testing.T, o Options) Options {
	t.Helper()
	p, err := policy.Compile(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o.Policy = p
	o.Append = func(dst []byte, a *alert.Alert) []byte { return append(alert.AppendJSON(dst, a), '\n') }
	return o
}

func readLines[T any](t *testing.T, r io.Reader, into *[]T) {
	t.Helper()
	for dec := json.NewDecoder(r); ; {
		var v T
		switch err := dec.Decode(&v); {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			t.Fatal(err)
		}
		*into = append(*into, v)
	}
}

// places returns where each alert came from.
func (r result) places() []string {
	var places []string
	for i := range r.alerts {
		a := &r.alerts[i]
		places = append(places, fmt.Sprintf("%s@%d.%d %s %s", a.Origin.File, a.Origin.Offset, a.Origin.Index, a.EventID, a.Origin.Shape))
	}
	return places
}

func (r result) reasons() []string {
	var reasons []string
	for _, d := range r.letters {
		reasons = append(reasons, fmt.Sprintf("%s@%d+%d %s", d.File, d.Offset, d.Length, d.Reason))
	}
	return reasons
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s:\n%s", what, diff)
	}
}

func match(id string) string {
	return `{"eventVersion":"1.11","eventID":"` + id + `","awsRegion":"eu-west-3","readOnly":false}`
}

func pretty(t *testing.T, value string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(value), "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

func gzipped(t *testing.T, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	for _, m := range members {
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(m)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestOrderAndOffsets scans many chunks in parallel and compares the result with the lines read one by one.
func TestOrderAndOffsets(t *testing.T) {
	g, err := sample.New(sample.Options{Seed: 7, MatchShare: 0.2, DamagedShare: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	unused := policy.DefaultUnusedRegions
	var content strings.Builder
	var alerts, letters []string
	for content.Len() < 5<<20 {
		r := g.Next()
		for i := range r.Events {
			if e := &r.Events[i]; e.Matches(unused) {
				alerts = append(alerts, fmt.Sprintf("a@%d.0 %q ndjson", content.Len(), e.ID[:]))
			}
		}
		if r.DeadLettered() {
			letters = append(letters, fmt.Sprintf("a@%d+%d", content.Len(), len(r.Value)))
		}
		content.Write(r.Value)
		content.WriteString([]string{"\n", "\r\n", "\n\n", " \n"}[len(alerts)%4])
	}
	truth := g.Truth()
	for name, c := range map[string]string{"plain": content.String(), "gzip": gzipped(t, content.String()[:1<<20], content.String()[1<<20:])} {
		r := scanSources(t, Options{}, text("a", c))
		got := r.places()
		for i := range got {
			got[i] = strings.Replace(got[i], "gzip > ", "", 1)
		}
		want(t, name+" alerts", got, alerts...)
		got = r.reasons()
		for i := range got {
			got[i], _, _ = strings.Cut(got[i], " ")
		}
		want(t, name+" dead letters", got, letters...)
		if events := truth.Events + truth.PartialAlerts(unused); r.summary.Counts.Events != events {
			t.Errorf("%s: %d events, want %d", name, r.summary.Counts.Events, events)
		}
		if r.summary.Bytes != uint64(len(c)) || r.summary.Files != 1 {
			t.Errorf("%s: %d bytes of %d in %d files", name, r.summary.Bytes, len(c), r.summary.Files)
		}
	}
}

func TestShapes(t *testing.T) {
	f := func(name, content string, places ...string) {
		t.Helper()
		r := scanSources(t, Options{}, text("f", content))
		want(t, name, r.places(), places...)
		want(t, name, r.reasons())
	}
	one, two := match("1"), match("2")
	f("a single event", one, `f@0.0 "1" event`)
	f("no line end", one+"\n"+two, `f@0.0 "1" ndjson`, fmt.Sprintf(`f@%d.0 "2" ndjson`, len(one)+1))
	f("leading white space", "\n "+one, `f@2.0 "1" event`)
	f("byte order mark", "\xef\xbb\xbf"+one+"\n", `f@0.0 "1" event`)
	f("log file", `{"Records":[`+one+","+two+"]}", `f@0.0 "1" records`, `f@0.1 "2" records`)
	f("log file in lines", "{\"Records\":[\n"+one+"\n,\n"+two+"\n]}\n", `f@0.0 "1" records`, `f@0.1 "2" records`)
	f("array in lines", "[\n"+one+"\n]\n", `f@0.0 "1" array`)
	f("pretty log file", pretty(t, `{"Records":[`+one+","+two+"]}"), `f@0.0 "1" records`, `f@0.1 "2" records`)
	p := pretty(t, one)
	f("pretty events", p+pretty(t, two), `f@0.0 "1" ndjson`, fmt.Sprintf(`f@%d.0 "2" ndjson`, len(p)))
	f("gzip", gzipped(t, one), `f@0.0 "1" gzip`)
	f("members of gzip that cut a line", gzipped(t, one+"\n"+two[:20], two[20:]),
		`f@0.0 "1" gzip > ndjson`, fmt.Sprintf(`f@%d.0 "2" gzip > ndjson`, len(one)+1))
	f("gzip in gzip", gzipped(t, gzipped(t, one)), `f@0.0 "1" gzip > gzip`)
}

// TestPrettyValuesAcrossChunks has values of several lines across the ends of chunks, and two larger than a chunk: a
// long string full of brackets, and a log file of many events.
func TestPrettyValuesAcrossChunks(t *testing.T) {
	var content strings.Builder
	var places []string
	add := func(index int, before, after string) {
		id := fmt.Sprint(len(places))
		places = append(places, fmt.Sprintf(`f@%d.%d "%s" ndjson`, content.Len(), index, id))
		content.WriteString(pretty(t, before+match(id)+after))
	}
	for content.Len() < 6*chunkBytes {
		add(0, "", "")
		switch len(places) {
		case 50:
			add(1, `[{"eventName":"x","awsRegion":"`+strings.Repeat("{[\\\"", chunkBytes/2)+`"},`, "]")
		case 100:
			const others = 30_000
			add(others, `{"Records":[`+strings.Repeat(`{"eventName":"x","awsRegion":"y"},`, others), "]}")
			places[len(places)-1] += " > records"
		}
	}
	places[50] += " > array"
	r := scanSources(t, Options{}, text("f", content.String()))
	want(t, "alerts", r.places(), places...)
	want(t, "dead letters", r.reasons())
}

// TestStop ends a scan early: exactly what comes before the reported place has been written.
func TestStop(t *testing.T) {
	line := match("1") + "\n"
	content := strings.Repeat(line, 20*chunkBytes/len(line))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	o := withPolicy(t, Options{Alerts: &out, Workers: 2})
	o.OnProgress = func(Progress) { cancel() }
	s, err := Run(ctx, o, []Source{text("a", content), text("b", content), text("c", content)})
	if err != nil || s.Stopped == nil {
		t.Fatalf("summary %+v, error %v", s, err)
	}
	done := s.Stopped.Offset + int64(s.Files*len(content))
	if got := bytes.Count(out.Bytes(), []byte("\n")); int64(got*len(line)) != done || s.Files == 3 || done == 0 {
		t.Errorf("%d alerts are written, stopped at %+v after %d files", got, s.Stopped, s.Files)
	}
}

// TestStopWaitingSource stops a scan whose source blocks forever, while opening or reading. A value read only in part
// by then is not damage.
func TestStopWaitingSource(t *testing.T) {
	f := func(open bool, content string, alerts int, stopped Place) {
		t.Helper()
		waiting, release := make(chan struct{}), make(chan struct{})
		defer close(release)
		wait := sync.OnceFunc(func() { close(waiting); <-release })
		source := Source{Name: "pipe", Size: -1, Open: func() (io.ReadCloser, error) {
			if !open {
				wait()
			}
			return io.NopCloser(io.MultiReader(strings.NewReader(content), waitingReader(wait))), nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { <-waiting; cancel() }()
		var out, letters bytes.Buffer
		s, err := Run(ctx, withPolicy(t, Options{Alerts: &out, DeadLetters: &letters}), []Source{source})
		if err != nil || s.Stopped == nil || *s.Stopped != stopped || bytes.Count(out.Bytes(), []byte("\n")) != alerts || letters.Len() > 0 {
			t.Errorf("%q: error %v, stopped at %+v, alerts %s, dead letters %s", content, err, s.Stopped, &out, &letters)
		}
	}
	f(false, "", 0, Place{"pipe", 0})
	f(true, "", 0, Place{"pipe", 0})
	f(true, match("1")[:50], 0, Place{"pipe", 0})
	packed := gzipped(t, match("1"))
	f(true, packed[:len(packed)-9], 0, Place{"pipe", 0})
	for _, open := range packers {
		var packed strings.Builder
		w := open(&packed)
		_, err := io.WriteString(w, match("1"))
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		f(true, packed.String()[:packed.Len()-9], 0, Place{"pipe", 0})
	}
}

// waitingReader blocks, and then returns io.EOF.
type waitingReader func()

func (r waitingReader) Read([]byte) (int, error) {
	r()
	return 0, io.EOF
}

// TestFlatMemory scans far more than may be kept in memory.
func TestFlatMemory(t *testing.T) {
	const size, most = 400 << 20, 64 << 20
	g, err := sample.New(sample.Options{MatchShare: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	for block.Len() < 4<<20 {
		block.Write(append(g.Next().Value, '\n'))
	}
	source := Source{Name: "endless", Size: -1, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(&repeated{block.Bytes(), 0}, size)), nil
	}}
	var peak, before uint64
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	before = stats.HeapAlloc
	o := withPolicy(t, Options{Alerts: io.Discard, Workers: 2})
	chunks := 0
	o.OnProgress = func(Progress) {
		if chunks++; chunks%16 == 0 {
			runtime.ReadMemStats(&stats)
			peak = max(peak, stats.HeapAlloc)
		}
	}
	s, err := Run(t.Context(), o, []Source{source})
	if err != nil || s.Bytes != size {
		t.Fatalf("%d bytes, error %v", s.Bytes, err)
	}
	if peak > before+most {
		t.Errorf("%d MiB on the heap while reading %d MiB", (peak-before)>>20, size>>20)
	}
}

// repeated returns a block over and over.
type repeated struct {
	block []byte
	at    int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.block[r.at:])
	r.at = (r.at + n) % len(r.block)
	return n, nil
}

func BenchmarkScan(b *testing.B) {
	g, err := sample.New(sample.Options{MatchShare: 0.01})
	if err != nil {
		b.Fatal(err)
	}
	var block bytes.Buffer
	for block.Len() < 64<<20 {
		block.Write(append(g.Next().Value, '\n'))
	}
	p, err := policy.Compile(policy.Options{})
	if err != nil {
		b.Fatal(err)
	}
	o := Options{Policy: p, Alerts: io.Discard, MaxEventBytes: cloudtrail.DefaultMaxBytes}
	o.Append = func(dst []byte, a *alert.Alert) []byte { return append(alert.AppendJSON(dst, a), '\n') }
	b.SetBytes(int64(block.Len()))
	for b.Loop() {
		source := Source{Name: "a", Size: int64(block.Len()), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(block.Bytes())), nil }}
		if _, err := Run(b.Context(), o, []Source{source}); err != nil {
			b.Fatal(err)
		}
	}
}
