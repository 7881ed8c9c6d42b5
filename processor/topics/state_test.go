package topics

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func withState(o *Options) { o.State = testState }

// The state topic must exist, with as many partitions as the input; if it may be created, it is.
func TestCheckState(t *testing.T) {
	t.Parallel()
	f := func(name string, create bool, prepare func(*fixture), parts ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *Options) { o.State, o.Create, o.Partitions = testState, create, 7 }, kfake.SeedTopics(3, testTopic))
			prepare(f)
			ctx, cancel := context.WithTimeout(t.Context(), 10*topicPatience) // broken code may look forever
			defer cancel()
			mention(t, f.Check(ctx, f.admin), parts...)
			if len(parts) > 0 {
				return
			}
			info := f.c.TopicInfo(testState)
			if n := len(f.c.PartitionInfos(testState)); n != 3 {
				t.Errorf("%d partitions, want 3", n)
			}
			for key, want := range StateConfigs() {
				if got := info.Configs[key]; create && (got == nil || *got != *want) {
					t.Errorf("%s is %v, want %s", key, got, *want)
				}
			}
		})
	}
	have := func(partitions int32) func(*fixture) {
		return func(f *fixture) {
			if partitions > 0 {
				_ = f.c.CreateTopic(testState, partitions, nil)
			}
		}
	}
	fault := func(faults ...kfake.Fault) func(*fixture) {
		return func(f *fixture) { f.c.Fault(faults...) }
	}
	f("there", false, have(3))
	f("too many", false, have(4), `state topic "state": it has 4 partitions, and topic "trail" has 3`, "incidents rebuild")
	f("too few", true, have(2), "it has 2 partitions")
	f("missing", false, have(0), `missing topic "state": create it, compacted and with as many partitions as "trail"`, "--create-topics")
	f("created", true, have(0))
	f("created for another input", true, func(f *fixture) { f.commit(t, testTopic, 0, 7, "topic-id=AQ,cluster-id=one") })
	f("deleted", true, func(f *fixture) { f.c.Commit(testGroup, testTopic, 0, 0) }, `state topic "state": it does not exist, although group "regionwatch" has read alerts`)
	f("perhaps deleted", true, fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: testGroup, Err: kerr.GroupAuthorizationFailed, Count: -1}),
		`fetching the committed offsets of group "regionwatch"`)
	f("not created", true, fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.PolicyViolation, Count: -1}), `creating topic "state"`)
	f("unknown", false, fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: testState, Err: kerr.InvalidTopicException, Count: -1}), `looking for topic "state"`)
	f("hidden", false, fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: testState, Err: kerr.TopicAuthorizationFailed, Count: -1}), "listing topics: TOPIC_AUTHORIZATION_FAILED")
}

// If the group's commits cannot be read, a missing state topic may have held something: it is not created, and the error is
// final.
//
// Guard: the first error in replaceState.
func TestReplaceStateOfUnknownGroup(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.State, o.Create = testState, true }, kfake.SeedTopics(3, testTopic))
	f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: testGroup, Err: kerr.GroupAuthorizationFailed, Count: -1})
	mention(t, f.replaceState(t.Context(), f.admin, kadm.TopicDetail{Topic: testTopic}, false), `fetching the committed offsets of group "regionwatch"`)
}

// State goes where its record says, and everything else where the partitioner says.
func TestStatePartitioner(t *testing.T) {
	p := StatePartitioner{kgo.RoundRobinPartitioner(), testState}
	r := &kgo.Record{Partition: 3}
	if got := p.ForTopic(testState).Partition(r, 5); got != 3 {
		t.Errorf("state goes to partition %d, want 3", got)
	}
	if got := p.ForTopic(testTopic).Partition(r, 5); got != 0 {
		t.Errorf("another record goes to partition %d, want 0", got)
	}
}

// read is what a state reader passed on.
type read struct {
	*StateReader
	f       *fixture
	records []string
}

