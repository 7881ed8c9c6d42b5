package processor

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

const stateTopic = "state"

// ledger is a stage that adds up the numbers of each partition, and writes each sum:
//
//	N       adds N
//	due     a sum to write when the partition is caught up
//	bad     a dead letter
//	panic   a panic, each time
//	foreign the input is not for us
type ledger struct {
	mu    sync.Mutex
	parts map[*sum]bool
	taken uint64 // committed
	torn  error  // why a state that was read cannot be restored
}

// sum is the state of one partition.
type sum struct {
	l          *ledger
	partition  int32
	n          int
	since      uint64 // taken since the last Commit
	changed    bool
	due        bool
	superseded bool
}

func (l *ledger) Check(r *kgo.Record) error {
	if string(r.Value) == "foreign" {
		return errors.New("not for us")
	}
	return nil
}

func (l *ledger) Counts() []StageCount {
	l.mu.Lock()
	defer l.mu.Unlock()
	return []StageCount{{Name: "taken", N: l.taken}}
}

func (l *ledger) Restore(tp kadm.Partition, read func(record func(key, value []byte) error) error) (StageState, error) {
	s := &sum{l: l, partition: tp.Partition}
	if err := read(func(key, value []byte) (err error) {
		if string(key) != "sum" {
			return errors.New("an unknown key")
		}
		s.n, err = strconv.Atoi(string(value))
		return err
	}); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for older := range l.parts {
		older.superseded = older.superseded || older.partition == tp.Partition
	}
	if l.parts == nil {
		l.parts = make(map[*sum]bool)
	}
	l.parts[s] = true
	return s, l.torn
}

func (s *sum) Take(r *kgo.Record, _ time.Time) *deadletter.Fault {
	s.since++
	switch string(r.Value) {
	case "bad", "foreign":
		return &deadletter.Fault{Reason: deadletter.ReasonNotAlert, Err: errors.New("no number"), Index: -1, Offset: -1}
	case "panic":
		panic("at the disco")
	case "due":
		s.due = true
		return nil
	}
	n, _ := strconv.Atoi(string(r.Value))
	s.n, s.changed = s.n+n, true
	return nil
}

func (s *sum) Flush(now time.Time) (records []*kgo.Record) {
	value := []byte(strconv.Itoa(s.n))
	if s.changed {
		records = append(records, &kgo.Record{Topic: alertTopic, Key: fmt.Append(nil, s.partition), Value: value})
	}
	if s.due && !now.IsZero() {
		records = append(records, &kgo.Record{Topic: alertTopic, Key: []byte("due"), Value: value})
		s.due, s.changed = false, true
	}
	if s.changed {
		records = append(records, &kgo.Record{Topic: stateTopic, Partition: s.partition, Key: []byte("sum"), Value: value})
	}
	s.changed = false
	return records
}

func (s *sum) Commit() {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	s.l.taken, s.since = s.l.taken+s.since, 0
}

func (s *sum) Superseded() bool {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	return s.superseded
}

func (s *sum) Drop() {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	delete(s.l.parts, s)
}

// withStage makes a processor one with a stage.
func withStage(o *Options) { o.Delivery, o.Stage, o.StateTopic = ExactlyOnce, &ledger{}, stateTopic }

// stagedOptions returns options of an instance with a ledger.
func stagedOptions(c *processortest.Cluster, instance string, l *ledger) Options {
	o := testOptions(c)
	o.Delivery, o.InstanceID, o.Sessions, o.CreateTopics, o.Stage, o.StateTopic = ExactlyOnce, instance, 1, true, l, stateTopic
	return o
}

// sums returns the last sum that was written of each key.
func sums(c *processortest.Cluster) map[string]string {
	last := make(map[string]string)
	for _, r := range c.ReadAll(alertTopic) {
		last[string(r.Key)] = string(r.Value)
	}
	return last
}

func toPartition(n int32, values ...string) (records []*kgo.Record) {
	for _, v := range values {
		records = append(records, &kgo.Record{Topic: inputTopic, Partition: n, Value: []byte(v)})
	}
	return records
}

