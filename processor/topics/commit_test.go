package topics

import (
	"context"
	"errors"
	"testing"

	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
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
