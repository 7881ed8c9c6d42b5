package processor

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// A new group begins at the start position. An existing group continues where it was, whatever the start position is.
// Records that arrive while the first owner of a quiet partition is down are not skipped.
//
// Guard: begin. A start left to the client would skip the record that is produced in between.
func TestStartPosition(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		for name, test := range map[string]struct {
			start Start
			first int // first of the five existing records to be read
		}{
			"earliest": {Start{}, 5},
			"latest":   {Start{Latest: true}, 0},
			"time":     {Start{At: at.Add(2 * time.Second)}, 3},
			"future":   {Start{At: at.Add(time.Hour)}, 0},
		} {
			t.Run(delivery.String()+", "+name, func(t *testing.T) {
				t.Parallel()
				c := newCluster(t, 2)
				for i := range 5 {
					c.Produce(&kgo.Record{Topic: inputTopic, Value: fmt.Appendf(nil, "alert before-%d", i), Timestamp: at.Add(time.Duration(i) * time.Second)})
				}
				options := func() Options {
					o := testOptions(c)
					o.Delivery, o.InstanceID, o.Start = delivery, "one", test.start
					return o
				}
				first := start(t, options())
				c.Eventually("ready", func() bool { return first.Ready() == nil })
				c.Eventually("read what was there", func() bool { return first.Status().Counts.Records == uint64(test.first) })
				first.mustStop()

				c.Produce(&kgo.Record{Topic: inputTopic, Partition: 1, Value: []byte("alert between"), Timestamp: at.Add(24 * time.Hour)})
				second := start(t, options())
				c.Eventually("read what came in between", func() bool { return second.Status().Acked == 1 })
				second.mustStop()
				if ids := alertIDs(c.ReadAll(alertTopic)); len(ids) != test.first+1 || ids["between"] != 1 {
					t.Errorf("alerts %v, want %d and the one in between", ids, test.first)
				}
			})
		}
	}
}

// Instances that start together begin at the start position, and partitions added later are read from their first record.
//
// Guard: newToGroup in settle. Left to the client, every partition without a commit would begin at its end.
func TestStartTogether(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 6)
		c.ProduceValues(inputTopic, 6, values(60, "alert before-%d")...)
		// The group has members as soon as it exists, so every instance's first commit is rejected.
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.UnknownMemberID, Count: 3})
		var runs []*run
		for i := range 3 {
			o := options(c)
			o.InstanceID, o.Start, o.Sessions = fmt.Sprint("i-", i), Start{Latest: true}, 1
			o.ClientOpts = []kgo.Opt{kgo.MetadataMaxAge(500 * time.Millisecond)}
			runs = append(runs, start(t, o))
		}
		all := func() (n int) {
			for _, r := range runs {
				n += r.Status().Assigned
			}
			return n
		}
		c.Eventually("assigned", func() bool { return all() == 6 })
		c.Eventually("settled", func() bool {
			for p := range int32(6) {
				if c.Committed(testGroup, inputTopic, p) != 10 {
					return false
				}
			}
			return true
		})
		req := kmsg.NewPtrCreatePartitionsRequest()
		topic := kmsg.NewCreatePartitionsRequestTopic()
		topic.Topic, topic.Count = inputTopic, 8
		req.Topics = append(req.Topics, topic)
		if _, err := req.RequestWith(t.Context(), c.Client()); err != nil {
			t.Fatal(err)
		}
		c.Produce(&kgo.Record{Topic: inputTopic, Partition: 6, Value: []byte("alert six")}, &kgo.Record{Topic: inputTopic, Partition: 7, Value: []byte("alert seven")})
		if ids := alertIDs(c.Read(alertTopic, 2)); ids["six"] != 1 || ids["seven"] != 1 {
			t.Errorf("alerts %v", ids)
		}
	})
}

// A topic added to the settings begins at the start position, even while the group is running.
//
// Guard: decide.
func TestStartOfAddedTopic(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1, kfake.SeedTopics(2, "added"))
		o := options(c)
		o.Start = Start{Latest: true}
		first := start(t, o)
		c.Eventually("ready", func() bool { return first.Ready() == nil })
		c.ProduceValues("added", 2, values(10, "alert before-%d")...)
		o.Registry, o.InstanceID = nil, "two"
		o.InputTopics = append(o.InputTopics, "added")
		var log lines
		o.Logger = log.logger()
		second := start(t, o)
		c.Eventually("settled", func() bool { return c.Committed(testGroup, "added", 0) == 5 && c.Committed(testGroup, "added", 1) == 5 })
		c.ProduceValues("added", 2, "alert after")
		if ids := alertIDs(c.Read(alertTopic, 1)); ids["after"] != 1 {
			t.Errorf("alerts %v", ids)
		}
		if n := second.tally.Snapshot().StartSkipped; n != 10 || log.count("records before the start position") != 1 {
			t.Errorf("%d records left out, want 10 and one warning", n)
		}
	})
}