// Each record is in a state once: over a restart, beside dead letters and panics, and with what is due by the clock alone.
//
// Guards: group and taken, the poison, idle, the clock in collect, settle, marked.
func TestStage(t *testing.T) {
	t.Parallel()
	c, l := newCluster(t, 2), &ledger{}
	if err := c.CreateTopic(stateTopic, 2, map[string]string{"max.message.bytes": "200000"}); err != nil {
		t.Fatal(err)
	}
	o, log := stagedOptions(c, "one", l), new(lines)
	o.Logger = log.logger()
	r := start(t, o)
	c.Produce(toPartition(0, "1", "bad", "2", "due")...)
	c.Produce(toPartition(1, "10", "panic", "20")...)
	c.Eventually("summed", func() bool { s := sums(c); return s["0"] == "3" && s["1"] == "30" && s["due"] == "3" })
	c.Eventually("committed", func() bool {
		return c.Committed(testGroup, inputTopic, 0) == 4 && c.Committed(testGroup, inputTopic, 1) == 3
	})
	c.Eventually("ready", func() bool { return r.Ready() == nil })
	if got := r.Status(); !slices.Equal(got.Stage, []StageCount{{"taken", 7}}) && !slices.Equal(got.Stage, []StageCount{{"taken", 6}}) || got.DeadLetter != 2 {
		t.Errorf("%+v", got)
	}
	r.mustStop()
	totals := r.tally.Snapshot()
	if totals.Records != 7 || totals.Done != 5 || totals.DeadLettered != 2 || totals.Panics != 1 {
		t.Errorf("%d records, %d done, %d dead letters, %d panics", totals.Records, totals.Done, totals.DeadLettered, totals.Panics)
	}
	if totals.Committed == 0 || totals.Aborted == 0 || totals.Bytes == 0 || totals.Read != totals.Records+totals.Abandoned {
		t.Errorf("%d transactions committed, %d aborted, %d bytes, %d records read, %d abandoned",
			totals.Committed, totals.Aborted, totals.Bytes, totals.Read, totals.Abandoned)
	}
	if got := r.outputs.Limits().BatchBytes(stateTopic); got != 200_000 {
		t.Errorf("batches of the state of %d bytes, want as the topic allows", got)
	}
	if len(l.parts) != 0 || log.count("BUG: grouping a record panicked") != 1 {
		t.Errorf("%d states are left; told of %d panics", len(l.parts), log.count("BUG: grouping a record panicked"))
	}
	again := start(t, stagedOptions(c, "one", l))
	c.Produce(toPartition(0, "4")...)
	c.Eventually("summed again", func() bool { return sums(c)["0"] == "7" })
	c.Produce(toPartition(1, "40")...)
	c.Eventually("summed too", func() bool { return sums(c)["1"] == "70" })
	again.mustStop()
	var reasons []string
	for _, letter := range c.Read(deadLetterTopic, 2) {
		reason, _ := processortest.Header(letter, "dead-letter-reason")
		reasons = append(reasons, reason)
	}
	if slices.Sort(reasons); !slices.Equal(reasons, []string{deadletter.ReasonNotAlert, deadletter.ReasonPanic}) {
		t.Errorf("dead letters %q", reasons)
	}
	marks := 0
	for _, s := range c.ReadAll(stateTopic) {
		if string(s.Key) != "sum" {
			marks++
		}
	}
	if marks != 2 {
		t.Errorf("%d marks in the state, want one of each partition", marks)
	}
}

// A transaction that does not commit leaves the state as it was.
//
// Guard: release in settle.
func TestStageAborted(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]kfake.Fault{
		"offsets": {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.RebalanceInProgress, Count: 2},
		"end":     {Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.UnknownServerError, Count: 2},
		"state":   {Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.KafkaStorageError, Count: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, l := newCluster(t, 1), &ledger{}
			f := c.Fault(fault)
			r := start(t, stagedOptions(c, "one", l))
			c.Produce(toPartition(0, "1", "2", "3")...)
			c.Eventually("summed", func() bool { return sums(c)["0"] == "6" })
			c.Eventually("committed", func() bool { return c.Committed(testGroup, inputTopic, 0) == 3 })
			r.mustStop()
			if l.taken != 3 || f.Hits() == 0 {
				t.Errorf("%d taken, %d faults", l.taken, f.Hits())
			}
		})
	}
}

// A partition that moves goes on with its state, which the instance that had it forgets.
//
// Guards: owns in holds, release in prepare, pausing in onAssigned.
func TestStageMoves(t *testing.T) {
	t.Parallel()
	c, first, second := newCluster(t, 2), &ledger{}, &ledger{}
	one := start(t, stagedOptions(c, "one", first))
	c.Produce(append(toPartition(0, "1"), toPartition(1, "10")...)...)
	c.Eventually("summed", func() bool { s := sums(c); return s["0"] == "1" && s["1"] == "10" })
	two := start(t, stagedOptions(c, "two", second))
	held := func(l *ledger) int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.parts)
	}
	c.Eventually("shared", func() bool { return held(first) == 1 && held(second) == 1 })
	c.Produce(append(toPartition(0, "2"), toPartition(1, "20")...)...)
	c.Eventually("summed by both", func() bool { s := sums(c); return s["0"] == "3" && s["1"] == "30" })
	two.mustStop()
	c.Produce(append(toPartition(0, "4"), toPartition(1, "40")...)...)
	c.Eventually("summed by the first", func() bool { s := sums(c); return s["0"] == "7" && s["1"] == "70" })
	one.mustStop()
	if held(first)+held(second) != 0 {
		t.Errorf("%d and %d states are left", held(first), held(second))
	}
}

