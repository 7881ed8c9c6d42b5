package topics

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (f *fixture) rebuild() *Rebuild {
	return &Rebuild{Admin: f.admin, Group: testGroup, Input: testTopic, State: testState, Replicas: -1}
}

// A rebuild leaves no offset, and an empty state topic with as many partitions as the input has.
func TestRebuild(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, kfake.SeedTopics(3, testTopic), kfake.SeedTopics(2, testState))
	f.commit(t, testTopic, 0, 0, "")
	f.produce(testState, 0, 5)
	if n, err := f.rebuild().Plan(t.Context()); n != 3 || err != nil {
		t.Errorf("plan: %d partitions, %v", n, err)
	}
	for range 2 { // again, as after an interruption: the group is gone
		if err := f.rebuild().Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(f.c.PartitionInfos(testState)); n != 3 || f.c.EndOfAll(testState) != 0 || f.c.Committed(testGroup, testTopic, 0) != -1 {
			t.Errorf("%d partitions with %d records, want 3 without any", n, f.c.EndOfAll(testState))
		}
	}
	if err := f.c.DeleteTopic(testState); err != nil {
		t.Fatal(err)
	}
	if err := f.rebuild().Run(t.Context()); err != nil { // as after an interruption before the topic was created
		t.Fatal(err)
	}
	if policy := f.c.TopicInfo(testState).Configs["cleanup.policy"]; policy == nil || *policy != "compact" {
		t.Errorf("the state topic has %v", f.c.TopicInfo(testState).Configs)
	}
}

// What keeps a rebuild from being done is said, with what to do.
func TestRebuildRefused(t *testing.T) {
	t.Parallel()
	f := func(name string, fault kfake.Fault, plans bool, parts ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil, kfake.SeedTopics(1, testTopic, testState))
			f.c.Commit(testGroup, testTopic, 0, 0)
			fault.Count = -1
			f.c.Fault(fault)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := f.rebuild().Plan(ctx); (err == nil) != plans {
				t.Errorf("plan: %v", err)
			}
			err := f.rebuild().Run(ctx)
			mention(t, err, parts...)
			if !errors.Is(err, fault.Err) && name != "missing" {
				t.Errorf("%v does not wrap its cause", err)
			}
		})
	}
	f("missing", kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: testTopic, Err: kerr.UnknownTopicOrPartition}, false, `topic "trail" does not exist: alert-topic`)
	f("hidden", kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: testTopic, Err: kerr.TopicAuthorizationFailed}, false, `looking for topic "trail"`)
	f("group hidden", kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups}, Err: kerr.GroupAuthorizationFailed}, false, `describing group "regionwatch"`)
	f("members unknown", kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups}, Err: kerr.UnknownServerError}, false, `describing group "regionwatch"`)
	f("offsets", kfake.Fault{Keys: []kmsg.Key{kmsg.DeleteGroups}, Err: kerr.NonEmptyGroup}, true, `deleting the offsets of group "regionwatch"`)
	f("delete", kfake.Fault{Keys: []kmsg.Key{kmsg.DeleteTopics}, Err: kerr.TopicDeletionDisabled}, true, `deleting topic "state"`)
	f("create", kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.PolicyViolation}, true, `creating topic "state"`)
}

// The state topic is created once the old one is gone.
//
// Guard: TopicAlreadyExists in create.
func TestRebuildWaits(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, kfake.SeedTopics(1, testTopic, testState))
	there := f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.TopicAlreadyExists, Count: 2})
	if err := f.rebuild().Run(t.Context()); err != nil || there.Hits() != 2 {
		t.Errorf("after %d refusals: %v", there.Hits(), err)
	}
	f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.TopicAlreadyExists, Count: -1})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := f.rebuild().Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A group with live members must not lose its offsets.
func TestRebuildWithMembers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, kfake.SeedTopics(1, testTopic, testState))
	client := f.c.Client(kgo.ConsumerGroup(testGroup), kgo.ConsumeTopics(testTopic))
	f.c.Eventually("in the group", func() bool { _, generation := client.GroupMetadata(); return generation > 0 })
	mention(t, f.rebuild().Run(t.Context()), `group "regionwatch" has 1 live members`, "session-timeout")
}

// A group goes on at the offsets that it is given, with state that is marked as its own; each that is refused is an error.
//
// Guards: each line of Marks and Continue.
func TestRebuildContinues(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withState, kfake.SeedTopics(2, testTopic, testState))
	found, err := f.admin.BrokerMetadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.SetCluster(found.Cluster)
	marks, err := f.rebuild().Marks(t.Context(), 2)
	if err != nil || len(marks) != 2 || marks[1].Partition != 1 {
		t.Fatalf("%+v, %v", marks, err)
	}
	f.c.Produce(marks...)
	mention(t, f.open(t).run(t.Context()), "no offset that belongs to it")
	if err := f.rebuild().Continue(t.Context(), map[int32]int64{0: 3, 1: 0}); err != nil {
		t.Fatal(err)
	}
	if got := f.committed(t, testTopic); !maps.Equal(got, map[int32]int64{0: 3, 1: 0}) {
		t.Errorf("committed %v", got)
	}
	if epoch := f.c.GroupInfo(testGroup).Commits[testTopic][0].LeaderEpoch; epoch != -1 {
		t.Errorf("of leader epoch %d, want none", epoch)
	}
	if r := f.open(t); r.run(t.Context()) != nil || !r.Marked {
		t.Error("its state cannot be read")
	}

	fails := func(ctx context.Context, part string, fault kfake.Fault) {
		t.Helper()
		fault.Count = -1
		defer f.c.Fault(fault).Remove()
		f.admin = kadm.NewClient(f.c.Client()) // which knows nothing yet
		if fault.Topic != "" || ctx.Err() != nil {
			_, err := f.rebuild().Marks(ctx, 1)
			mention(t, err, part)
		}
		mention(t, f.rebuild().Continue(ctx, map[int32]int64{0: 4}), part)
	}
	fails(t.Context(), `committing where group "regionwatch" goes on`, kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.GroupAuthorizationFailed})
	fails(t.Context(), `looking for topic "trail"`, kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: testTopic, Err: kerr.UnknownServerError})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fails(ctx, "asking for the cluster", kfake.Fault{Observe: true})
}