// open returns a reader of partition 0.
func (f *fixture) open(t *testing.T) *read {
	t.Helper()
	r, err := f.OpenState(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return &read{StateReader: r, f: f}
}

func (r *read) run(ctx context.Context) error {
	r.records = nil
	return r.Read(ctx, func() bool { return true }, func(key, value []byte) error {
		if string(key) == "bad" {
			return errors.New("torn")
		}
		r.records = append(r.records, string(key)+"="+string(value))
		return nil
	})
}

func stateRecord(key, value string) *kgo.Record {
	r := &kgo.Record{Topic: testState, Key: []byte(key), Value: []byte(value)}
	if value == "" {
		r.Value = nil
	}
	return r
}

// State is read to its end; it belongs to the input topic and to the group's offset, or to nobody.
//
// Guards: take and checkOffset.
func TestReadState(t *testing.T) {
	t.Parallel()
	const none = -1
	type want struct {
		records []string
		marked  bool
	}
	f := func(name string, offset int64, metadata string, want want, records func(f *fixture) []*kgo.Record, parts ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, withState, kfake.SeedTopics(1, testTopic, testState))
			if records != nil {
				f.c.Produce(records(f)...)
			}
			if offset != none {
				f.commit(t, testTopic, 0, offset, metadata)
			}
			r := f.open(t)
			err := r.run(t.Context())
			mention(t, err, parts...)
			if s := new(StateError); len(parts) > 0 && (!errors.As(err, &s) || s.Partition != 0 || s.Topic != testState) {
				t.Errorf("%v is not the partition's StateError", err)
			}
			if len(parts) == 0 && (!slices.Equal(r.records, want.records) || r.Marked != want.marked) {
				t.Errorf("read %q, marked %t, want %+v", r.records, r.Marked, want)
			}
			for _, client := range f.clients {
				if client.Ping(t.Context()) == nil {
					t.Error("a client is not closed")
				}
			}
		})
	}
	mark := func(f *fixture) *kgo.Record {
		m, err := f.StateMark(context.Background(), 0)
		if err != nil {
			panic(err)
		}
		return m
	}
	marked := func(more ...*kgo.Record) func(*fixture) []*kgo.Record {
		return func(f *fixture) []*kgo.Record { return append([]*kgo.Record{mark(f)}, more...) }
	}
	plain := func(records ...*kgo.Record) func(*fixture) []*kgo.Record {
		return func(*fixture) []*kgo.Record { return records }
	}
	const rebuild = "stop every instance and run regionwatch incidents rebuild"
	f("nothing", none, "", want{}, nil)
	f("state", 0, "", want{[]string{"a=1", "b=2", "a="}, true}, marked(stateRecord("a", "1"), stateRecord("b", "2"), stateRecord("a", "")))
	f("a mark alone", 7, "", want{nil, true}, marked())
	f("an offset of an older topic", 7, "topic-id=AQ,cluster-id=one", want{}, nil)
	f("a mark that was deleted", none, "", want{nil, false}, marked(stateRecord(stateMark, "")))
	f("an offset of another cluster", 7, "topic-id=AQ,cluster-id=two", want{}, nil, "its beginning is missing", rebuild)
	f("no state", 7, "", want{}, nil, `partition 0: its beginning is missing, although group "regionwatch" has read alerts`, rebuild)
	f("no mark", none, "", want{}, plain(stateRecord("a", "1")), "its beginning is missing", rebuild)
	f("no offset", none, "", want{}, marked(), `group "regionwatch" has no offset that belongs to it`, rebuild)
	f("a newer version", 7, "", want{}, plain(stateRecord(stateMark, "2 x")), `it has version "2", this program reads version 1`)
	f("a version alone", 7, "", want{}, plain(stateRecord(stateMark, "2")), `it has version "2"`)
	f("a long version", 7, "", want{}, plain(stateRecord(stateMark, strings.Repeat("2", 21))), `version "`+strings.Repeat("2", 20)+`",`)
	f("of an older topic", 7, "", want{}, plain(stateRecord(stateMark, "1 topic-id=AQ,cluster-id=one")), `it belongs to an older topic "trail"`)
	f("torn", 7, "", want{}, marked(stateRecord("bad", "x")), "state topic", "partition 0: torn")
}

// What is in a transaction that is open is waited for; what a successor writes later is not read.
//
// Guards: the end of uncommitted records, in end; OnWait in readTo.
func TestReadStateInTransaction(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withState, kfake.SeedTopics(1, testTopic, testState))
	client, other := f.c.Client(kgo.TransactionalID("one")), f.c.Client(kgo.TransactionalID("two"))
	transact := func(client *kgo.Client, keys ...string) {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if err := client.ProduceSync(t.Context(), stateRecord(key, "1 ")).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	end := func(client *kgo.Client, try kgo.TransactionEndTry) {
		if err := client.EndTransaction(t.Context(), try); err != nil {
			t.Error(err)
		}
	}
	transact(client, stateMark, "a") // until it ends, nothing at all comes
	transact(other, "aborted")
	end(other, kgo.TryAbort)
	f.commit(t, testTopic, 0, 0, "")
	r := f.open(t)
	var waits, goesOn atomic.Bool
	r.OnWait = func(_ context.Context, waiting bool) error {
		waits.Store(waits.Load() || waiting)
		goesOn.Store(!waiting)
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.c.Eventually("it waits", waits.Load)
		end(client, kgo.TryCommit)
	}()
	if err := r.run(t.Context()); err != nil || !slices.Equal(r.records, []string{"a=1 "}) || !r.Marked {
		t.Errorf("read %q, marked %t: %v", r.records, r.Marked, err)
	}
	if <-done; !goesOn.Load() {
		t.Error("it has read without saying that it goes on")
	}
	r.OnWait = func(context.Context, bool) error { return errStopped }
	if err := r.run(t.Context()); !errors.Is(err, errStopped) {
		t.Errorf("%v, want the error of OnWait", err)
	}
}

var errStopped = errors.New("stopped")

