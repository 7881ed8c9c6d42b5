package topics

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/progress"
)

// atStart is where a partition begins that is read from its first record, and atDefault where the client decides.
const (
	atStart   = -2
	atDefault = -1
)

// member returns a member that is not in the group yet, with the group's commits, and where it would begin.
func (f *fixture) member(commits map[int32]commit, partitions ...int32) (*member, map[string]map[int32]kgo.Offset) {
	m := &member{ts: f.Topics, client: f.c.Client(), patience: time.Minute, wait: time.Minute, commits: make(map[kadm.Partition]commit),
		seen: make(map[string]kadm.TopicID)}
	offsets := make(map[int32]kgo.Offset)
	for _, p := range partitions {
		offsets[p] = kgo.NewOffset().AtEnd()
		if c, ok := commits[p]; ok {
			m.commits[kadm.Partition{Topic: testTopic, Partition: p}] = c
			if c.offset >= 0 {
				offsets[p] = kgo.NewOffset().At(c.offset)
			}
		}
	}
	return m, map[string]map[int32]kgo.Offset{testTopic: offsets}
}

func begins(offsets map[int32]kgo.Offset) map[int32]int64 {
	at := make(map[int32]int64)
	for p, o := range offsets {
		at[p] = o.EpochOffset().Offset
	}
	return at
}

// A member begins at its commits, unless these mislead: they belong to an older topic, or are beyond the end.
//
// Guards: isOlderTopic and the comparison with the end in adjustTopic; what it forgets then.
func TestAdjust(t *testing.T) {
	t.Parallel()
	older := `topic-id=AQ,cluster-id=one`
	f := func(name string, start Start, commits map[int32]commit, want map[int32]int64, recreated, losses uint64) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *Options) { o.Start = start }, kfake.SeedTopics(3, testTopic))
			f.produce(testTopic, 0, 5)
			f.produce(testTopic, 1, 3)
			m, offsets := f.member(commits, slices.Collect(maps.Keys(want))...)
			for range 2 { // the client comes again if it was disturbed
				got, err := m.adjust(t.Context(), offsets)
				if err != nil || !maps.Equal(begins(got[testTopic]), want) {
					t.Errorf("begins at %v, %v, want %v", begins(got[testTopic]), err, want)
				}
			}
			if n := f.o.Tally.Snapshot(); n.Recreated != recreated || n.DataLosses != losses {
				t.Errorf("%d recreated and %d losses, want %d and %d", n.Recreated, n.DataLosses, recreated, losses)
			}
			if a, b := f.told("belong to an older topic"), f.told("beyond the end"); a != int(recreated) || b != int(losses) {
				t.Errorf("told %d and %d times: %s", a, b, f.log.String())
			}
		})
	}
	f("at the commits, at most at the end", Start{}, map[int32]commit{0: {5, ""}, 1: {0, ""}}, map[int32]int64{0: 5, 1: 0}, 0, 0)
	f("older", Start{}, map[int32]commit{0: {2, older}, 1: {0, older}}, map[int32]int64{0: atStart, 1: atStart}, 1, 0)
	f("one of them older", Start{}, map[int32]commit{0: {2, older}, 1: {0, ""}}, map[int32]int64{0: atStart, 1: 0}, 1, 0)
	f("beyond the end of an empty partition", Start{}, map[int32]commit{2: {1, ""}}, map[int32]int64{2: atStart}, 0, 1)
	f("beyond the end", Start{}, map[int32]commit{0: {6, ""}, 1: {3, ""}}, map[int32]int64{0: atStart, 1: 3}, 0, 1)
	f("without commits", Start{}, map[int32]commit{0: {-1, ""}}, map[int32]int64{0: atDefault, 1: atDefault}, 0, 0)
	f("some without", Start{Latest: true}, map[int32]commit{0: {4, ""}, 1: {-1, ""}}, map[int32]int64{0: 4, 1: atStart}, 0, 0)
}

