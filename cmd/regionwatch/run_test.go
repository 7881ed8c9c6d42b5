package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// running is a running command whose log is read as it arrives.
type running struct {
	t     *testing.T
	cmd   *exec.Cmd
	start map[string]any // the start line
	ended chan struct{}

	mu    sync.Mutex
	lines []map[string]any
}

// startRun starts the command against the cluster and waits for its start line.
func startRun(t *testing.T, brokers string, args ...string) *running {
	t.Helper()
	return startCommand(t, append([]string{"run", "--brokers=" + brokers}, args...)...)
}

// startCommand starts run or incidents and waits for its start line.
func startCommand(t *testing.T, args ...string) *running {
	t.Helper()
	args = append(args, "--admin-address=127.0.0.1:0")
	r := &running{t: t, cmd: command(t, args...), ended: make(chan struct{})}
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	go r.read(stderr, started)
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); <-r.ended })
	select {
	case <-started:
	case <-r.ended:
		t.Fatalf("it ended before its start line: %v", r.log())
	}
	return r
}

// Alerts are compressed as the settings say.
func TestOutputCompression(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]uint8{"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4} {
		c := processortest.New(t, kfake.SeedTopics(1, "cloudtrail", "cloudtrail-alerts", "cloudtrail-dead-letters"))
		c.ProduceValues("cloudtrail", 1, matching)
		startRun(t, strings.Join(c.ListenAddrs(), ","), "--output-compression="+name, "--group="+name, "--instance-id=none")
		if got := c.Read("cloudtrail-alerts", 1)[0].Attrs.CompressionType(); got != want {
			t.Errorf("%s: the alert's batch has compression %d, want %d", name, got, want)
		}
	}
}

// read collects the log until the process ends.
func (r *running) read(stderr io.Reader, started chan<- struct{}) {
	defer close(r.ended)
	scanner := bufio.NewScanner(stderr)
	for scanner.Scan() {
		var line map[string]any
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			line = map[string]any{"msg": "not JSON", "line": scanner.Text()}
		}
		r.mu.Lock()
		r.lines = append(r.lines, line)
		r.mu.Unlock()
		if line["msg"] == "starting" {
			r.start = line
			close(started)
		}
	}
	_ = r.cmd.Wait() // the status is queried later
}

func (r *running) log() []map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines
}

