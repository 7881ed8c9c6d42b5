package topics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"
)

// The topics get a look every five seconds, every second while one is missing, and within a second if someone asks.
func TestWatchIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ts := New(testOptions())
		w := ts.newWatch()
		began := time.Now()
		var looks []time.Duration
		w.run(ctx, func() {
			looks = append(looks, time.Since(began))
			switch len(looks) {
			case 2:
				w.missing[testTopic] = true
			case 4:
				delete(w.missing, testTopic)
				ts.LookSoon()
			case 5:
				cancel()
			}
		})
		if want := []time.Duration{0, 5 * time.Second, 6 * time.Second, 7 * time.Second, 8 * time.Second}; !slices.Equal(looks, want) {
			t.Errorf("looks at %v, want %v", looks, want)
		}
	})
}

// Watch looks until it is stopped, with its own client, which it closes.
func TestWatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, kfake.SeedTopics(2, testTopic))
	f.produce(testTopic, 1, 3)
	stop, err := f.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.c.Eventually("a look", func() bool {
		return slices.Equal(f.o.Ends.All(), []progress.TopicEnd{{Topic: testTopic, Partitions: 2, Offsets: 3}})
	})
	stop()
	if f.client != f.clients[0] {
		t.Error("the topics have not got the client")
	}
	if f.clients[0].Ping(t.Context()) == nil {
		t.Error("the client is not closed")
	}
	f.o.NewClient = func(context.Context, string, ...kgo.Opt) (*kgo.Client, error) { return nil, kerr.InvalidConfig }
	if stop, err := f.Watch(t.Context()); stop != nil || !errors.Is(err, kerr.InvalidConfig) {
		t.Errorf("%v", err)
	}
}

// A look updates the lag of assigned partitions, from both ends; what it cannot learn stays as it was.
func TestLookReaches(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, kfake.SeedTopics(2, testTopic))
	f.produce(testTopic, 0, 5)
	f.produce(testTopic, 1, 3)
	if _, err := f.c.Client().Request(t.Context(), deleteRecords(testTopic, 1, 1)); err != nil {
		t.Fatal(err)
	}
	for p := range int32(2) {
		f.o.Lag.Assigned(kadm.Partition{Topic: testTopic, Partition: p}, -1, -1)
	}
	w := f.newWatch()
	check := func(step string, total int64, starts ...int64) {
		t.Helper()
		w.look(t.Context(), f.admin)
		all := f.o.Lag.All()
		if all[0].Start != starts[0] || all[1].Start != starts[1] || f.o.Lag.Total() != total {
			t.Errorf("%s: %+v, want starts %v and %d records", step, all, starts, total)
		}
	}
	of := func(timestamp int64) kfake.Fault {
		return kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.UnknownServerError, Count: -1, Partitions: []int32{0}, When: listsAt(timestamp)}
	}
	ends := f.c.Fault(of(-1))
	check("no end", 2, -1, 1)
	ends.Remove()
	starts := f.c.Fault(of(-2))
	check("no start", 2, -1, 1)
	starts.Remove()
	check("both", 7, 0, 1)
}

// Members of the group that are not ours are counted, and named once for each change.
//
// Guard: foreign.
func TestLookAtGroup(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, kfake.SeedTopics(4, testTopic))
	w := f.newWatch()
	join := func(id string) *kgo.Client {
		client := f.c.Client(kgo.ClientID(id), kgo.ConsumerGroup(testGroup), kgo.ConsumeTopics(testTopic))
		f.c.Eventually("in the group", func() bool { _, generation := client.GroupMetadata(); return generation > 0 })
		return client
	}
	check := func(step string, foreign uint64, told int) {
		t.Helper()
		for range 2 {
			w.look(t.Context(), f.admin)
		}
		if got := f.o.Tally.Snapshot().Foreign; got != foreign || f.told("other programs are members") != told {
			t.Errorf("%s: %d foreign members, want %d, told %d times: %s", step, got, foreign, told, f.log.String())
		}
	}
	check("nobody", 0, 0)
	join("ours-2")
	check("ours", 0, 0)
	other := join("other-b")
	check("another", 1, 1)
	join("other-a")
	check("two others", 2, 2)
	if f.told(`clients="[\"other-a\" \"other-b\"]"`) != 1 {
		t.Error(f.log.String())
	}
	hidden := f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups}, Err: kerr.GroupAuthorizationFailed, Count: -1})
	check("hidden", 2, 2)
	hidden.Remove()
	other.LeaveGroup()
	f.c.Eventually("it left", func() bool { w.lookAtGroup(t.Context(), f.admin); return f.o.Tally.Snapshot().Foreign == 1 })
	check("one left", 1, 3)
}

// So are those that use the protocol of KIP-848, in whatever order the broker names them.
//
// Guards: the second request in lookAtGroup, its error, and the order.
func TestLookAtConsumerGroup(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, kfake.SeedTopics(1, testTopic))
	w := f.newWatch()
	for _, members := range [][]string{{"other-a", "ours", "other-b"}, {"other-b", "other-a"}, nil} {
		f.c.ControlKey(int16(kmsg.ConsumerGroupDescribe), func(req kmsg.Request) (kmsg.Response, error, bool) {
			resp := req.ResponseKind().(*kmsg.ConsumerGroupDescribeResponse)
			group := kmsg.ConsumerGroupDescribeResponseGroup{Group: testGroup, State: "Stable"}
			for i, id := range members {
				group.Members = append(group.Members, kmsg.ConsumerGroupDescribeResponseGroupMember{MemberID: fmt.Sprint(i), ClientID: id})
			}
			if members == nil {
				group.ErrorCode = kerr.GroupAuthorizationFailed.Code
			}
			resp.Groups = append(resp.Groups, group)
			return resp, nil, true
		})
		w.lookAtGroup(t.Context(), f.admin)
		if got := f.o.Tally.Snapshot().Foreign; got != 2 || f.told("other programs are members") != 1 {
			t.Errorf("%q: %d foreign members, want 2, told once: %s", members, got, f.log.String())
		}
	}
}

