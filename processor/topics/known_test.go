package topics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func twoInputs(o *Options) {
	o.Start, o.Inputs = Start{Latest: true}, []string{testTopic, "trail-2"}
}

// A topic without commits is read from its first record if a commit in another topic names it: it was deleted, and its commits
// with it. The commits of the next life name it too, before there is one in it.
//
// Guards: the lists in learn, of what they are made, and known in newToGroup.
func TestNamedTopic(t *testing.T) {
	t.Parallel()
	f := func(name, in, metadata string, named bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, twoInputs, kfake.SeedTopics(1, testTopic, "trail-2", "trail-3"))
			f.produce(testTopic, 0, 5)
			f.commit(t, in, 0, 0, strings.Replace(metadata, "ID", topicID(f.c.TopicInfo(in).TopicID), 1))
			if err := f.Begin(t.Context(), f.admin); err != nil {
				t.Fatal(err)
			}
			want := map[int32]int64{0: 5}
			if named {
				want = map[int32]int64{}
			}
			if got := f.committed(t, testTopic); !maps.Equal(got, want) || named != (f.told("has no commits") > 0) {
				t.Fatalf("committed %v, want %v: %s", got, want, f.log.String())
			}
			m, offsets := f.member(nil, 0)
			got, err := m.adjust(t.Context(), offsets)
			if at := begins(got[testTopic])[0]; err != nil || named != (at == atStart) {
				t.Errorf("begins at %d, %v", at, err)
			}
			if got := f.commitMetadata(kadm.TopicID{1}); !strings.Contains(got, shortName(testTopic)) {
				t.Errorf("the next commits say %q", got)
			}
		})
	}
	both := ",inputs=" + shortName(testTopic) + "." + shortName("trail-2")
	f("by another topic", "trail-2", "topic-id=ID,cluster-id=one"+both, true)
	f("by an older one", "trail-2", "topic-id=AQ,cluster-id=one"+both, true)
	f("by one no longer read", "trail-3", "topic-id=ID,cluster-id=one"+both, true)
	f("more than fit", "trail-2", "topic-id=ID,cluster-id=one,inputs=*", true)
	f("not", "trail-2", "topic-id=ID,cluster-id=one,inputs="+shortName("trail-2"), false)
	f("not by earlier versions", "trail-2", "topic-id=ID,cluster-id=one", false)
	f("not by another cluster", "trail-2", "topic-id=ID,cluster-id=another"+both, false)
	f("not by hand", "trail-2", "by hand", false)
}

// A commit names the inputs that the group knows, and those in which it begins by this commit; not one in which a member has yet
// to decide where. It stays well below what brokers take.
//
// Guards: known in knownInputs, and its limit; the names in withMetadata; what adjustAll adds.
func TestKnownInputs(t *testing.T) {
	t.Parallel()
	both := ",inputs=" + shortName(testTopic) + "." + shortName("trail-2")
	inputs := func(metadata string) string {
		return metadata[strings.Index(metadata, clusterKey)+len(",cluster-id=one"):]
	}
	f := func(name string, change func(*Options), members bool, do func(*testing.T, *fixture)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, change, kfake.SeedTopics(1, testTopic, "trail-2", "other"))
			if members {
				f.c.Client(kgo.ConsumerGroup(testGroup), kgo.ConsumeTopics("other"))
				f.c.Eventually("joined", func() bool { info := f.c.GroupInfo(testGroup); return info != nil && info.State == "Stable" })
			}
			do(t, f)
		})
	}
	begin := func(t *testing.T, f *fixture) {
		t.Helper()
		if err := f.Begin(t.Context(), f.admin); err != nil {
			t.Fatal(err)
		}
	}
	f("all at once", twoInputs, false, func(t *testing.T, f *fixture) {
		begin(t, f)
		for _, topic := range f.o.Inputs {
			if got := inputs(f.c.GroupInfo(testGroup).Commits[topic][0].Metadata); got != both {
				t.Errorf("%s: %q, want %q", topic, got, both)
			}
		}
		if got := inputs(f.commitMetadata(kadm.TopicID{1})); got != both {
			t.Errorf("later %q, want %q", got, both)
		}
	})
	f("one by one", twoInputs, true, func(t *testing.T, f *fixture) {
		begin(t, f)
		if got := inputs(f.commitMetadata(kadm.TopicID{1})); got != ",inputs=" {
			t.Errorf("named %q before it was decided where the group begins", got)
		}
		m, offsets := f.member(map[int32]commit{0: {0, ""}}, 0)
		if _, err := m.adjust(t.Context(), offsets); err != nil {
			t.Fatal(err)
		}
		want := ",inputs=" + shortName(testTopic)
		if got := inputs(f.commitMetadata(kadm.TopicID{1})); got != want {
			t.Errorf("named %q, want %q", got, want)
		}
	})
	f("one input", nil, false, func(t *testing.T, f *fixture) {
		f.known.add(testTopic)
		if got := inputs(f.commitMetadata(kadm.TopicID{1})); got != "" {
			t.Errorf("named %q", got)
		}
	})
	f("patterns", func(o *Options) { o.Pattern, o.Inputs = true, []string{"^a", "^b"} }, false, func(t *testing.T, f *fixture) {
		f.known.add("^a")
		if got := inputs(f.commitMetadata(kadm.TopicID{1})); got != "" {
			t.Errorf("named %q", got)
		}
	})
	many := func(n int) func(*Options) {
		return func(o *Options) {
			o.Inputs = nil
			for i := range n {
				o.Inputs = append(o.Inputs, fmt.Sprintf("trail-%d", i))
			}
		}
	}
	for n, named := range map[int]int{143: 143, 144: 0} {
		f(fmt.Sprint(n), many(n), false, func(t *testing.T, f *fixture) {
			f.known.add(f.o.Inputs...)
			got := inputs(f.commitMetadata(kadm.TopicID{1}))
			if len(got) > 1100 || (got == ",inputs=*") != (named == 0) || named > 0 && strings.Count(got, ".") != named-1 {
				t.Errorf("named %q", got)
			}
		})
	}
}

