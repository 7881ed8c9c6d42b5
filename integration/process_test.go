package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is one run of the binary.
type process struct {
	command *exec.Cmd
	admin   string // the address of its metrics and health
	began   time.Time
	out     bytes.Buffer // standard output; read it when the process has ended
	log     tail
	done    chan struct{} // closed when it has ended
}

// launch starts the binary. The caller ends the process.
func launch(arguments ...string) (*process, error) {
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p := &process{admin: admin, began: time.Now(), done: make(chan struct{})}
	if arguments[0] == "run" || arguments[0] == "incidents" {
		arguments = append(arguments, "--admin-address", admin)
	}
	p.command = exec.CommandContext(context.Background(), binary, arguments...)
	p.command.Env = withoutSettings()
	p.command.Stdout, p.command.Stderr = &p.out, &p.log
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting the binary: %w", err)
	}
	go func() {
		defer close(p.done)
		_ = p.command.Wait() // its status is in ProcessState
	}()
	return p, nil
}

// withoutSettings returns our own environment without variables that the binary would take for its settings.
func withoutSettings() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "REGIONWATCH_") })
}

// start starts the binary for one test: it is killed, and its log shown if the test failed, when that ends.
func start(t *testing.T, arguments ...string) *process {
	t.Helper()
	p, err := launch(arguments...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of regionwatch %s:\n%s", strings.Join(arguments, " "), p.log.String())
		}
	})
	return p
}

// kill is SIGKILL; it returns when the process is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.done
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		t.Errorf("sending %v: %v", s, err)
	}
}

// wait returns the exit status. It fails the test if there is none in time.
func (p *process) wait(t *testing.T, atMost time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(atMost):
		t.Fatalf("the process has not ended after %v; its log:\n%s", atMost, p.log.String())
	}
	return p.command.ProcessState.ExitCode()
}

// stop ends the process as an orchestrator does, and demands that it goes well. A signal that comes before the process
// listens for signals would end it at once: run listens before it says that it starts.
func (p *process) stop(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); p.log.lastLine() == "" && p.ended() == nil && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	p.signal(t, syscall.SIGTERM)
	if status := p.wait(t, time.Minute); status != 0 {
		t.Errorf("exit status after SIGTERM: %d, want 0; log:\n%s", status, p.log.String())
	}
}

// ended tells whether the process has ended, and how.
func (p *process) ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("the process has ended: %s; log:\n%s", p.command.ProcessState, p.log.String())
	default:
		return nil
	}
}

// get asks the admin address. A status other than 200 is an error with the body in it.
func (p *process) get(path string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.admin+path, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, response.Status, bytes.TrimSpace(body))
	}
	return string(body), err
}

// ready waits until /readyz says so.
func (p *process) ready(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		if err := p.ended(); err != nil {
			return errors.Join(errStop, err)
		}
		_, err := p.get("/readyz")
		return err
	})
}

// metrics returns what /metrics says, by name with labels as they stand.
func (p *process) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	body, err := p.get("/metrics")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		if value, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			values[line[:at]] = value
		}
	}
	return values
}

// peakRSS is the most memory that the process has held, in bytes. The kernel's own account of an ended
// process would count the test's memory too, from between fork and exec.
func (p *process) peakRSS() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// cpu is what the ended process has used of the processors.
func (p *process) cpu() time.Duration {
	return p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime()
}

// errStop in an error ends eventually early.
var errStop = errors.New("no use in trying further")

// eventually tries until there is no error, and fails the test with the last one when the time is up.
func eventually(t *testing.T, atMost time.Duration, try func() error) {
	t.Helper()
	end := time.Now().Add(atMost)
	for {
		err := try()
		if err == nil {
			return
		}
		if errors.Is(err, errStop) || time.Now().After(end) {
			t.Fatalf("after %v: %v", atMost, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// tail keeps the last part of a process's log.
type tail struct {
	mu    sync.Mutex
	bytes []byte
	lines int // of all that was written
}

const tailBytes = 64 << 10

// Write keeps b.
func (l *tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes = append(l.bytes, b...)
	l.lines += bytes.Count(b, []byte("\n"))
	if over := len(l.bytes) - tailBytes; over > 0 {
		l.bytes = append(l.bytes[:0], l.bytes[over:]...)
	}
	return len(b), nil
}

// String returns what is kept.
func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.bytes)
}

// count is the number of lines that were written, whether they are kept or not.
func (l *tail) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines
}

// lastLine is the reason that a process ends with.
func (l *tail) lastLine() string {
	lines := strings.Split(strings.TrimSpace(l.String()), "\n")
	return lines[len(lines)-1]
}

// moreThan is an error until have is more than before.
func moreThan(have, before int) error {
	if have <= before {
		return fmt.Errorf("%d, no more than before", have)
	}
	return nil
}

// sum adds up the series of one metric, whatever their labels.
func sum(metrics map[string]float64, name string) float64 {
	total := 0.0
	for series, value := range metrics {
		if base, _, _ := strings.Cut(series, "{"); base == name {
			total += value
		}
	}
	return total
}