// Topics that are gone make us not ready; those that are others than before, or do not fit, make new clients.
//
// Guards: gone, exists and comparePartitions in compare.
func TestCompare(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Outputs, o.State = []string{"alerts"}, testState }, kfake.SeedTopics(2, testTopic, testState, "alerts"))
	var restarts []error
	f.OnRestart(func(err error) { restarts = append(restarts, err) })
	f.o.Health.Begin(nil)
	w := f.newWatch()
	look := func(step, missing string, restarted ...error) {
		t.Helper()
		restarts = nil
		time.Sleep(20 * time.Millisecond) // the client's own memory of the topics
		w.look(t.Context(), f.admin)
		ready := "ready"
		if err := f.o.Health.Ready(); err != nil {
			ready = err.Error()
		}
		if ready != missing || len(restarts) != min(len(restarted), 1) {
			t.Fatalf("%s: %s, restarts %v", step, ready, restarts)
		}
		for _, want := range restarted {
			if !errors.Is(restarts[0], want) {
				t.Errorf("%s: %v, want %v", step, restarts[0], want)
			}
		}
	}
	look("all there", "ready")
	for _, topic := range []string{testTopic, "alerts", testState} {
		if err := f.c.DeleteTopic(topic); err != nil {
			t.Fatal(err)
		}
		look("gone", `missing topic "`+topic+`"`)
		if err := f.c.CreateTopic(topic, 2, nil); err != nil {
			t.Fatal(err)
		}
		look("there again", "ready", retry.ErrRenew, kerr.UnknownTopicID)
		look("known", "ready")
	}
	hidden := f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "alerts", Err: kerr.UnknownServerError, Count: -1})
	look("not told", "ready")
	hidden.Remove()
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.Topics = append(req.Topics, kmsg.CreatePartitionsRequestTopic{Topic: testTopic, Count: 3})
	if _, err := req.RequestWith(t.Context(), f.c.Client()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	restarts = nil
	w.look(t.Context(), f.admin)
	if len(restarts) != 1 {
		t.Fatalf("restarts %v", restarts)
	}
	mention(t, restarts[0], `state topic "state": it has 2 partitions, and topic "trail" has 3`)
}

// slow is a log that takes a minute for each line.
type slow struct{ slog.Handler }

func (slow) Enabled(context.Context, slog.Level) bool { return true }

func (slow) Handle(context.Context, slog.Record) error {
	time.Sleep(time.Minute)
	return nil
}

// Watch has ended when it is stopped, even if a look was under way.
//
// Guards: the end of the goroutine in Watch.
func TestWatchEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := testOptions()
		o.Log = slog.New(slow{slog.DiscardHandler})
		o.NewClient = unreachable
		stop, err := New(o).Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		began := time.Now()
		if stop(); time.Since(began) != time.Minute {
			t.Errorf("stopped after %v, want a minute, which the look takes to say why it ends", time.Since(began))
		}
	})
}

// A state topic that is missing for long ends the process: it would be empty when it came back.
//
// Guard: lookInterval in stateGone.
func TestStateGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := testOptions()
		o.State = testState
		ts := New(o)
		var restarts []error
		ts.OnRestart(func(err error) { restarts = append(restarts, err) })
		w := ts.newWatch()
		for _, after := range []time.Duration{0, lookInterval - 1, 1} {
			time.Sleep(after)
			if len(restarts) > 0 {
				t.Fatalf("too early: %v", restarts)
			}
			w.stateGone()
		}
		if len(restarts) != 1 {
			t.Fatalf("restarts %v", restarts)
		}
		mention(t, restarts[0], `state topic "state": it was deleted`)
	})
}

// A look says what it cannot learn.
func TestLookTells(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Outputs = []string{"alerts"} }, kfake.SeedTopics(1, testTopic, "alerts"))
	w := f.newWatch()
	for part, fault := range map[string]kfake.Fault{
		"looking for the topics":   {Keys: []kmsg.Key{kmsg.Metadata}, Topic: "alerts"},
		"looking for the end of":   {Keys: []kmsg.Key{kmsg.ListOffsets}, When: listsAt(-1)},
		"looking for the start of": {Keys: []kmsg.Key{kmsg.ListOffsets}, When: listsAt(-2)},
	} {
		f.log.Reset()
		fault.Err, fault.Count = kerr.TopicAuthorizationFailed, -1
		told := f.c.Fault(fault)
		w.look(t.Context(), kadm.NewClient(f.c.Client())) // which knows nothing yet
		if told.Remove(); f.told(part) != 1 || f.told("looking for") != 1 {
			t.Errorf("%s: %s", part, f.log.String())
		}
	}
	f.log.Reset()
	if w.look(t.Context(), f.admin); f.told("looking for") > 0 {
		t.Error(f.log.String())
	}
}

func listsAt(timestamp int64) func(kmsg.Request) bool {
	return func(req kmsg.Request) bool {
		return req.(*kmsg.ListOffsetsRequest).Topics[0].Partitions[0].Timestamp == timestamp
	}
}