// Only a topic that does not exist is left to the client. Of any other its commits may mislead: the member asks again, and ends
// if it is refused.
//
// Guard: topic.Err in adjustAll.
func TestAdjustOfTopicErrors(t *testing.T) {
	t.Parallel()
	older := map[int32]commit{0: {2, `topic-id=AQ,cluster-id=one`}}
	f := func(fault *kerr.Error, count int, want int64, refused error) {
		t.Run(fault.Error(), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil, kfake.SeedTopics(1, testTopic))
			f.produce(testTopic, 0, 5)
			m, offsets := f.member(older, 0)
			f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: testTopic, Err: fault, Count: count})
			if _, err := m.adjust(t.Context(), offsets); !errors.Is(err, refused) {
				t.Errorf("%v, want %v", err, refused)
			}
			if at := begins(offsets[testTopic])[0]; at != want {
				t.Errorf("begins at %d, want %d", at, want)
			}
		})
	}
	f(kerr.LeaderNotAvailable, 1, atStart, nil)
	f(kerr.TopicAuthorizationFailed, -1, 2, kerr.TopicAuthorizationFailed)
	f(kerr.UnknownTopicOrPartition, -1, 2, nil)
}

// An end that seems to lie before a commit is looked at twice: a newly elected leader may not know it yet.
//
// Guard: the second look in ends.
func TestEndsTwice(t *testing.T) {
	t.Parallel()
	f := func(name string, commits map[int32]commit, end, behind, want int64, losses uint64) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil, kfake.SeedTopics(1, testTopic))
			f.produce(testTopic, 0, 5)
			var looks atomic.Int64
			f.c.ControlKey(int16(kmsg.ListOffsets), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
				f.c.KeepControl()
				if looks.Add(1) > behind {
					return nil, nil, false
				}
				return listed(kreq.(*kmsg.ListOffsetsRequest), end), nil, true
			})
			m, offsets := f.member(commits, 0)
			if _, err := m.adjust(t.Context(), offsets); err != nil || looks.Load() != want {
				t.Errorf("%d looks, want %d: %v", looks.Load(), want, err)
			}
			if n := f.o.Tally.Snapshot().DataLosses; n != losses {
				t.Errorf("%d losses, want %d", n, losses)
			}
		})
	}
	f("behind once", map[int32]commit{0: {5, ""}}, 3, 1, 2, 0)
	f("empty once", map[int32]commit{0: {5, ""}}, 0, 1, 2, 0)
	f("behind", map[int32]commit{0: {5, ""}}, 3, 2, 2, 1)
	f("at the end", map[int32]commit{0: {3, ""}}, 3, 2, 1, 0)
	f("no commit", nil, 3, 2, 1, 0)
}

// Brokers that do not answer in time are asked twice, and then hold up nothing.
//
// Guard: err in ends.
func TestEndsInTime(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, kfake.SeedTopics(1, testTopic))
	m, offsets := f.member(map[int32]commit{0: {5, ""}}, 0)
	m.wait = 0
	if _, err := m.adjust(t.Context(), offsets); err != nil || f.told("listing end offsets") != 2 || begins(offsets[testTopic])[0] != 5 {
		t.Errorf("begins at %v, %v: %s", begins(offsets[testTopic]), err, f.log.String())
	}
}

// listed answers a request for end offsets.
func listed(req *kmsg.ListOffsetsRequest, end int64) *kmsg.ListOffsetsResponse {
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, t := range req.Topics {
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			partition := kmsg.NewListOffsetsResponseTopicPartition()
			partition.Partition, partition.Offset = p.Partition, end
			topic.Partitions = append(topic.Partitions, partition)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// A partition whose end is unknown holds up none, and its commit is trusted.
//
// Guard: o.Err in end.
func TestEndUnknown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, kfake.SeedTopics(2, testTopic))
	looks := f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: testTopic, Partitions: []int32{0}, Err: kerr.UnknownServerError, Count: -1})
	m, offsets := f.member(map[int32]commit{0: {5, ""}, 1: {0, ""}}, 0, 1)
	if _, err := m.adjust(t.Context(), offsets); err != nil || looks.Hits() != 1 {
		t.Errorf("%d looks: %v", looks.Hits(), err)
	}
	if got := begins(offsets[testTopic]); got[0] != 5 || got[1] != 0 {
		t.Errorf("begins at %v", got)
	}
}