// A partition that the client drops because the coordinator did not return its committed offset is read anyway.
//
// Guard: IsRetriable in fetchError.
func TestOffsetNotTold(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		c.ProduceValues(inputTopic, 1, "alert 0", "alert 1")
		f := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Topic: inputTopic, Err: kerr.CoordinatorLoadInProgress, Count: 1})
		r := start(t, options(c))
		c.Eventually("read", func() bool { return r.Status().Counts.Records == 2 })
		if f.Hits() == 0 {
			t.Error("the fault was never met")
		}
	})
}

// A partition whose commit has expired is read from its first record: nothing is skipped silently.
func TestExpiredOffset(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 2)
		c.ProduceValues(inputTopic, 2, values(10, "alert %d")...)
		commitAs(t, c, testGroup, inputTopic, 5, "")
		o := options(c)
		o.Start = Start{Latest: true}
		r := start(t, o)
		c.Eventually("partition 1 is read", func() bool { return r.Status().Counts.Records == 5 })
	})
}

// The group's commits must be known before the start position is committed over them.
//
// Guards: the errors of groupCommits and of the commit in begin.
func TestStartFailures(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]kmsg.Key{"offsets fetched": kmsg.OffsetFetch, "offsets committed": kmsg.OffsetCommit, "offsets listed": kmsg.ListOffsets} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			c.ProduceValues(inputTopic, 1, "alert 0", "alert 1", "alert 2")
			want := 3
			if key == kmsg.OffsetFetch {
				commitAs(t, c, testGroup, inputTopic, 1, "")
				want = 1
			}
			f := c.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Topic: inputTopic, Err: kerr.CoordinatorLoadInProgress, Count: 2})
			hits := f.Hits
			if key == kmsg.OffsetFetch {
				f.Remove()
				hits = unstableOffsets(c, 2)
			}
			o := testOptions(c)
			o.Start = Start{Latest: true}
			r := start(t, o)
			c.Eventually("ready", func() bool { return r.Ready() == nil })
			if hits() == 0 {
				t.Error("the fault was never met")
			}
			if got := c.Committed(testGroup, inputTopic, 0); got < int64(want) {
				t.Errorf("committed %d, want %d or more", got, want)
			}
			if want == 1 {
				c.Eventually("the rest is read", func() bool { return r.Status().Counts.Records == 2 })
			}
		})
	}
}

// unstableOffsets makes the broker withhold the offset of partition 0 from the first n requests that ask for all offsets.
func unstableOffsets(c *processortest.Cluster, n int) (hits func() int) {
	var met atomic.Int64
	c.ControlKey(int16(kmsg.OffsetFetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := kreq.(*kmsg.OffsetFetchRequest)
		if int(met.Load()) >= n || len(req.Groups) != 1 || req.Groups[0].Topics != nil {
			return nil, nil, false
		}
		met.Add(1)
		resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		p := kmsg.NewOffsetFetchResponseGroupTopicPartition()
		p.Offset, p.ErrorCode = -1, kerr.UnstableOffsetCommit.Code
		topic := kmsg.NewOffsetFetchResponseGroupTopic()
		topic.Topic, topic.TopicID, topic.Partitions = inputTopic, c.TopicInfo(inputTopic).TopicID, append(topic.Partitions, p)
		group := kmsg.NewOffsetFetchResponseGroup()
		group.Group, group.Topics = req.Groups[0].Group, append(group.Topics, topic)
		resp.Groups = append(resp.Groups, group)
		return resp, nil, true
	})
	return func() int { return int(met.Load()) }
}

// A commit beyond the end of its partition, as on a restored cluster, is reported, and the partition is read from its
// first record.
func TestCommitBeyondEnd(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		c.ProduceValues(inputTopic, 1, "alert 0", "alert 1")
		commitAs(t, c, testGroup, inputTopic, 100, "")
		var log lines
		o := options(c)
		o.Logger = log.logger()
		r := start(t, o)
		c.Eventually("read", func() bool { return r.Status().Counts.Records == 2 })
		if n := r.tally.Snapshot().DataLosses; n != 1 || log.count("beyond the end") != 1 {
			t.Errorf("%d losses counted, want one and a line", n)
		}
	})
}