// A read ends when the partition is no longer ours, or its context ends, or the brokers refuse it.
func TestReadStateEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withState, kfake.SeedTopics(1, testTopic, testState))
	f.produce(testState, 0, 3)
	r := f.open(t)
	never := func(_, _ []byte) error { t.Error("a record came"); return nil }
	if err := r.Read(t.Context(), func() bool { return false }, never); !errors.Is(err, context.Canceled) {
		t.Errorf("lost: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Count: 1, Err: kerr.TopicAuthorizationFailed})
	mention(t, r.Read(ctx, func() bool { return true }, never), `reading state topic "state" partition 0`, "TOPIC_AUTHORIZATION_FAILED")
	keep := func() bool { cancel(); return true }
	waits := f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Count: -1, Err: kerr.UnknownLeaderEpoch})
	if err := r.Read(ctx, keep, never); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	waits.Remove()
	f.o.NewClient = func(context.Context, string, ...kgo.Opt) (*kgo.Client, error) { return nil, kerr.InvalidConfig }
	mention(t, r.Read(t.Context(), keep, never), "making client: INVALID_CONFIG")
}

// What the brokers do not say is an error, but never one of the state.
func TestReadStateRefused(t *testing.T) {
	t.Parallel()
	for want, fault := range map[string]kfake.Fault{
		"looking for the end of topic":     {Keys: []kmsg.Key{kmsg.ListOffsets}, When: listsAt(-1)},
		"looking for the start of topic":   {Keys: []kmsg.Key{kmsg.ListOffsets}, When: listsAt(-2)},
		"fetching the committed offset of": {Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: testGroup},
		`looking for topic "trail": UNKN`:  {Keys: []kmsg.Key{kmsg.Metadata}, Topic: testTopic},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, withState, kfake.SeedTopics(1, testTopic, testState))
			f.c.Produce(&kgo.Record{Topic: testTopic, Value: []byte("x")})
			fault.Err, fault.Count = kerr.UnknownServerError, -1
			f.c.Fault(fault)
			r, err := f.OpenState(t.Context(), 0)
			if err == nil {
				err = r.Read(t.Context(), func() bool { return true }, func(_, _ []byte) error { return nil })
			}
			mention(t, err, want)
			if s := new(StateError); errors.As(err, &s) || !errors.Is(err, kerr.UnknownServerError) {
				t.Errorf("%v", err)
			}
			if _, err := f.Unread(t.Context(), f.admin); fault.Topic == "" && !errors.Is(err, kerr.UnknownServerError) {
				t.Errorf("unread: %v", err)
			}
		})
	}
	f := newFixture(t, withState, kfake.SeedTopics(1, testTopic, testState))
	r, err := f.OpenState(t.Context(), 5)
	if err != nil {
		t.Fatal(err)
	}
	mention(t, r.Read(t.Context(), nil, nil), `looking for the end of topic "state" partition 5`)
}

// A partition whose records are all deleted is empty, though it does not begin at 0.
//
// Guard: the comparison of start and end, in end.
func TestReadEmptyState(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withState, kfake.SeedTopics(1, testTopic, testState))
	f.produce(testState, 0, 3)
	if _, err := f.c.Client().Request(t.Context(), deleteRecords(testState, 0, 3)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := f.open(t).run(ctx); err != nil || len(f.clients) > 0 {
		t.Errorf("%d clients, %v", len(f.clients), err)
	}
}

// Errors that pass by themselves do not end a read.
func TestPollError(t *testing.T) {
	fetches := func(errs ...error) (all kgo.Fetches) {
		for _, err := range errs {
			all = append(all, kgo.NewErrFetch(err)...)
		}
		return all
	}
	for _, passes := range []error{context.DeadlineExceeded, context.Canceled, kerr.NotLeaderForPartition} {
		if err := pollError(fetches(passes)); err != nil {
			t.Errorf("%v does not pass", err)
		}
	}
	if err := pollError(fetches(kerr.NotLeaderForPartition, kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed)); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("%v, want the first that stays", err)
	}
}

// The text of an error of the state names the partition, or none if it is of the whole topic.
func TestStateErrorText(t *testing.T) {
	ts := New(Options{State: testState})
	mention(t, ts.stateError(0, "%w", kerr.InvalidConfig), `state topic "state" partition 0: INVALID_CONFIG`)
	if err := ts.stateError(-1, "%w", kerr.InvalidConfig); strings.Contains(err.Error(), "partition") || !errors.Is(err, kerr.InvalidConfig) {
		t.Errorf("%v", err)
	}
}

// Unread is where partitions with records begin, for a group that has read nothing.
func TestUnread(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withState, kfake.SeedTopics(3, testTopic))
	if next, err := f.Unread(t.Context(), f.admin); next != nil || err != nil {
		t.Errorf("%v, %v of an empty topic", next, err)
	}
	f.produce(testTopic, 0, 5)
	f.produce(testTopic, 1, 5)
	if _, err := f.c.Client().Request(t.Context(), deleteRecords(testTopic, 1, 2)); err != nil {
		t.Fatal(err)
	}
	next, err := f.Unread(t.Context(), f.admin)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int32]int64{0: 0, 1: 2}
	if got := begins(next[testTopic]); len(next) != 1 || !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	f.commit(t, testTopic, 0, 1, "")
	if next, err := f.Unread(t.Context(), f.admin); next != nil || err != nil {
		t.Errorf("%v, %v of a group that has read", next, err)
	}
}