// What a member has is tracked from where it begins. Where that is not known, the topics get a look soon.
func TestAdjustTracks(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, kfake.SeedTopics(2, testTopic))
	f.produce(testTopic, 0, 5)
	m, offsets := f.member(map[int32]commit{0: {2, ""}}, 0)
	offsets["gone"] = map[int32]kgo.Offset{0: kgo.NewOffset().At(7)}
	if _, err := m.adjust(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	want := progress.Lag{Partition: kadm.Partition{Topic: testTopic}, Records: 3, Start: 2, Next: 2}
	all := f.o.Lag.All()
	for i := range all {
		all[i].Behind, all[i].Stalled = 0, 0
	}
	if !slices.Equal(all, []progress.Lag{want}) || len(f.nudge) != 0 {
		t.Errorf("lags %+v, %d looks asked for", all, len(f.nudge))
	}
	m, offsets = f.member(map[int32]commit{1: {0, ""}}, 1)
	if _, err := m.adjust(t.Context(), offsets); err != nil || len(f.nudge) != 0 {
		t.Errorf("%d looks asked for at offset 0, want none: %v", len(f.nudge), err)
	}
	m, offsets = f.member(nil, 1)
	offsets[testTopic][1] = kgo.NewOffset().AtStart()
	if _, err := m.adjust(t.Context(), offsets); err != nil || len(f.nudge) != 1 {
		t.Errorf("%d looks asked for, want one: %v", len(f.nudge), err)
	}
}

// A member that does not learn where to begin tries again, unless it is refused or its session ends.
//
// Guard: the loop in adjust.
func TestAdjustAgain(t *testing.T) {
	t.Parallel()
	f := func(name string, refusal *kerr.Error, tries, told int, want error) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *Options) { o.Start = Start{Latest: true} }, kfake.SeedTopics(1, testTopic))
			fault := f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: testGroup, Err: refusal, Count: 2})
			m, offsets := f.member(nil, 0)
			got, err := m.adjust(t.Context(), offsets)
			if !errors.Is(err, want) || fault.Hits() != tries || f.told("trying again") != told {
				t.Errorf("%v after %d failures, want %v after %d: %s", err, fault.Hits(), want, tries, f.log.String())
			}
			if want == nil && begins(got[testTopic])[0] != atStart {
				t.Errorf("begins at %v", begins(got[testTopic]))
			}
		})
	}
	f("passes", kerr.UnknownServerError, 2, 2, nil)
	f("refused", kerr.GroupAuthorizationFailed, 1, 0, kerr.GroupAuthorizationFailed)
	t.Run("session ends", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, nil, kfake.SeedTopics(1, testTopic))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m, offsets := f.member(nil, 0)
		if got, err := m.adjust(ctx, offsets); got != nil || err == nil || f.told("trying again") > 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("session ends while waiting", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, func(o *Options) { o.Start = Start{Latest: true} }, kfake.SeedTopics(1, testTopic))
		f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: testGroup, Err: kerr.UnknownServerError, Count: -1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		m, offsets := f.member(nil, 0)
		if _, err := m.adjust(ctx, offsets); err == nil {
			t.Error("no error")
		}
	})
}

