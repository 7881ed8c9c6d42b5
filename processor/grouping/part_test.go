package grouping

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// stateOf is the state topic of one partition.
type stateOf []*kgo.Record

func (s stateOf) read(record func(key, value []byte) error) error {
	for _, r := range s {
		if err := record(r.Key, r.Value); err != nil {
			return err
		}
	}
	return nil
}

func (s *stateOf) add(records []*kgo.Record) (incidents int) {
	for _, r := range records {
		if r.Topic == stateTopic {
			*s = append(*s, r)
		} else {
			incidents++
		}
	}
	return incidents
}

func newStage(t *testing.T, limits incident.Options, current func() *policy.Policy) *Stage {
	t.Helper()
	s, err := New(Options{IncidentTopic: incidentTopic, StateTopic: stateTopic, Policy: current, Registry: prometheus.NewRegistry(), Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func restore(t *testing.T, s *Stage, partition int32, state stateOf) *part {
	t.Helper()
	p, err := s.Restore(kadm.Partition{Topic: alertTopic, Partition: partition}, state.read)
	if err != nil {
		t.Fatal(err)
	}
	return p.(*part)
}

func grouped(t *testing.T, threshold uint64) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(policy.Options{Default: policy.Level{
		UnusedRegions: []string{"eu-west-3"}, Incidents: &policy.Incidents{Threshold: threshold},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A partition that moves between two sessions of a process is in memory once, and counts once: another partition that fits
// beside it stays exact. The older state is of no use from then on.
//
// Guard: supersede.
func TestMovingPartitionCountsOnce(t *testing.T) {
	const each = 400
	exact := grouped(t, 1)
	budget := &incident.Budget{MaxIDs: 2*each + 10}
	s := newStage(t, incident.Options{Budget: budget}, func() *policy.Policy { return exact })
	now := time.Now()
	take := func(p *part, from, n int) {
		t.Helper()
		for i := from; i < from+n; i++ {
			if fault := p.Take(&kgo.Record{Value: []byte(alertAt(i, now)), Timestamp: now}, now); fault != nil {
				t.Fatal(fault.Err)
			}
		}
	}
	var state stateOf
	moving, other := restore(t, s, 0, nil), restore(t, s, 1, nil)
	take(moving, 0, each)
	take(other, 10_000, each)
	state.add(moving.Flush(time.Time{}))
	older := moving.grouper
	again := restore(t, s, 0, state)
	if moving.grouper == older {
		t.Error("the older state is still in memory")
	}
	take(other, 20_000, 5)
	if _, ids := budget.Size(); ids != 2*each+5 || s.sizes().Estimates != 0 || s.sizes().IDs != 2*each+5 {
		t.Errorf("%d ids, %+v", ids, s.sizes())
	}
	if !moving.Superseded() || again.Superseded() || other.Superseded() {
		t.Error("the older state, and no other, must be superseded")
	}
	take(moving, 30_000, 50) // by a session that does not know yet
	if _, ids := budget.Size(); ids != 2*each+5 {
		t.Errorf("%d ids while the older state is there", ids)
	}
	moving.Drop()
	if _, ids := budget.Size(); ids != 2*each+5 {
		t.Errorf("%d ids after the older state was dropped", ids)
	}
	again.Drop()
	other.Drop()
	if incidents, ids := budget.Size(); incidents != 0 || ids != 0 {
		t.Errorf("%d incidents and %d ids after all were dropped", incidents, ids)
	}
}

// A reloaded policy with a lower threshold creates incidents at the next flush, without another alert. Alerts that are read
// after it count as what they are themselves.
//
// Guards: Reconsider in Flush, Advance in Take.
func TestLoweredThreshold(t *testing.T) {
	high, low := grouped(t, 10), grouped(t, 2)
	current := high
	s := newStage(t, incident.Options{}, func() *policy.Policy { return current })
	p := restore(t, s, 0, nil)
	now := time.Now()
	take := func(n int) {
		p.Take(&kgo.Record{Value: []byte(alertAt(n, now)), Timestamp: now}, now)
	}
	for n := range 24 { // two of each of four accounts and three principals
		take(n)
	}
	var state stateOf
	if n := state.add(p.Flush(now)); n != 0 {
		t.Errorf("%d incidents below the threshold", n)
	}
	current = low
	if n := state.add(p.Flush(now.Add(time.Second))); n != 12 {
		t.Errorf("%d incidents after the threshold was lowered, want 12", n)
	}
	current = high
	if n := state.add(p.Flush(now.Add(2 * time.Second))); n != 0 {
		t.Errorf("%d incidents written after it was raised", n)
	}
	current, now = low, now.Add(48*time.Hour)
	p.Flush(time.Time{}) // the clock stands: there is something to read
	take(1_000)          // in a new window, below the threshold
	take(1_000)
	p.Commit()
	got := s.snapshot()
	if want := fmt.Sprint(uint64(25), uint64(1)); fmt.Sprint(got.below, got.repeated) != want || got.counted != 0 {
		t.Errorf("%+v, want %s below and repeated", got, want)
	}
	if all := p.grouper.Counts(); all.Counted != 24 || all.Below != 1 || all.Repeated != 1 {
		t.Errorf("%+v", all)
	}

	current = high
	p = restore(t, s, 1, nil)
	take(0)
	take(12) // of the same incident
	current, now = low, now.Add(time.Second)
	p.Flush(time.Time{})
	take(1) // of another one, while the clock makes the first an incident
	p.Commit()
	if got := s.snapshot(); got.below != 28 || got.counted != 0 || p.grouper.Counts().Counted != 2 {
		t.Errorf("%+v, want 28 below; %+v", got, p.grouper.Counts())
	}
}

// The most important incidents of all partitions come first.
//
// Guard: the order in Open.
func TestOpenOfAllPartitions(t *testing.T) {
	exact, now := grouped(t, 1), time.Now()
	s := newStage(t, incident.Options{}, func() *policy.Policy { return exact })
	for partition, numbers := range [][]int{{0, 12, 24, 1}, {2, 14}} { // with 3, 1 and 2 alerts
		p := restore(t, s, int32(partition), nil)
		for _, n := range numbers {
			p.Take(&kgo.Record{Value: []byte(alertAt(n, now)), Timestamp: now}, now)
		}
	}
	for _, want := range [][]uint64{{3, 2, 1}, {3, 2}, {3}} {
		var got []uint64
		for _, i := range s.Open(len(want)) {
			got = append(got, i.Counts.Alerts)
		}
		if !slices.Equal(got, want) {
			t.Errorf("incidents with %d alerts, want %d", got, want)
		}
	}
}

// What is no alert, and a storm that begins, is logged with what an operator needs to find it.
//
// Guards: the log in Take, and in Flush.
func TestLog(t *testing.T) {
	exact := grouped(t, 1)
	var log bytes.Buffer
	s, err := New(Options{
		IncidentTopic: incidentTopic, StateTopic: stateTopic, Policy: func() *policy.Policy { return exact }, Registry: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Limits: incident.Options{MaxPerWindow: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, now := restore(t, s, 0, nil), time.Now()
	take := func(value string) *deadletter.Fault {
		return p.Take(&kgo.Record{Topic: "alerts", Partition: 3, Offset: 42, Value: []byte(value), Timestamp: now}, now)
	}
	want := func(lines int, parts ...string) {
		t.Helper()
		if strings.Count(log.String(), "level=WARN") != lines {
			t.Errorf("want %d warnings: %s", lines, log.String())
		}
		for _, part := range parts {
			if !strings.Contains(log.String(), part) {
				t.Errorf("no %q in %s", part, log.String())
			}
		}
	}
	take(alertAt(4, now))
	p.Flush(time.Time{})
	want(0)
	if take("{}") == nil {
		t.Error("it is an alert")
	}
	want(1, "a record is no alert", "record=alerts:3:42", "its id is not a UUID")
	take(alertAt(8, now))
	p.Flush(time.Time{})
	want(2, "a storm begins", "account=", "incident=")
	take(alertAt(12, now))
	p.Flush(now.Add(time.Hour))
	want(2)
}
