package topics

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// A commit is of an older topic only if it says so: with another topic id of the same cluster.
func TestIsOlderTopic(t *testing.T) {
	ts := New(testOptions())
	ts.SetCluster("one")
	for _, test := range []struct {
		metadata string
		id       kadm.TopicID
		want     bool
	}{
		{ts.commitMetadata(kadm.TopicID{1}), kadm.TopicID{1}, false},
		{ts.commitMetadata(kadm.TopicID{1}), kadm.TopicID{2}, true},
		{ts.commitMetadata(kadm.TopicID{1}), kadm.TopicID{}, false}, // the brokers have no topic ids
		{"topic-id=AQ,cluster-id=another", kadm.TopicID{2}, false},  // mirrored
		{"topic-id=AQ,cluster-id=another,inputs=x", kadm.TopicID{2}, false},
		{ts.commitMetadata(kadm.TopicID{1}) + ",inputs=x.y", kadm.TopicID{1}, false},
		{ts.commitMetadata(kadm.TopicID{1}) + ",inputs=x.y", kadm.TopicID{2}, true},
		{"by hand", kadm.TopicID{2}, false},
		{"by hand,cluster-id=one", kadm.TopicID{2}, false},
		{"", kadm.TopicID{2}, false},
	} {
		if got := ts.isOlderTopic(test.metadata, test.id); got != test.want {
			t.Errorf("%q of topic %v: older %t", test.metadata, test.id, got)
		}
	}
	if got := ts.commitMetadata(kadm.TopicID{1}); got != "topic-id=AQAAAAAAAAAAAAAAAAAAAA,cluster-id=one" || ts.commitMetadata(kadm.TopicID{}) != "" {
		t.Errorf("metadata %q", got)
	}
}

// Commits of members carry the ids, in transactions as well. A member commits nothing in another topic than the one in which
// it found where to begin: between the two it may be created again.
//
// Guard: the comparison in metadata, for both kinds of commits, and what adjust has seen.
func TestMemberCommits(t *testing.T) {
	t.Parallel()
	f := func(name string, recreated bool, commit func(t *testing.T, ctx context.Context, f *fixture, opts []kgo.Opt, polled func()) error) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil, kfake.SeedTopics(1, testTopic))
			f.produce(testTopic, 0, 5)
			m := f.newMember("")
			ctx := m.tagCommits(t.Context())
			err := commit(t, ctx, f, append(m.opts(), kgo.WithContext(ctx), kgo.SeedBrokers(f.c.ListenAddrs()...), kgo.ConsumerGroup(testGroup), kgo.ConsumeTopics(testTopic),
				kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit()), func() {
				m.mu.Lock()
				defer m.mu.Unlock()
				if id := f.c.TopicInfo(testTopic).TopicID; m.seen[testTopic] != id {
					t.Errorf("adjust has seen %v, want %v", m.seen, id)
				}
				if recreated {
					m.seen[testTopic] = kadm.TopicID{1}
				}
			})
			switch got := f.committed(t, testTopic); {
			case recreated && (!retry.IsRecreated(err) || len(got) > 0):
				t.Errorf("committed %v in another topic: %v", got, err)
			case !recreated && (err != nil || got[0] != 5):
				t.Errorf("committed %v, %v, want 5", got, err)
			}
		})
	}
	atLeastOnce := func(t *testing.T, ctx context.Context, f *fixture, opts []kgo.Opt, polled func()) error {
		client := f.c.Client(opts...)
		client.PollRecords(t.Context(), 5)
		polled()
		return client.CommitUncommittedOffsets(ctx)
	}
	exactlyOnce := func(t *testing.T, ctx context.Context, _ *fixture, opts []kgo.Opt, polled func()) error {
		s, err := kgo.NewGroupTransactSession(append(opts, kgo.TransactionalID("one"))...)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.PollRecords(t.Context(), 5)
		polled()
		if err := s.Begin(); err != nil {
			t.Fatal(err)
		}
		committed, err := s.End(ctx, kgo.TryCommit)
		if committed != (err == nil) {
			t.Errorf("%t, %v", committed, err)
		}
		return err
	}
	f("at least once", false, atLeastOnce)
	f("exactly once", false, exactlyOnce)
	f("at least once, recreated", true, atLeastOnce)
	f("exactly once, recreated", true, exactlyOnce)
}