// The owner of partition 0 decides for all partitions of a topic that is new to the group; the others wait for it.
//
// Guards: decides, newToGroup and the wait in settle; decide.
func TestSettle(t *testing.T) {
	t.Parallel()
	latest := func(o *Options) { o.Start = Start{Latest: true} }
	settle := func(t *testing.T, f *fixture, m *member, offsets map[string]map[int32]kgo.Offset, want map[int32]int64) {
		t.Helper()
		f.atStart = map[string]kadm.TopicID{testTopic: f.c.TopicInfo(testTopic).TopicID}
		got, err := m.adjust(t.Context(), offsets)
		if err != nil || !maps.Equal(begins(got[testTopic]), want) {
			t.Errorf("begins at %v, %v, want %v", begins(got[testTopic]), err, want)
		}
	}
	f := func(name string, do func(*testing.T, *fixture)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, latest, kfake.SeedTopics(3, testTopic))
			f.produce(testTopic, 0, 5)
			f.produce(testTopic, 1, 3)
			do(t, f)
		})
	}
	f("decides", func(t *testing.T, f *fixture) {
		m, offsets := f.member(nil, 0, 1)
		settle(t, f, m, offsets, map[int32]int64{0: 5, 1: 3})
		if got := f.committed(t, testTopic); !maps.Equal(got, map[int32]int64{0: 5, 1: 3, 2: 0}) {
			t.Errorf("committed %v", got)
		}
		if got := f.o.Tally.Snapshot().StartSkipped; got != 8 {
			t.Errorf("%d records left out, want 8", got)
		}
	})
	f("waits", func(t *testing.T, f *fixture) {
		asked := f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Observe: true, Count: -1})
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.c.Eventually("asked twice", func() bool { return asked.Hits() > 1 })
			f.c.Commit(testGroup, testTopic, 1, 2)
		}()
		m, offsets := f.member(nil, 1, 2)
		settle(t, f, m, offsets, map[int32]int64{1: 2, 2: atStart})
		<-done
	})
	f("waits in vain", func(t *testing.T, f *fixture) {
		m, offsets := f.member(nil, 1)
		m.patience = 50 * time.Millisecond
		settle(t, f, m, offsets, map[int32]int64{1: atStart})
		if f.told("no member has decided") != 1 || len(f.committed(t, testTopic)) > 0 {
			t.Error(f.log.String())
		}
	})
	f("has waited before", func(t *testing.T, f *fixture) {
		m, offsets := f.member(nil, 1)
		f.atStart = map[string]kadm.TopicID{testTopic: f.c.TopicInfo(testTopic).TopicID}
		m.since = time.Now().Add(-m.patience)
		if err := m.adjustAll(t.Context(), offsets); err != nil || begins(offsets[testTopic])[1] != atStart {
			t.Errorf("begins at %v, %v", begins(offsets[testTopic]), err)
		}
	})
	f("of a known topic", func(t *testing.T, f *fixture) {
		f.c.Commit(testGroup, testTopic, 1, 2)
		f.c.Commit(testGroup, testTopic, 2, 0) // since the member asked
		m, offsets := f.member(map[int32]commit{1: {2, ""}}, 0, 1, 2)
		settle(t, f, m, offsets, map[int32]int64{0: atStart, 1: 2, 2: 0})
	})
	f("beside a commit beyond the end", func(t *testing.T, f *fixture) {
		f.c.Commit(testGroup, testTopic, 0, 6)
		m, offsets := f.member(map[int32]commit{0: {6, ""}}, 0, 1)
		settle(t, f, m, offsets, map[int32]int64{0: atStart, 1: atStart})
	})
	f("of a topic that an older one was", func(t *testing.T, f *fixture) {
		f.commit(t, testTopic, 1, 2, "topic-id=AQ,cluster-id=one")
		m, offsets := f.member(nil, 1)
		settle(t, f, m, offsets, map[int32]int64{1: atStart})
	})
	f("refused", func(t *testing.T, f *fixture) {
		f.atStart = map[string]kadm.TopicID{testTopic: f.c.TopicInfo(testTopic).TopicID}
		f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.GroupAuthorizationFailed, Count: -1})
		m, offsets := f.member(nil, 0)
		_, err := m.adjust(t.Context(), offsets)
		mention(t, err, `committing where group "regionwatch" begins`, "GROUP_AUTHORIZATION_FAILED")
	})
	f("not listed", func(t *testing.T, f *fixture) {
		f.atStart = map[string]kadm.TopicID{testTopic: f.c.TopicInfo(testTopic).TopicID}
		f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		m, offsets := f.member(nil, 0)
		_, err := m.adjust(t.Context(), offsets)
		mention(t, err, "listing the offsets of latest")
	})
}

// What the client fetched is what adjust goes by.
func TestFetched(t *testing.T) {
	m := new(member)
	metadata, client := "x", new(kgo.Client)
	partitions := []kmsg.OffsetFetchResponseGroupTopicPartition{{Partition: 0, Offset: 5, Metadata: &metadata}, {Partition: 1, Offset: -1}}
	resp := &kmsg.OffsetFetchResponse{Groups: []kmsg.OffsetFetchResponseGroup{{Topics: []kmsg.OffsetFetchResponseGroupTopic{{Topic: testTopic, Partitions: partitions}}}}}
	if err := m.fetched(t.Context(), client, resp); err != nil {
		t.Fatal(err)
	}
	want := map[kadm.Partition]commit{{Topic: testTopic}: {5, "x"}, {Topic: testTopic, Partition: 1}: {-1, ""}}
	if m.client != client || !maps.Equal(m.commits, want) {
		t.Errorf("%v, want %v", m.commits, want)
	}
}