// A topic that members of the group read already, but without commits, was deleted and created again under them: an instance
// that starts then, as one that was killed does, reads it from its first record.
//
// Guards: learnFromMembers in Begin, what it adds, and that a commit ends it; what readByMembers compares.
func TestBeginOfReadTopic(t *testing.T) {
	t.Parallel()
	f := func(name, reads string, patience time.Duration, commits, isNew bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *Options) { o.Start = Start{Latest: true} }, kfake.SeedTopics(2, testTopic, "other"))
			f.knownPatience = patience
			f.produce(testTopic, 0, 5)
			described := f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups}, Observe: true, Count: -1})
			other := f.c.Client(kgo.ConsumerGroup(testGroup), kgo.ConsumeTopics(reads), kgo.DisableAutoCommit())
			f.c.Eventually("joined", func() bool {
				groups, err := f.admin.DescribeGroups(t.Context(), testGroup)
				return err == nil && groups[testGroup].State == "Stable"
			})
			before, done := described.Hits(), make(chan struct{})
			go func() {
				defer close(done)
				if !commits {
					return
				}
				f.c.Eventually("described", func() bool { return described.Hits() > before })
				other.CommitOffsetsSync(t.Context(), map[string]map[int32]kgo.EpochOffset{testTopic: {0: {Epoch: -1, Offset: 5}}}, nil)
			}()
			if err := f.Begin(t.Context(), f.admin); err != nil {
				t.Fatal(err)
			}
			<-done
			if got := f.newToGroup(testTopic, f.c.TopicInfo(testTopic).TopicID); got != isNew || f.told("the group begins") > 0 {
				t.Errorf("the start position applies: %v, want %v: %s", got, isNew, f.log.String())
			}
		})
	}
	f("read", testTopic, 50*time.Millisecond, false, false)
	f("another is read", "other", time.Hour, false, true)
	f("decided by the member", testTopic, time.Hour, true, false) // soon
}

// Whether members read a topic must be known before it counts as new: its records since it was created again would be skipped.
//
// Guards: the errors in learnFromMembers and readByMembers.
func TestMembersUnknown(t *testing.T) {
	t.Parallel()
	f := func(key kmsg.Key, refusal *kerr.Error, want string) {
		t.Run(key.Name(), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil, kfake.SeedTopics(1, testTopic))
			f.knownPatience = 0
			f.c.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: refusal, Count: -1})
			mention(t, f.learnFromMembers(t.Context(), f.admin, []string{testTopic}), want, refusal.Message)
		})
	}
	f(kmsg.DescribeGroups, kerr.GroupAuthorizationFailed, `describing group "regionwatch"`)
	f(kmsg.DescribeGroups, kerr.UnknownServerError, `describing group "regionwatch"`)
	f(kmsg.OffsetFetch, kerr.GroupAuthorizationFailed, "fetching the committed offsets")
}