// get queries the admin server.
func (r *running) get(path string) (status int, body string) {
	r.t.Helper()
	response, err := http.Get("http://" + r.start["admin_address"].(string) + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

func (r *running) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// status waits for the process to end and returns its exit status.
func (r *running) status() int {
	<-r.ended
	return r.cmd.ProcessState.ExitCode()
}

const (
	matching = `{"eventVersion":"1.09","eventID":"e1","eventName":"RunInstances","eventSource":"ec2.amazonaws.com",` +
		`"awsRegion":"eu-central-1","recipientAccountId":"111111111111","readOnly":false,"userIdentity":{"type":"Root"}}`
	reading = `{"eventVersion":"1.09","eventID":"e2","awsRegion":"eu-central-1","readOnly":true}`
	damaged = `{"eventVersion":"1.09","eventID":"e3",`
)

// TestRun runs the real command from events to alerts with both delivery guarantees, and stops it with each signal.
func TestRun(t *testing.T) {
	f := func(delivery string, end syscall.Signal) {
		t.Run(delivery, func(t *testing.T) {
			cluster := processortest.New(t)
			r := startRun(t, strings.Join(cluster.ListenAddrs(), ","), "--create-topics", "--partitions=2",
				"--delivery="+delivery, "--policy-version=v7", "--group=group-of-"+delivery)
			cluster.Eventually("ready", func() bool { status, _ := r.get("/readyz"); return status == 200 })
			r.signal(syscall.SIGHUP) // there is nothing to reload, and the process continues
			cluster.ProduceValues("cloudtrail", 2, matching, reading, damaged)

			alert := cluster.Read("cloudtrail-alerts", 1)[0]
			if version, _ := processortest.Header(alert, "policy-version"); version != "v7" || !bytes.Contains(alert.Value, []byte(`"e1"`)) {
				t.Errorf("alert of policy version %q: %s", version, alert.Value)
			}
			cluster.Read("cloudtrail-dead-letters", 1)
			_, metrics := r.get("/metrics")
			for _, want := range []string{"regionwatch_build_info{", "go_goroutines ", "process_cpu_seconds_total ", "go_gc_gogc_percent 300\n",
				"go_gc_gomemlimit_bytes 1.17440512e+08\n"} {
				if !strings.Contains(metrics, "\n"+want) {
					t.Errorf("metrics lack %s", want)
				}
			}
			cluster.Eventually("all done", func() bool {
				_, metrics := r.get("/metrics")
				return strings.Contains(metrics, "\nregionwatch_records_done_total 2\n") &&
					strings.Contains(metrics, "\nregionwatch_records_dead_lettered_total 1\n")
			})
			r.signal(end)
			if status := r.status(); status != cli.ExitDone {
				t.Errorf("status %d after %v: %v", status, end, r.log())
			}
			checkStart(t, r.start, delivery)
			checkAccount(t, r.log())
		})
	}
	f(config.AtLeastOnce, syscall.SIGTERM)
	f(config.ExactlyOnce, syscall.SIGINT)
}

func checkStart(t *testing.T, line map[string]any, delivery string) {
	t.Helper()
	want := map[string]any{
		"level": "INFO", "msg": "starting", "input_topics": []any{"cloudtrail"}, "alert_topic": "cloudtrail-alerts",
		"dead_letter_topic": "cloudtrail-dead-letters", "group": "group-of-" + delivery, "delivery": delivery,
		"start": "earliest", "policy_version": "v7", "unused_regions": []any{"ap-east-1", "eu-west-3", "eu-central-1"},
	}
	got := map[string]any{}
	for key := range want {
		got[key] = line[key]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("start line (-want +got):\n%s", diff)
	}
	for _, key := range []string{"version", "brokers", "instance_id", "admin_address"} {
		if line[key] == nil || line[key] == "" {
			t.Errorf("start line lacks %s", key)
		}
	}
}

// checkAccount asserts that the last line has the outcome of every record.
func checkAccount(t *testing.T, log []map[string]any) {
	t.Helper()
	last := log[len(log)-1]
	want := map[string]any{
		"level": "INFO", "msg": "stopped", "records": 3., "records_done": 2., "records_dead_lettered": 1., "events": 2.,
		"alerted": 1., "exempted": 0., "passed": 1., "partial": 0., "alerts_acknowledged": 1., "dead_letters_acknowledged": 1.,
	}
	got := map[string]any{}
	for key := range want {
		got[key] = last[key]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
	for _, line := range log {
		if line["msg"] == "not JSON" || line["level"] == "ERROR" {
			t.Errorf("log has %v", line)
		}
	}
}

// TestRunSecondSignal uses a broker that does not answer commits: draining takes a while, and a second signal ends the
// process at once.
func TestRunSecondSignal(t *testing.T) {
	cluster := processortest.New(t)
	release := make(chan struct{})
	defer close(release)
	r := startRun(t, strings.Join(cluster.ListenAddrs(), ","), "--create-topics", "--partitions=1")
	cluster.Eventually("ready", func() bool { status, _ := r.get("/readyz"); return status == 200 })
	held := make(chan struct{}, 1)
	cluster.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		select {
		case held <- struct{}{}:
		default:
		}
		cluster.SleepControl(func() { <-release })
		return nil, nil, false
	})
	cluster.ProduceValues("cloudtrail", 1, matching)
	<-held
	r.signal(syscall.SIGTERM)
	cluster.Eventually("not ready while draining", func() bool {
		status, body := r.get("/readyz")
		return status == 503 && strings.Contains(body, "draining")
	})
	// Wait out the window in which another signal counts as the first one.
	for r.cmd.Process.Signal(syscall.SIGINT) == nil {
		select {
		case <-r.ended:
		case <-time.After(cli.SameSignal):
		}
	}
	if status := r.status(); status != 130 {
		t.Errorf("status %d, want 130: %v", status, r.log())
	}
}

// TestRunFault shows that an error that ends the process is the last line of the log, and the status is 1.
func TestRunFault(t *testing.T) {
	cluster := processortest.New(t)
	r := startRun(t, strings.Join(cluster.ListenAddrs(), ","), "--input-topic=absent")
	if status := r.status(); status != cli.ExitFault {
		t.Errorf("status %d, want %d", status, cli.ExitFault)
	}
	last := r.log()[len(r.log())-1]
	if text, _ := last["error"].(string); last["level"] != "ERROR" || !strings.Contains(text, `"absent"`) {
		t.Errorf("last line %v", last)
	}
}

// A mistake in a variable of the OpenTelemetry SDK ends run before it connects, as a mistake in a setting does. Other
// commands send nothing and do not read them.
func TestTelemetryMistake(t *testing.T) {
	f := func(want int, args ...string) {
		t.Helper()
		cmd := command(t, args...)
		cmd.Env = append(cmd.Env, "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318")
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%q: status %d, want %d:\n%s", args, got, want, out)
		}
		if said := strings.Contains(string(out), `OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" is not a URL`); said != (want != 0) {
			t.Errorf("%q:\n%s", args, out)
		}
	}
	f(cli.ExitMistake, "run", "--brokers=127.0.0.1:1", "--instance-id=none")
	f(0, "version")
}
