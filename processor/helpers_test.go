package processor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

func TestMain(m *testing.M) { processortest.Main(m) }

// Topics and group of every test. Each test has its own cluster.
const (
	inputTopic      = "cloudtrail"
	alertTopic      = "alerts"
	deadLetterTopic = "dead-letters"
	testGroup       = "regionwatch"
)

// scripted is a decider that follows the record's value, so that a test controls each decision:
//
//	pass           an event that is not a finding
//	alert NAME     a finding; the alert's id is NAME
//	large NAME N   a finding with a copy of the event of N bytes
//	bad            a dead letter
//	many N         N findings
//	panic          a panic in the decision
//
// Anything else is an empty record.
type scripted struct {
	counts detection.Counts
	hold   func(*detection.Record) // called before each decision, unless nil
}

func (s *scripted) take() detection.Counts {
	counts := s.counts
	s.counts = detection.Counts{}
	return counts
}

func (s *scripted) Detect(_ *policy.Policy, r *detection.Record, sink detection.Sink) error {
	if s.hold != nil {
		s.hold(r)
	}
	word, rest, _ := strings.Cut(string(r.Value), " ")
	if word == "panic" {
		panic(rest)
	}
	s.counts.Records++
	s.counts.Bytes += uint64(len(r.Value))
	if word == "bad" {
		s.counts.DeadLettered++
		s.counts.Faults[cloudtrail.ReasonSyntax]++
		fault := cloudtrail.Fault{Reason: cloudtrail.ReasonSyntax, Err: errors.New("byte 0: bad"), Index: -1, Piece: r.Value}
		return sink.DeadLetter(&detection.DeadLetter{Fault: fault, Count: 1})
	}
	s.counts.Done++
	switch word {
	case "pass":
		s.event(policy.OutcomeUsedRegion)
	case "alert":
		return s.alert(sink, rest, 0)
	case "large":
		name, size, _ := strings.Cut(rest, " ")
		n, _ := strconv.Atoi(size)
		return s.alert(sink, name, n)
	case "many":
		n, _ := strconv.Atoi(rest)
		for i := range n {
			if err := s.alert(sink, strconv.Itoa(i), 0); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *scripted) event(o policy.Outcome) {
	s.counts.Events++
	s.counts.Outcomes[o]++
	s.counts.Shapes[cloudtrail.ShapeEvent]++
}

func (s *scripted) alert(sink detection.Sink, id string, size int) error {
	s.event(policy.OutcomeAlerted)
	a := alert.Alert{ID: id, RuleID: "rule", Severity: "High", RecipientAccountID: []byte(`"123456789012"`),
		AWSRegion: []byte(`"eu-central-1"`), Policy: alert.Policy{Version: "v1"}}
	if size > 0 {
		a.Event = []byte(`{"x":"` + randomText(size) + `"}`)
	}
	return sink.Alert(&a)
}

// randomText returns incompressible text, so the broker sees its full size.
func randomText(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var b strings.Builder
	seed := uint64(n) + 88172645463325252
	for range n {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		b.WriteByte(letters[seed>>58])
	}
	return b.String()
}

// newCluster starts a broker with the topics of a test. The input has n partitions.
func newCluster(t testing.TB, n int32, opts ...kfake.Opt) *processortest.Cluster {
	t.Helper()
	return processortest.New(t, append(topicsOf(n), opts...)...)
}

func topicsOf(n int32) []kfake.Opt {
	return []kfake.Opt{
		kfake.SeedTopics(n, inputTopic), kfake.SeedTopics(2, alertTopic, deadLetterTopic),
		kfake.GroupMinSessionTimeout(100 * time.Millisecond),
	}
}

// inBubble runs a test with a cluster like newCluster's in a bubble: how long something takes is the same on any machine.
func inBubble(t *testing.T, n int32, test func(t *testing.T, c *processortest.Cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, processortest.NewVirtual(t, topicsOf(n)...)) })
}

// testOptions returns options for a cluster, with timeouts that suit a test.
func testOptions(c *processortest.Cluster) Options {
	o := optionsFor(c.ListenAddrs()...)
	o.ClientOpts = c.ClientOpts
	return o
}

func optionsFor(brokers ...string) Options {
	return Options{
		Brokers:         brokers,
		InputTopics:     []string{inputTopic},
		AlertTopic:      alertTopic,
		DeadLetterTopic: deadLetterTopic,
		Group:           testGroup,
		CommitInterval:  minCommitInterval,
		SessionTimeout:  10 * time.Second, // a busy machine must not end a session: records read again are counted again
		Policy:          func() *policy.Policy { return nil },
		Registry:        prometheus.NewRegistry(),
	}
}

// run is a processor running in a test.
type run struct {
	*Processor
	t      testing.TB
	cancel context.CancelFunc
	done   chan struct{}
	err    error // valid once done is closed
}

// start runs a processor with scripted decisions. It stops when the test ends.
func start(t testing.TB, o Options, change ...func(*Processor)) *run {
	t.Helper()
	if testing.Verbose() && o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(testWriter{}, nil))
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p.newDecider = func() decider { return &scripted{} }
	for _, f := range change {
		f(p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{Processor: p, t: t, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		if r.err = p.Run(ctx); r.err != nil {
			t.Logf("Run has ended: %v", r.err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-r.done
	})
	return r
}

// holding makes every decision call hold first.
func holding(hold func(*detection.Record)) func(*Processor) {
	return func(p *Processor) { p.newDecider = func() decider { return &scripted{hold: hold} } }
}

// told returns the channel that is closed when the worker of an assigned partition is stopped.
func (r *run) told(partition int32) <-chan struct{} {
	return r.consumer.Load().worker(kadm.Partition{Topic: inputTopic, Partition: partition}).quit
}

// stop cancels the run and returns its error.
func (r *run) stop() error {
	r.t.Helper()
	r.cancel()
	return r.wait()
}

// wait waits for the run to end and returns its error.
func (r *run) wait() error {
	r.t.Helper()
	select {
	case <-r.done:
		return r.err
	case <-time.After(time.Minute):
		r.t.Fatal("Run has not ended after a minute")
		return nil
	}
}

// refused waits for a run that must not begin to end, and returns its error.
func (r *run) refused(c *processortest.Cluster) error {
	r.t.Helper()
	c.Refused(r.done)
	return r.err
}

// mustStop stops the run without an error, and checks that its counts add up and that it has nothing any more.
func (r *run) mustStop() progress.Totals {
	r.t.Helper()
	if err := r.stop(); err != nil {
		r.t.Fatalf("Run: %v", err)
	}
	if n, age := r.health.Partitions(), r.outputs.Unacked(); n != 0 || age != 0 {
		r.t.Errorf("after the end it has %d partitions, and something that is not acknowledged for %v", n, age)
	}
	return checkConservation(r.t, r.o.Registry)
}

// lines collects log lines.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// testWriter prints log lines of a verbose test as they come.
type testWriter struct{}

func (testWriter) Write(p []byte) (int, error) { return fmt.Print(string(p)) }

// values returns n values, numbered in format.
func values(n int, format string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(format, i)
	}
	return out
}

// alertIDs counts the records by alert id.
func alertIDs(records []*kgo.Record) map[string]int {
	ids := make(map[string]int)
	for _, r := range records {
		id, _ := processortest.Header(r, output.HeaderAlertID)
		ids[id]++
	}
	return ids
}

// mustMention asserts that err is not nil and its text contains every part.
func mustMention(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that mentions %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not mention %q", err, part)
		}
	}
}