// Only a group that is stable tells what its members read; one without members has nothing to tell.
//
// Guard: the state in readByMembers.
func TestReadByMembers(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]bool{"": true, "Empty": true, "Stable": true, "PreparingRebalance": false, "CompletingRebalance": false} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil, kfake.SeedTopics(1, testTopic))
			f.c.ControlKey(int16(kmsg.DescribeGroups), func(req kmsg.Request) (kmsg.Response, error, bool) {
				resp := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
				group := kmsg.DescribeGroupsResponseGroup{Group: testGroup, State: state, ProtocolType: "consumer"}
				if len(state) > len("Empty") {
					group.Members = []kmsg.DescribeGroupsResponseGroupMember{{MemberID: "other"}}
				}
				resp.Groups = append(resp.Groups, group)
				return resp, nil, true
			})
			if got, err := f.readByMembers(t.Context(), f.admin, []string{testTopic}, make(map[string]bool)); got != want || err != nil {
				t.Errorf("stable %t, %v, want %t", got, err, want)
			}
		})
	}
}

// What waits for the group does not take the end of its context for an answer.
//
// Guards: the errors of Sleep in learnFromMembers, in settle and in committed.
func TestWaitsEnd(t *testing.T) {
	t.Parallel()
	f := func(name string, asks kmsg.Key, fault *kerr.Error, wait func(context.Context, *fixture) error) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, withState, kfake.SeedTopics(1, testTopic))
			f.knownPatience = time.Hour
			f.atStart = map[string]kadm.TopicID{testTopic: f.c.TopicInfo(testTopic).TopicID}
			f.c.Client(kgo.ConsumerGroup(testGroup), kgo.ConsumeTopics(testTopic), kgo.DisableAutoCommit())
			f.c.Eventually("joined", func() bool { info := f.c.GroupInfo(testGroup); return info != nil && info.State == "Stable" })
			asked := f.c.Fault(kfake.Fault{Keys: []kmsg.Key{asks}, Err: fault, Observe: fault == nil, Count: -1})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				f.c.Eventually("asked twice", func() bool { return asked.Hits() > 1 })
				cancel()
			}()
			if err := wait(ctx, f); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
	f("members", kmsg.DescribeGroups, nil, func(ctx context.Context, f *fixture) error {
		return f.learnFromMembers(ctx, f.admin, []string{testTopic})
	})
	f("settle", kmsg.OffsetFetch, nil, func(ctx context.Context, f *fixture) error {
		m, _ := f.member(nil)
		m.since = time.Now()
		_, err := m.settle(ctx, kadm.TopicDetail{Topic: testTopic, ID: f.atStart[testTopic]}, false)
		return err
	})
	f("committed", kmsg.OffsetFetch, kerr.UnstableOffsetCommit, func(ctx context.Context, f *fixture) error {
		r, err := f.OpenState(ctx, 0)
		if err == nil {
			_, _, err = r.committed(ctx)
		}
		return err
	})
}

// Two members that decide in one topic each and wait in the other do not wait for each other.
//
// Guard: the order in adjustAll.
func TestSettleCrosswise(t *testing.T) {
	t.Parallel()
	topics := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	f := newFixture(t, func(o *Options) { o.Start = Start{Latest: true} }, kfake.SeedTopics(2, topics...))
	f.atStart = make(map[string]kadm.TopicID)
	var wait sync.WaitGroup
	var assigned [2]map[string]map[int32]kgo.Offset
	for i := range assigned {
		assigned[i] = make(map[string]map[int32]kgo.Offset)
	}
	for i, topic := range topics {
		f.atStart[topic] = f.c.TopicInfo(topic).TopicID
		for partition := range int32(2) {
			assigned[(i+int(partition))%2][topic] = map[int32]kgo.Offset{partition: kgo.NewOffset().AtEnd()}
		}
	}
	for _, offsets := range assigned {
		m, _ := f.member(nil)
		wait.Go(func() {
			if _, err := m.adjust(t.Context(), offsets); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if f.told("no member has decided")+f.told("deadline exceeded") > 0 {
		t.Error(f.log.String())
	}
}
