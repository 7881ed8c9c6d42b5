package topics

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A new group gets its first offsets in every partition of the topics that are new to it, and those before are counted.
//
// Guards: what learn adds and the patterns in newToGroup; withMetadata.
func TestBegin(t *testing.T) {
	t.Parallel()
	type offsets = map[int32]int64
	f := func(name string, change func(*Options), commits map[string]int64, want, wantOther offsets, skipped uint64) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, change, kfake.SeedTopics(2, testTopic, "trail-2", "other"))
			f.produce(testTopic, 0, 5)
			f.produce(testTopic, 1, 3)
			f.produce("trail-2", 0, 1)
			if _, err := f.c.Client().Request(t.Context(), deleteRecords(testTopic, 0, 1)); err != nil {
				t.Fatal(err)
			}
			for topic, offset := range commits {
				f.commit(t, topic, 0, offset, f.commitMetadata(f.c.TopicInfo(topic).TopicID))
			}
			if err := f.Begin(t.Context(), f.admin); err != nil {
				t.Fatal(err)
			}
			if got := f.committed(t, testTopic); !maps.Equal(got, want) {
				t.Errorf("committed %v, want %v", got, want)
			}
			if got := f.committed(t, "trail-2"); !maps.Equal(got, wantOther) {
				t.Errorf("committed %v in the other topic, want %v", got, wantOther)
			}
			if n := f.told("the group begins"); n != min(len(want)+len(wantOther)-len(commits), 1) {
				t.Errorf("told %d times that the group begins", n)
			}
			if got := f.o.Tally.Snapshot().StartSkipped; got != skipped || f.told("before the start position") != int(min(skipped, 1)) {
				t.Errorf("%d records left out, want %d: %s", got, skipped, f.log.String())
			}
			if f.told("has no commits") > 0 {
				t.Errorf("no topic is known without commits: %s", f.log.String())
			}
		})
	}
	start := func(s Start, inputs ...string) func(*Options) {
		return func(o *Options) { o.Start, o.Inputs = s, append(o.Inputs, inputs...) }
	}
	pattern := func(o *Options) { o.Start, o.Pattern, o.Inputs = Start{Latest: true}, true, []string{"^trail"} }
	latest := Start{Latest: true}
	f("earliest", start(Start{}), nil, offsets{}, offsets{}, 0)
	f("latest", start(latest), nil, offsets{0: 5, 1: 3}, offsets{}, 7)
	f("at a time", start(Start{Latest: true, At: begin.Add(2 * time.Second)}), nil, offsets{0: 2, 1: 2}, offsets{}, 3)
	f("at a time before all", start(Start{At: begin}), nil, offsets{0: 1, 1: 0}, offsets{}, 0)
	f("known", start(latest), map[string]int64{testTopic: 0}, offsets{0: 0}, offsets{}, 0)
	f("one of two is known", start(latest, "trail-2"), map[string]int64{testTopic: 2}, offsets{0: 2}, offsets{0: 1, 1: 0}, 1)
	f("a pattern", pattern, nil, offsets{0: 5, 1: 3}, offsets{0: 1, 1: 0}, 8)
	f("a pattern of a known group", pattern, map[string]int64{"trail-2": 0}, offsets{}, offsets{0: 0}, 0)
	f("a pattern of a group of other topics", pattern, map[string]int64{"other": 0}, offsets{0: 5, 1: 3}, offsets{0: 1, 1: 0}, 8)
}

func deleteRecords(topic string, partition int32, before int64) *kmsg.DeleteRecordsRequest {
	req := kmsg.NewPtrDeleteRecordsRequest()
	t := kmsg.NewDeleteRecordsRequestTopic()
	t.Topic, t.Partitions = topic, []kmsg.DeleteRecordsRequestTopicPartition{{Partition: partition, Offset: before}}
	req.Topics = append(req.Topics, t)
	return req
}

