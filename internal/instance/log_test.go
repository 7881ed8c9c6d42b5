package instance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// scripted is a processor whose status and readiness a test sets.
type scripted struct {
	mu     sync.Mutex
	status processor.Status
	ready  error
}

// set changes status and readiness.
func (s *scripted) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Status implements Progress.
func (s *scripted) Status() processor.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	status.Partitions = slices.Clone(status.Partitions)
	return status
}

// Ready implements Progress.
func (s *scripted) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

// buffer is a bytes.Buffer that two goroutines share.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(text)
}

// take returns what was written since the last take.
func (b *buffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.Reset()
	return b.String()
}

// A summary has what happened since the last one.
func TestSummaryAttributes(t *testing.T) {
	var from, to processor.Status
	from.Counts.Events, from.Acked, from.DeadLetter = 100, 10, 1
	from.Counts.Outcomes[policy.OutcomeShadowed], from.Counts.Outcomes[policy.OutcomeExempted] = 20, 30
	to.Counts.Events, to.Acked, to.DeadLetter, to.Assigned, to.Lag = 107, 16, 6, 3, 2
	to.Counts.Outcomes[policy.OutcomeShadowed], to.Counts.Outcomes[policy.OutcomeExempted] = 24, 33
	if got, want := fmt.Sprint(attributes(&from, &to)...), fmt.Sprint("events", uint64(7), "alerts", uint64(6), "dead_letters", uint64(5),
		"shadowed", uint64(4), "exempted", uint64(3), "partitions", 3, "lag", 2); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	from.Stage, to.Stage = []processor.StageCount{{Name: "read", N: 5}}, []processor.StageCount{{Name: "read", N: 7}, {Name: "late", N: 4}}
	if got, want := fmt.Sprint(attributes(&from, &to)...), fmt.Sprint("read", uint64(2), "late", uint64(4), "dead_letters", uint64(5),
		"partitions", 3, "lag", 2); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The last line of the log has the counts of the whole run, of a stage its own.
func TestLogSummary(t *testing.T) {
	var log buffer
	var s processor.Status
	s.Counts.Records, s.Counts.Done, s.Counts.DeadLettered, s.Counts.Events, s.Counts.Partial = 9, 8, 1, 7, 2
	s.Counts.Outcomes[policy.OutcomeAlerted], s.Counts.Outcomes[policy.OutcomeReadOnly], s.Acked, s.DeadLetter = 3, 4, 5, 6
	logSummary(slog.New(slog.NewTextHandler(&log, nil)), s, 2500*time.Millisecond)
	if got := log.take(); !strings.Contains(got, "msg=stopped seconds=2.5 records=9 records_done=8 records_dead_lettered=1 events=7 alerted=3 "+
		"shadowed=0 exempted=0 passed=4 partial=2 alerts_acknowledged=5 dead_letters_acknowledged=6") {
		t.Errorf("got %s", got)
	}
	s.Stage = []processor.StageCount{{Name: "read", N: 7}}
	logSummary(slog.New(slog.NewTextHandler(&log, nil)), s, time.Second)
	if got := log.take(); !strings.Contains(got, "read=7 dead_letters_acknowledged=6") || strings.Contains(got, "alerted") {
		t.Errorf("got %s", got)
	}
}

// The offsets of many partitions do not fill the log.
func TestOffsets(t *testing.T) {
	list := make([]processor.PartitionStatus, 66)
	for i := range list {
		list[i] = processor.PartitionStatus{Topic: "a", Partition: int32(i), Start: int64(i)}
	}
	list[1].Start = -1
	if got := offsets(list[:2]); got != "a:0:0 a:1:?" {
		t.Errorf("got %s", got)
	}
	if got := offsets(list[:64]); !strings.HasSuffix(got, "a:62:62 a:63:63") {
		t.Errorf("64: got %s", got)
	}
	if got := offsets(list[:65]); !strings.HasSuffix(got, "a:63:63 and 1 more") {
		t.Errorf("65: got %s", got)
	}
	if got := offsets(list); !strings.HasSuffix(got, "a:63:63 and 2 more") {
		t.Errorf("66: got %s", got)
	}
}

// Partitions in another order are the same partitions, and one whose start is 0 is known. Without an interval there is no
// summary.
func TestLookAtPartitions(t *testing.T) {
	var log buffer
	w := watcher{log: slog.New(slog.NewTextHandler(&log, nil))}
	a, b := processor.PartitionStatus{Topic: "a"}, processor.PartitionStatus{Topic: "a", Partition: 1}
	notReady := errors.New("not yet")
	w.look(processor.Status{Partitions: []processor.PartitionStatus{b, a}}, notReady, time.Now())
	if got := log.take(); !strings.Contains(got, "partitions assigned") {
		t.Errorf("log %s", got)
	}
	w.look(processor.Status{Partitions: []processor.PartitionStatus{a, b}}, notReady, time.Now())
	if got := log.take(); got != "" {
		t.Errorf("log %s", got)
	}
}

// One line for each change, none without a change, and a summary for each interval.
func TestLogProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log buffer
		p := &scripted{ready: errors.New("no partitions")}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			LogProgress(ctx, p, time.Hour, slog.New(slog.NewTextHandler(&log, nil)))
		}()
		after := func(d time.Duration, want ...string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			logged := log.take()
			if lines := strings.Count(logged, "\n"); lines != len(want) {
				t.Errorf("%d lines, want %d: %s", lines, len(want), logged)
			}
			for _, w := range want {
				if !strings.Contains(logged, w) {
					t.Errorf("lacks %q: %s", w, logged)
				}
			}
		}
		after(10 * time.Second)
		p.set(func() { p.status.Connected = true })
		after(2*time.Second, "msg=connected")
		p.set(func() { p.status.Members = []progress.Member{{ID: "one", Generation: 7}} })
		after(2*time.Second, `msg="joined the consumer group" member=one generation=7`)
		p.set(func() {
			p.status.Assigned, p.status.Partitions = 1, []processor.PartitionStatus{{Topic: "a", Partition: 3, Start: -1, Next: -1}}
		})
		after(2 * time.Second) // the offset is not known yet
		p.set(func() { p.status.Partitions[0].Start, p.status.Partitions[0].Next = 42, 50 })
		after(2*time.Second, `msg="partitions assigned" partitions=1 start_offsets=a:3:42`)
		p.set(func() { p.ready = nil })
		after(2*time.Second, "msg=ready")
		p.set(func() { p.ready = errors.New("lost") })
		after(2*time.Second, `level=WARN msg="not ready" error=lost`)
		p.set(func() { p.ready = fmt.Errorf("%w for 23s", progress.ErrSilence) })
		after(20*time.Second, `level=WARN msg="the brokers do not answer, trying again until they do" error="no broker has answered for 23s"`)
		p.set(func() { p.ready = errors.New("lost") })
		after(20*time.Second, `level=INFO msg="the brokers answer"`)
		p.set(func() { p.ready, p.status.Counts.Events, p.status.Acked, p.status.Lag = nil, 10, 2, 5 })
		after(2*time.Second, "msg=ready")
		after(time.Hour, "msg=summary seconds=3600 events=10 alerts=2 dead_letters=0 shadowed=0 exempted=0 partitions=1 lag=5")
		after(time.Hour, "events=0 alerts=0")
		p.set(func() { p.status.Stage = []processor.StageCount{{Name: "counted", N: 7}, {Name: "late", N: 1}} })
		after(time.Hour, "msg=summary seconds=3600 counted=7 late=1 dead_letters=0 partitions=1 lag=5")
		after(time.Hour, "counted=0 late=0")
		cancel()
		<-ended
	})
}
