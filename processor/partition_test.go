package processor

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/output"
	"github.com/regionwatch/regionwatch/processor/processortest"
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

// The memory of a batch is free before its alerts are acknowledged, and what is left in the queue at the end counts as returned.
//
// Guards: clear in process; giveUp.
func TestBatchIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := quietProcessor(t)
		p.newDecider = func() decider { return &scripted{} }
		client, err := p.newClient(t.Context(), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		records, sent, released := []*kgo.Record{{Topic: inputTopic, Value: []byte("alert 1")}}, 0, false
		out := p.outputs.Open(t.Context(), func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
			if sent++; sent == 1 {
				promise(r, kgo.ErrRecordTimeout)
				return
			}
			promise(r, nil)
		}, func() error { released = records[0] == nil; return nil })
		defer out.Close()
		w := &partition{c: &consumer{p: p, client: client, flow: flow.NewFlow(nil)}, ctx: t.Context(), output: out, decision: p.newDecision(nil, out, nil), queue: flow.NewQueue()}
		if err := w.process(flow.Batch{Records: records}); err != nil || !released || sent != 2 {
			t.Errorf("%v; sent %d times, the batch is released: %t", err, sent, released)
		}
		w.queue.Put(flow.Batch{Records: []*kgo.Record{{}}})
		if w.giveUp(); p.tally.Snapshot().Abandoned != 1 {
			t.Errorf("%d records returned, want 1", p.tally.Snapshot().Abandoned)
		}
	})
}

// Nothing keeps the output of a worker that has ended: partitions come and go for as long as the process runs.
//
// Guard: Close in run.
func TestEndedWorkerIsForgotten(t *testing.T) {
	p, _ := quietProcessor(t)
	ended := func() weak.Pointer[output.Output] {
		w := &partition{queue: flow.NewQueue(), quit: make(chan struct{}), done: make(chan struct{}), abandon: func(error) {}}
		w.output = p.outputs.Open(t.Context(), nil, w.stopped)
		w.stop()
		w.run()
		return weak.Make(w.output)
	}()
	if runtime.GC(); ended.Value() != nil {
		t.Error("it is kept")
	}
	runtime.KeepAlive(p)
}

// Nothing is polled while as much waits for the workers as may: records stay with the client, and then with the broker.
//
// Guard: the wait for room in pollAll.
func TestPollWaitsForRoom(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	r := start(t, testOptions(c))
	c.Eventually("ready", func() bool { return r.Ready() == nil })
	consumer, full := r.consumer.Load(), kadm.Partition{Topic: inputTopic}
	consumer.flow.Put(full, 2*flow.HeldBytes)
	read := func() uint64 { return r.tally.Snapshot().Read }
	produced := uint64(0)
	for produced == read() { // the first may come with a poll that was under way
		c.Produce(&kgo.Record{Topic: inputTopic, Partition: 1, Value: []byte("pass")})
		produced++
		c.Eventually("with the client or read", func() bool { return consumer.client.BufferedFetchRecords() > 0 || read() == produced })
		if produced > 2 {
			t.Fatalf("%d records are read", read())
		}
	}
	for range 100 {
		c.End(inputTopic, 1) // gives a poll time
	}
	if read() == produced {
		t.Errorf("%d records are read", read())
	}
	consumer.flow.Done(full, 2*flow.HeldBytes)
	c.Eventually("all are read", func() bool { return read() == produced })
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

// A worker that is stopped without a batch counts none.
//
// Guard: the end of run.
func TestWorkerStopsIdle(t *testing.T) {
	p, _ := quietProcessor(t)
	client, err := p.newClient(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c := &consumer{p: p, ctx: t.Context(), client: client, flow: flow.NewFlow(client), failed: make(chan error, 1)}
	w := c.startPartition(kadm.Partition{Topic: inputTopic})
	w.stop()
	<-w.done
	if n := processortest.Scrape(t, p.o.Registry)["regionwatch_batch_duration_seconds{count}"]; n != 0 || len(c.failed) != 0 {
		t.Errorf("%v batches are counted, %d failures", n, len(c.failed))
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
