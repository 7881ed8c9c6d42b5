package processor

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/flow"
)

// A record is decided by all that is known of it. One that was replayed keeps its first place as its name.
//
// Guards: each line of fill and lastOf.
func TestFill(t *testing.T) {
	at := time.UnixMilli(2_000)
	r := &kgo.Record{Topic: "t", Partition: 3, Offset: 4, LeaderEpoch: 5, Timestamp: time.UnixMilli(1_000), Value: []byte("x"), Key: []byte("k")}
	d := detection.Record{Identity: func() string { return "an older record" }}
	if got := fill(&d, r, at); got != &d || !reflect.DeepEqual(d, detection.Record{
		Value: r.Value, Topic: "t", Partition: 3, Offset: 4, Timestamp: r.Timestamp, DecidedAt: at,
	}) {
		t.Errorf("%+v", d)
	}
	r.Headers = []kgo.RecordHeader{
		{Key: deadletter.ReplayTopic, Value: []byte("first")}, {Key: deadletter.ReplayPartition, Value: []byte("6")}, {Key: deadletter.ReplayOffset, Value: []byte("7")},
	}
	if fill(&d, r, at); d.Identity == nil || d.Identity() != "first/6/7" {
		t.Error("a replayed record has another name")
	}
	if lastOf(nil) != nil {
		t.Error("the last of none")
	}
	want := &kgo.Record{Topic: "t", Partition: 3, Offset: 4, LeaderEpoch: 5, Timestamp: r.Timestamp}
	if got := lastOf([]*kgo.Record{{Offset: 3}, r}); !reflect.DeepEqual(got, want) {
		t.Errorf("the last is %+v, want %+v", got, want)
	}
}

// What waits for its turn to take much memory, and is stopped meanwhile, is not decided: its batch must not be marked.
//
// Guards: takeTurn in batch, and its quit; both stops in decide.
func TestStoppedWhileWaitingForTurn(t *testing.T) {
	p, _ := quietProcessor(t)
	quit := make(chan struct{})
	out := p.outputs.Open(t.Context(), nil, func() error { return nil })
	defer out.Close()
	d := p.newDecision(nil, out, quit)
	<-p.deciders.heavy // somebody else's turn
	close(quit)
	if err := d.batch(nil, time.Now(), &kgo.Record{}, nil); !errors.Is(err, errStopped) {
		t.Errorf("a batch that never had its turn: %v", err)
	}
	if n, err := d.decide(nil, time.Now(), []*kgo.Record{{}}); n != 0 || !errors.Is(err, errStopped) {
		t.Errorf("%d decided after the stop, %v", n, err)
	}
	stopping := make(chan struct{})
	p.newDecider = func() decider { return &scripted{hold: func(*detection.Record) { close(stopping) }} }
	if n, err := p.newDecision(nil, out, stopping).decide(nil, time.Now(), []*kgo.Record{{}, {}}); n != 1 || !errors.Is(err, errStopped) {
		t.Errorf("stopped in the first of two records: %d decided, %v", n, err)
	}
	for len(p.deciders.free) > 0 {
		<-p.deciders.free // all are at work
	}
	if n, err := d.decide(nil, time.Now(), []*kgo.Record{{}}); n != 0 || !errors.Is(err, errStopped) {
		t.Errorf("%d decided without a decider, %v", n, err)
	}
	p.deciders.heavy <- struct{}{}
	again := p.newDecision(nil, out, nil)
	for range 2 {
		if err := again.takeTurn(); err != nil || !again.turn || len(p.deciders.heavy) != 0 {
			t.Errorf("turn %t, %v", again.turn, err)
		}
	}
}

// A worker ends with the first batch that is not decided: it would mark those that follow, and with them that one.
//
// Guard: the error of process.
func TestUndecidedBatch(t *testing.T) {
	p, _ := quietProcessor(t)
	failure := errors.New("no record is decided")
	p.newDecider = func() decider { return &failing{err: failure} }
	out := p.outputs.Open(t.Context(), nil, func() error { return nil })
	defer out.Close()
	w := &partition{c: &consumer{p: p, flow: flow.NewFlow(nil)}, ctx: t.Context(), output: out, decision: p.newDecision(nil, out, nil)}
	if err := w.process(flow.Batch{Records: []*kgo.Record{{}}}); !errors.Is(err, failure) || p.tally.Snapshot().Abandoned != 1 {
		t.Errorf("%v, want %v; %d records returned", err, failure, p.tally.Snapshot().Abandoned)
	}
}

// A worker that is stopped says so.
func TestWorkerStops(t *testing.T) {
	w := &partition{quit: make(chan struct{})}
	if err := w.stopped(); err != nil {
		t.Errorf("%v before the stop", err)
	}
	w.stop()
	w.stop() // of a rebalance that comes twice
	if err := w.stopped(); !errors.Is(err, errStopped) {
		t.Errorf("%v after the stop", err)
	}
}

// A member that lost its place is not ready.
//
// Guards: Lost in lost and OnGroupManageError.
func TestLostIsNotReady(t *testing.T) {
	for name, lose := range map[string]func(c *consumer){
		"lost":         func(c *consumer) { c.lost(t.Context(), c.client, nil) },
		"out of group": func(c *consumer) { c.OnGroupManageError(nil) },
	} {
		p, _ := quietProcessor(t)
		client, err := p.newClient(t.Context(), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		c := &consumer{p: p, client: client}
		p.health.Assigned(client, func(yield func(kadm.Partition) bool) { yield(kadm.Partition{Topic: inputTopic}) })
		before := p.health.Partitions()
		if lose(c); before != 1 || p.health.Partitions() != 0 {
			t.Errorf("%s: %d partitions before, %d after", name, before, p.health.Partitions())
		}
	}
}

// The first failure ends Run.
func TestFirstFailureCounts(t *testing.T) {
	c := &consumer{failed: make(chan error, 1)}
	c.fail(errStopped)
	c.fail(errAbandoned)
	if err := <-c.failed; !errors.Is(err, errStopped) || errors.Is(err, errAbandoned) {
		t.Errorf("%v", err)
	}
}
