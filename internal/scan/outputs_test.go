package scan

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// Dead letters reach their file, and a file that cannot take them is an error. Without a name there is no file.
func TestLetterFile(t *testing.T) {
	none, err := CreateLetterFile("")
	if err != nil || none.Writer() != nil || none.Close() != nil {
		t.Errorf("without a name: %+v, %v", none, err)
	}
	if _, err := CreateLetterFile(t.TempDir()); err == nil {
		t.Error("no error for a folder")
	}
	name := filepath.Join(t.TempDir(), "letters")
	file, err := CreateLetterFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file.Writer(), "letter\n"); err != nil {
		t.Error(err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "letter\n" {
		t.Errorf("%q, %v", text, err)
	}
	if err := file.file.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file stays open: %v", err)
	}
	file, err = CreateLetterFile("/dev/full")
	if err != nil {
		t.Skip("needs /dev/full")
	}
	if _, err := io.WriteString(file.Writer(), "letter\n"); err != nil {
		t.Error(err)
	}
	if err := file.Close(); err == nil || !strings.Contains(err.Error(), "writing dead letters: ") {
		t.Errorf("closing a full disk's file: %v", err)
	}
}

// An output that is a file of the scan is refused, whatever its name; others of the same size are not, nor is a device.
func TestCheckOutput(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a": "xx", "b": "xx", "c": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	check := func(output string, paths ...string) error {
		t.Helper()
		for i := range paths {
			paths[i] = filepath.Join(dir, paths[i])
		}
		sources, err := List(paths, nil)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(output)
		if err != nil {
			t.Fatal(err)
		}
		return CheckOutput("flag --dead-letters", info, sources)
	}
	for _, name := range []string{"a", "link"} {
		if err := check(filepath.Join(dir, name), "c", "b", "a"); err == nil || !strings.Contains(err.Error(), "flag --dead-letters: "+dir+"/a is one of the files to scan") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(check(filepath.Join(dir, "a"), "b", "c"), check(os.DevNull, "a")); err != nil {
		t.Error(err)
	}
	if err := CheckOutput("x", must(os.Stat(filepath.Join(dir, "a"))), []Source{{Name: filepath.Join(dir, "gone"), Size: 2}}); err != nil {
		t.Error(err)
	}
	if info := must(os.Stat(os.DevNull)); CheckOutput("x", info, []Source{{Name: os.DevNull, Size: info.Size()}}) != nil {
		t.Error("a device is refused")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestWriteError ends a scan whose alerts cannot be written.
func TestWriteError(t *testing.T) {
	o := withPolicy(t, Options{Alerts: closedPipe{}})
	content := strings.Repeat(match("1")+"\n", 100_000)
	_, err := Run(t.Context(), o, []Source{text("a", content), text("b", content)})
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A full disk ends a scan with an error that says what could not be written.
func TestDeadLettersThatCannotBeWritten(t *testing.T) {
	o := withPolicy(t, Options{Alerts: io.Discard, DeadLetters: closedPipe{}})
	_, err := Run(t.Context(), o, []Source{text("a", "{")})
	if !errors.Is(err, io.ErrClosedPipe) || !strings.Contains(err.Error(), "writing dead letters: ") {
		t.Errorf("got %v", err)
	}
}

// Without a place for dead letters they are counted all the same.
func TestDeadLettersAreCountedWithoutAPlace(t *testing.T) {
	o := withPolicy(t, Options{Alerts: io.Discard, MaxEventBytes: 100})
	s, err := Run(t.Context(), o, []Source{text("a", "{\n"+match("1")+"\n"+strings.Repeat("x", 200))})
	if err != nil || s.Counts.DeadLettered != 2 || s.Counts.Records != 3 {
		t.Errorf("%+v, %v", s.Counts, err)
	}
	if files, _ := scanSources(t, Options{}, text("a", match("1"))).summary.DeadLetters.Top(1); len(files) > 0 {
		t.Errorf("files without dead letters are counted: %v", files)
	}
}

// Every alert that was kept in a file is read back from its beginning; a file that fails is an error.
func TestKeptAlertsThatCannotBeReadBack(t *testing.T) {
	open := func() *os.File {
		t.Helper()
		file, err := os.Create(filepath.Join(t.TempDir(), "kept"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		return file
	}
	c := &chunk{spilled: &spillFile{File: open()}, alerts: []byte("c")}
	w := &worker{}
	for _, alerts := range []string{"a", "b"} {
		c.alerts = []byte(alerts)
		if err := w.spill(c); err != nil || len(c.alerts) > 0 {
			t.Fatalf("%d bytes of alerts are left, %v", len(c.alerts), err)
		}
	}
	c.alerts = []byte("c")
	var out bytes.Buffer
	if err := c.writeAlerts(&out); err != nil || out.String() != "abc" {
		t.Errorf("%q, %v", &out, err)
	}
	if err := c.writeAlerts(closedPipe{}); err == nil || !strings.Contains(err.Error(), "writing alerts: ") {
		t.Errorf("writing: %v", err)
	}
	c.spilled.Close()
	if err := c.writeAlerts(&out); err == nil || !strings.Contains(err.Error(), "reading kept alerts: ") {
		t.Errorf("reading: %v", err)
	}
	if err := w.spill(c); err == nil || !strings.Contains(err.Error(), "keeping alerts: ") || len(c.alerts) == 0 {
		t.Errorf("keeping: %d bytes of alerts are left, %v", len(c.alerts), err)
	}
}

// A spill file that could not be removed while it was open is removed at the end, and no other.
func TestSpillFileIsRemoved(t *testing.T) {
	for _, named := range []bool{true, false} {
		name := filepath.Join(t.TempDir(), "kept")
		file, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		(&spillFile{File: file, named: named}).end()
		if _, err := os.Stat(name); os.IsNotExist(err) != named {
			t.Errorf("named %v: %v", named, err)
		}
	}
}

// Once halted, a scan begins no more files, but finishes the first, and tells of each file it finished.
func TestHalt(t *testing.T) {
	halt := make(chan struct{})
	close(halt)
	var finished []string
	o := withPolicy(t, Options{Alerts: io.Discard, Halt: halt})
	o.OnFile = func(s *Source, opened bool) {
		if opened {
			finished = append(finished, s.Name)
		}
	}
	s, err := Run(t.Context(), o, []Source{text("a", match("1")), text("b", match("2"))})
	if err != nil || s.Files != 1 || s.Stopped != nil || strings.Join(finished, " ") != "a" {
		t.Errorf("%+v, finished %q, %v", s, finished, err)
	}
	o.Halt = make(chan struct{}) // which stays open
	if s, err := Run(t.Context(), o, []Source{text("a", match("1")), text("b", match("2"))}); err != nil || s.Files != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

// A scan that is stopped when all files are finished has not stopped early.
func TestStopAfterTheLastFile(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := withPolicy(t, Options{Alerts: io.Discard, OnFile: func(*Source, bool) { cancel() }})
	if s, err := Run(ctx, o, []Source{text("a", match("1"))}); err != nil || s.Stopped != nil || s.Files != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// Progress counts the bytes of all files, however many chunks they have, and what was found in them.
func TestProgress(t *testing.T) {
	line := match("1") + "\n"
	lines := 3 * chunkBytes / len(line)
	a, b := text("a", strings.Repeat(line, lines)), text("b", line)
	var got []Progress
	o := withPolicy(t, Options{Alerts: io.Discard, OnProgress: func(p Progress) { got = append(got, p) }})
	if _, err := Run(t.Context(), o, []Source{a, b}); err != nil {
		t.Fatal(err)
	}
	if want := (Progress{Read: a.Size + b.Size, Events: uint64(lines) + 1, Alerts: uint64(lines) + 1}); len(got) < 3 || got[len(got)-1] != want {
		t.Errorf("%+v, want the last to be %+v", got, want)
	}
	if first := got[0]; first.Read == 0 || first.Read >= a.Size || first.Events == 0 {
		t.Errorf("after the first chunk: %+v", first)
	}
}

// A visit replaces the decision: it sees each record, and what it counts is in the summary.
func TestVisit(t *testing.T) {
	o := withPolicy(t, Options{Alerts: io.Discard})
	o.Visit = func() func([]byte, *detection.Counts) {
		return func(record []byte, counts *detection.Counts) { counts.Records += uint64(len(record)) }
	}
	one := match("1")
	s, err := Run(t.Context(), o, []Source{text("a", one+"\n"+one)})
	if err != nil || s.Counts.Records != uint64(2*len(one)) || s.Counts.Events != 0 {
		t.Errorf("%+v, %v", s.Counts, err)
	}
}

// A source that is never opened because the scan stopped first is not unreadable.
func TestStopBeforeOpening(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &file{source: Source{Open: func() (io.ReadCloser, error) { t.Error("opened"); return nil, io.EOF }}, chunks: make(chan *chunk)}
	f.read(ctx, &Options{}, nil)
	if !errors.Is(f.err, errStopped) || f.opened {
		t.Errorf("%v", f.err)
	}
}

// A chunk that no worker takes, or that does not reach the writer, before the scan stops is not done: its file has not been
// read to the end.
func TestStopWhileSending(t *testing.T) {
	for _, taken := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			work, sent := make(chan *chunk), make(chan error, 1)
			go func() { sent <- (&file{chunks: make(chan *chunk)}).send(ctx, &chunk{}, work) }()
			if taken {
				<-work
			}
			synctest.Wait()
			cancel()
			if err := <-sent; !errors.Is(err, errStopped) {
				t.Errorf("taken %v: got %v", taken, err)
			}
		})
	}
}

// A pipe is closed before the scan has seen its end. One that cannot be opened is reported with its cause.
func TestPipe(t *testing.T) {
	var closed atomic.Int32
	scanSources(t, Options{}, Source{Name: "pipe", Size: -1, Open: func() (io.ReadCloser, error) {
		return closing{strings.NewReader(match("1")), &closed, 0}, nil
	}})
	if n := closed.Load(); n != 1 {
		t.Errorf("closed %d times, want once", n)
	}
	broken := errors.New("no such device")
	r := scanSources(t, Options{}, Source{Name: "pipe", Size: -1, Open: func() (io.ReadCloser, error) { return nil, broken }})
	if len(r.faults) != 1 || !strings.Contains(r.faults[0], "pipe: no such device") {
		t.Errorf("faults %q", r.faults)
	}
}

// Without a number there is a worker per core, and the program's use of cores stays as it is.
func TestWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	if n := (&Options{}).workers(); n != 3 || runtime.GOMAXPROCS(0) != 3 {
		t.Errorf("%d workers, %d cores", n, runtime.GOMAXPROCS(0))
	}
	if n := (&Options{Workers: 1}).workers(); n != 1 {
		t.Errorf("%d workers, want 1", n)
	}
}

// closing is a reader that takes its time to close.
type closing struct {
	io.Reader
	closed *atomic.Int32
	slow   time.Duration
}

func (c closing) Close() error {
	time.Sleep(c.slow) // of a test's own clock
	c.closed.Add(1)
	return nil
}

// When Run returns, also with an error, all it has opened is closed and all its goroutines have ended.
func TestRunWaitsForItsReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opened, closed atomic.Int32
		source := Source{Name: "a", Open: func() (io.ReadCloser, error) {
			opened.Add(1)
			return closing{strings.NewReader(match("1") + "\n"), &closed, time.Minute}, nil
		}}
		_, err := Run(t.Context(), withPolicy(t, Options{Alerts: closedPipe{}, Workers: 2}), []Source{source, source, source})
		if err == nil || opened.Load() != closed.Load() {
			t.Errorf("%d sources are opened, %d closed, error %v", opened.Load(), closed.Load(), err)
		}
	})
}