// A commit names its topic as long as that is the one that adjust has seen, as far as brokers have ids for topics.
//
// Guards: the conditions in metadata.
func TestMemberMetadata(t *testing.T) {
	t.Parallel()
	m := New(testOptions()).newMember("")
	for _, test := range []struct {
		seen, id  kadm.TopicID
		recreated bool
	}{
		{kadm.TopicID{}, kadm.TopicID{1}, false}, {kadm.TopicID{1}, kadm.TopicID{}, false}, {kadm.TopicID{1}, kadm.TopicID{1}, false},
		{kadm.TopicID{1}, kadm.TopicID{2}, true},
	} {
		m.seen[testTopic] = test.seen
		got, err := m.metadata(testTopic, test.id)
		if retry.IsRecreated(err) != test.recreated || err == nil && got != m.ts.commitMetadata(test.id) {
			t.Errorf("%v, having seen %v: %q, %v", test.id, test.seen, got, err)
		}
	}
}

// A member commits as itself: with its id and generation, and as the static member that it is.
func TestMemberCommitsAsItself(t *testing.T) {
	t.Parallel()
	for _, instance := range []string{"", "one"} {
		t.Run(instance, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil, kfake.SeedTopics(1, testTopic))
			opts := []kgo.Opt{kgo.ConsumerGroup(testGroup), kgo.ConsumeTopics(testTopic), kgo.DisableAutoCommit()}
			if instance != "" {
				opts = append(opts, kgo.InstanceID(instance), kgo.MaxVersions(kversion.V3_9_0())) // these brokers want the topic's name
			}
			client := f.c.Client(opts...)
			f.c.Eventually("in the group", func() bool { info := f.c.GroupInfo(testGroup); return info != nil && info.State == "Stable" })
			var seen atomic.Pointer[kmsg.OffsetCommitRequest]
			f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Observe: true, Count: 1, When: func(req kmsg.Request) bool {
				seen.Store(req.(*kmsg.OffsetCommitRequest))
				return true
			}})
			m := &member{ts: f.Topics, client: client, instanceID: instance}
			id := f.c.TopicInfo(testTopic).TopicID
			if err := m.commit(t.Context(), id, map[int32]kadm.Offset{0: {Topic: testTopic, At: 0, Metadata: f.commitMetadata(id)}}); err != nil {
				t.Fatal(err)
			}
			f.committed(t, testTopic) // with its metadata
			req := seen.Load()
			wantID, wantGeneration := client.GroupMetadata()
			if req.MemberID != wantID || req.Generation != wantGeneration || (req.InstanceID != nil) != (instance != "") || instance != "" && *req.InstanceID != instance {
				t.Errorf("%+v", req)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := m.commit(ctx, id, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
}

// The first partition that was not committed is named.
func TestCommitError(t *testing.T) {
	partition := func(p int32, code int16) kmsg.OffsetCommitResponseTopicPartition {
		return kmsg.OffsetCommitResponseTopicPartition{Partition: p, ErrorCode: code}
	}
	resp := &kmsg.OffsetCommitResponse{Topics: []kmsg.OffsetCommitResponseTopic{
		{Topic: "a", Partitions: []kmsg.OffsetCommitResponseTopicPartition{partition(0, 0)}},
		{Topic: testTopic, Partitions: []kmsg.OffsetCommitResponseTopicPartition{partition(0, 0), partition(7, kerr.IllegalGeneration.Code), partition(8, kerr.UnknownMemberID.Code)}},
	}}
	err := CommitError(resp)
	mention(t, err, `topic "trail" partition 7`)
	if !errors.Is(err, kerr.IllegalGeneration) {
		t.Errorf("%v", err)
	}
	resp.Topics = resp.Topics[:1]
	mention(t, CommitError(resp))
}