// Nothing is committed as long as the brokers do not say everything that the decision needs. A group with members decides
// later.
//
// Guards: the errors of inputTopics, groupCommits and startOffsets, and that of the commit.
func TestBeginRefused(t *testing.T) {
	t.Parallel()
	f := func(key kmsg.Key, refusal *kerr.Error, parts ...string) {
		t.Run(key.Name()+" "+refusal.Message, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *Options) { o.Start = Start{Latest: true} }, kfake.SeedTopics(2, testTopic))
			f.produce(testTopic, 0, 5)
			f.c.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: refusal, Count: -1})
			mention(t, f.Begin(t.Context(), f.admin), parts...)
			mention(t, f.o.Health.Ready(), "looking for the place to begin")
			if (f.told("the group has members") > 0) != (len(parts) == 0) {
				t.Error(f.log.String())
			}
			if got := f.committed(t, testTopic); len(got) > 0 || f.told("the group begins") > 0 {
				t.Errorf("committed %v", got)
			}
			if key == kmsg.OffsetFetch {
				mention(t, f.Loaded(t.Context()), parts...)
			}
		})
	}
	f(kmsg.Metadata, kerr.TopicAuthorizationFailed, "listing topics", "TOPIC_AUTHORIZATION_FAILED")
	f(kmsg.OffsetFetch, kerr.GroupAuthorizationFailed, "fetching the committed offsets", testGroup, "GROUP_AUTHORIZATION_FAILED")
	f(kmsg.ListOffsets, kerr.TopicAuthorizationFailed, "listing the offsets of latest", "TOPIC_AUTHORIZATION_FAILED")
	f(kmsg.OffsetCommit, kerr.OffsetMetadataTooLarge, "committing where group", testGroup, "OFFSET_METADATA_TOO_LARGE")
	f(kmsg.OffsetCommit, kerr.UnknownMemberID)
	f(kmsg.OffsetCommit, kerr.IllegalGeneration)
	f(kmsg.OffsetCommit, kerr.RebalanceInProgress)
}

// A commit that a broker cannot tell is not one that is missing: latest would be committed over it.
//
// Guard: the error of each partition in groupCommits.
func TestBeginWithoutACommit(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Start = Start{Latest: true} }, kfake.SeedTopics(1, testTopic))
	f.produce(testTopic, 0, 5)
	f.commit(t, testTopic, 0, 2, f.commitMetadata(f.c.TopicInfo(testTopic).TopicID))
	f.c.ControlKey(int16(kmsg.OffsetFetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.c.KeepControl()
		resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		partitions := []kmsg.OffsetFetchResponseGroupTopicPartition{{Offset: -1, ErrorCode: kerr.UnstableOffsetCommit.Code}}
		resp.Groups = []kmsg.OffsetFetchResponseGroup{{Group: testGroup, Topics: []kmsg.OffsetFetchResponseGroupTopic{
			{Topic: testTopic, TopicID: f.c.TopicInfo(testTopic).TopicID, Partitions: partitions},
		}}}
		return resp, nil, true
	})
	mention(t, f.Begin(t.Context(), f.admin), "fetching the committed offsets", "UNSTABLE_OFFSET_COMMIT")
	if got := f.committed(t, testTopic); got[0] != 2 {
		t.Errorf("committed %v", got)
	}
}

// What records precede the start position must be known before it is committed.
func TestFirstOffsetsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Start = Start{Latest: true} }, kfake.SeedTopics(1, testTopic))
	f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.TopicAuthorizationFailed, Count: -1, When: func(req kmsg.Request) bool {
		return req.(*kmsg.ListOffsetsRequest).Topics[0].Partitions[0].Timestamp == -2 // the first
	}})
	err := f.Begin(t.Context(), f.admin)
	mention(t, err, "listing the first offsets")
	if !errors.Is(err, kerr.TopicAuthorizationFailed) || len(f.committed(t, testTopic)) > 0 {
		t.Errorf("%v", err)
	}
}

// Topics that appear after the start, or are deleted and created again, are read from their first record.
//
// Guard: atStart.
func TestNewToGroup(t *testing.T) {
	t.Parallel()
	ts := New(testOptions())
	ts.atStart = map[string]kadm.TopicID{testTopic: {1}}
	if !ts.newToGroup(testTopic, kadm.TopicID{1}) || ts.newToGroup(testTopic, kadm.TopicID{2}) || ts.newToGroup("later", kadm.TopicID{3}) {
		t.Error("only the topic at the start is new to the group")
	}
	ts.learn(kadm.OffsetResponses{testTopic: {0: {Offset: kadm.Offset{At: -1}}}})
	if !ts.newToGroup(testTopic, kadm.TopicID{1}) {
		t.Error("an offset of -1 is no commit")
	}
}

func TestStartString(t *testing.T) {
	for want, s := range map[string]Start{
		"earliest": {}, "latest": {Latest: true}, "2026-01-02T03:04:05Z": {Latest: true, At: begin.In(time.FixedZone("", 3600))},
		"2026-01-02T03:04:05.25Z": {At: begin.Add(250 * time.Millisecond)},
	} {
		if got := s.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