// An input that is not for the stage, and a state that it cannot read, end Run with one line.
//
// Guards: checkInput, StateError in restoreOnce, isStateError in runSession.
func TestStageRefuses(t *testing.T) {
	t.Parallel()
	f := func(name string, l *ledger, prepare func(c *processortest.Cluster), parts ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			prepare(c)
			err := start(t, stagedOptions(c, "one", l)).refused(c)
			if mustMention(t, err, parts...); strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %v", err)
			}
		})
	}
	f("foreign", &ledger{}, func(c *processortest.Cluster) { c.Produce(toPartition(0, "foreign")...) }, "not for us")
	f("inconsistent", &ledger{torn: errors.New("it does not add up")}, func(c *processortest.Cluster) { c.Produce(toPartition(0, "1")...) }, "partition 0", "it does not add up", "rebuild")
	f("torn", &ledger{}, func(c *processortest.Cluster) {
		if err := c.CreateTopic(stateTopic, 1, nil); err != nil {
			t.Fatal(err)
		}
		c.Produce(toPartition(0, "1")...)
		c.Produce(&kgo.Record{Topic: stateTopic, Key: []byte("topic"), Value: []byte("1 ")}, &kgo.Record{Topic: stateTopic, Key: []byte("x"), Value: []byte("y")})
	}, "partition 0", "an unknown key", "rebuild")
}

// One record that is not for the stage does not keep it from starting: not among others, and not as the next one of a group
// that has read others.
//
// Guards: err == nil in checkInput, the commits in Unread.
func TestStageTakesStray(t *testing.T) {
	t.Parallel()
	for _, first := range [][]string{{"foreign", "1"}, {"1", "foreign"}} {
		c := newCluster(t, 1)
		run := func(total int64, values ...string) {
			t.Helper()
			c.Produce(toPartition(0, values...)...)
			r := start(t, stagedOptions(c, "one", &ledger{}))
			c.Eventually("committed", func() bool { return c.Committed(testGroup, inputTopic, 0) == total })
			r.mustStop()
		}
		run(2, first...)
		run(3, "foreign")
	}
}

// The state of a partition is held while any session has it, and Ready waits for all of them once.
//
// Guards: each line of hold and restored.
func TestStaged(t *testing.T) {
	var g staged
	tp := func(n int32) kadm.Partition { return kadm.Partition{Topic: inputTopic, Partition: n} }
	all := []kadm.Partition{tp(0), tp(1), tp(2)}
	check := func(what, want string) {
		t.Helper()
		got := ""
		if err := g.restored(all); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	check("none", "restoring the state of 3 partitions")
	g.hold(tp(0), 1)
	g.hold(tp(1), 1)
	g.hold(tp(1), 1) // by the next session
	g.hold(tp(1), -1)
	check("two", "restoring the state of 1 partitions")
	g.hold(tp(0), -1)
	if len(g.held) != 1 {
		t.Errorf("%v are held", g.held)
	}
	check("one", "restoring the state of 2 partitions")
	g.hold(tp(0), 1)
	g.hold(tp(2), 1)
	check("all", "")
	g.hold(tp(2), -1)
	check("all once", "")
}

// Poison is remembered by its place, up to a limit.
func TestPoison(t *testing.T) {
	var g staged
	at := func(offset int64) *kgo.Record { return &kgo.Record{Topic: inputTopic, Partition: 1, Offset: offset} }
	for n := range int64(maxPoison + 1) {
		if g.isPoison(at(n)) {
			t.Fatalf("offset %d is poison before it is one", n)
		}
		g.addPoison(at(n))
	}
	if !g.isPoison(at(0)) || !g.isPoison(at(maxPoison-1)) || g.isPoison(at(maxPoison)) || len(g.poison) != maxPoison {
		t.Errorf("%d are remembered", len(g.poison))
	}
	for _, other := range []*kgo.Record{{Topic: "other", Partition: 1}, {Topic: inputTopic, Partition: 2}} {
		if g.isPoison(other) {
			t.Errorf("%s %d is poison", other.Topic, other.Partition)
		}
	}
}
