package processor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// recreate deletes a topic and creates it again with n partitions.
func recreate(t *testing.T, c *processortest.Cluster, topic string, n int32) {
	t.Helper()
	if err := c.DeleteTopic(topic); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateTopic(topic, n, nil); err != nil {
		t.Fatal(err)
	}
}

// eachDelivery runs a test in both modes, with one session.
func eachDelivery(t *testing.T, f func(*testing.T, func(*processortest.Cluster) Options)) {
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			f(t, func(c *processortest.Cluster) Options {
				o := exactlyOnce(c)
				o.Delivery = delivery
				return o
			})
		})
	}
}

// A deleted and recreated input topic is read from its first record, with more or fewer partitions, while other topics
// continue.
//
// Guard: IsRetriable in fetchError, and retry.ErrRenew in consume and in verdict.
func TestInputRecreated(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		for _, partitions := range []int32{1, 2, 5} {
			t.Run(fmt.Sprint(partitions), func(t *testing.T) {
				t.Parallel()
				c := newCluster(t, 2, kfake.SeedTopics(1, "other"))
				o := options(c)
				o.InputTopics = append(o.InputTopics, "other")
				o.Start = Start{Latest: true}
				r := start(t, o)
				c.Eventually("ready", func() bool { return r.Ready() == nil })
				c.ProduceValues(inputTopic, 2, values(20, "alert old-%d")...)
				c.Eventually("the old ones are read", func() bool { return r.Status().Counts.Records == 20 })
				c.Eventually("and committed", func() bool { return committedToEnd(c, 2) })

				recreate(t, c, inputTopic, partitions)
				c.ProduceValues(inputTopic, partitions, values(10, "alert new-%d")...)
				c.ProduceValues("other", 1, "alert other")
				c.Eventually("all are read", func() bool { return r.Status().Counts.Records == 31 })
				c.Eventually("and committed", func() bool { return committedToEnd(c, partitions) })
				c.Eventually("it is counted", func() bool { return r.tally.Snapshot().Recreated > 0 })
				r.mustStop()
				if ids := alertIDs(c.ReadAll(alertTopic)); len(ids) != 31 {
					t.Errorf("%d alerts, want 31", len(ids))
				}
			})
		}
	})
}

// A deleted topic makes the instance not ready. It is read once it exists again.
//
// Guard: SetMissing in compare.
func TestInputDeleted(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1, kfake.SeedTopics(1, "other"))
		o := options(c)
		o.InputTopics = append(o.InputTopics, "other")
		r := start(t, o)
		c.ProduceValues(inputTopic, 1, "alert old")
		c.Eventually("read", func() bool { return r.Status().Counts.Records == 1 })
		if err := c.DeleteTopic(inputTopic); err != nil {
			t.Fatal(err)
		}
		c.Eventually("not ready", func() bool {
			err := r.Ready()
			return err != nil && hasText(&kgo.Record{Value: []byte(err.Error())}, inputTopic)
		})
		c.ProduceValues("other", 1, "alert other")
		c.Eventually("the other topic is read", func() bool { return r.Status().Counts.Records == 2 })
		if err := c.CreateTopic(inputTopic, 1, nil); err != nil {
			t.Fatal(err)
		}
		c.ProduceValues(inputTopic, 1, "alert new")
		c.Eventually("the new topic is read", func() bool { return r.Status().Counts.Records == 3 })
		c.Eventually("ready", func() bool { return r.Ready() == nil })
	})
}

// With a pattern, a recreated topic is read from its first record, and so is a new one.
func TestPatternRecreated(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1, kfake.SeedTopics(1, "trail-a", "trail-b"))
		o := options(c)
		o.InputTopics, o.InputPattern, o.Start = []string{"^trail-[a-z]$"}, true, Start{Latest: true}
		o.ClientOpts = []kgo.Opt{kgo.MetadataMaxAge(time.Second)}
		r := start(t, o)
		c.Eventually("ready", func() bool { return r.Ready() == nil })
		c.ProduceValues("trail-a", 1, "alert before")
		c.Eventually("read", func() bool { return r.Status().Counts.Records == 1 })
		recreate(t, c, "trail-a", 1)
		c.ProduceValues("trail-a", 1, "alert after")
		if err := c.CreateTopic("trail-c", 1, nil); err != nil {
			t.Fatal(err)
		}
		c.ProduceValues("trail-c", 1, "alert later")
		c.Eventually("both are read", func() bool { return r.Status().Counts.Records == 3 })
	})
}

// Commits of an older topic of the same name, which brokers before 4.2 may keep, are not taken for the new topic's.
//
// Guard: topics.isOlderTopic.
func TestRecreatedWhileDown(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		first := start(t, options(c))
		c.ProduceValues(inputTopic, 1, values(5, "alert old-%d")...)
		c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
		first.mustStop()
		kept := c.GroupInfo(testGroup).Commits[inputTopic][0]

		recreate(t, c, inputTopic, 1)
		c.ProduceValues(inputTopic, 1, values(10, "alert new-%d")...)
		commitAs(t, c, testGroup, inputTopic, kept.Offset, kept.Metadata)
		o := options(c)
		o.Registry = nil
		second := start(t, o)
		c.Eventually("all are read", func() bool { return second.Status().Counts.Records == 10 })
		if second.tally.Snapshot().Recreated == 0 {
			t.Error("it was not counted")
		}
		c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
		second.mustStop()

		o.Registry = nil
		third := start(t, o)
		c.ProduceValues(inputTopic, 1, "alert last")
		c.Eventually("the last one is read", func() bool { return third.Status().Counts.Records == 1 })
	})
}

// Offsets that MirrorMaker translated from another cluster come with the metadata of its commits. They are taken as they are.
//
// Guard: the comparison of clusters in isOlderTopic.
func TestMirroredOffsets(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		first := start(t, options(c))
		c.ProduceValues(inputTopic, 1, values(5, "alert first-%d")...)
		c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
		first.mustStop()
		kept := c.GroupInfo(testGroup).Commits[inputTopic][0]
		id, cluster, found := strings.Cut(kept.Metadata, ",cluster-id=")
		if !found || cluster == "" {
			t.Fatalf("metadata %q", kept.Metadata)
		}

		c.ProduceValues(inputTopic, 1, values(3, "alert second-%d")...)
		commitAs(t, c, testGroup, inputTopic, kept.Offset, id[:len(id)-4]+"AAAA,cluster-id=another-cluster")
		o := options(c)
		o.Registry = nil
		second := start(t, o)
		c.Eventually("the rest is read", func() bool { return second.Status().Counts.Records >= 3 })
		second.mustStop()
		if s := second.tally.Snapshot(); s.Counts.Records != 3 || s.Recreated != 0 {
			t.Errorf("%d records, %d topics recreated, want 3 and none", s.Counts.Records, s.Recreated)
		}
	})
}

func commitAs(t *testing.T, c *processortest.Cluster, group, topic string, offset int64, metadata string) {
	t.Helper()
	offsets := make(kadm.Offsets)
	offsets.Add(kadm.Offset{Topic: topic, At: offset, LeaderEpoch: -1, Metadata: metadata})
	resp, err := kadm.NewClient(c.Client()).CommitOffsets(t.Context(), group, offsets)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A recreated output topic receives everything written from then on, within seconds and without a storm of requests.
//
// Guards: retry.IsRecreated in Output.again and in transaction.end, and the backoff in Output.Flush.
func TestOutputRecreated(t *testing.T) {
	t.Parallel()
	for topic, value := range map[string]string{alertTopic: "alert", deadLetterTopic: "bad"} {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()
			eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
				c := newCluster(t, 1)
				o := options(c)
				o.ClientOpts = []kgo.Opt{kgo.MetadataMaxAge(time.Second)}
				r := start(t, o)
				c.ProduceValues(inputTopic, 1, value+" 1")
				c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
				produces := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1})
				recreate(t, c, topic, 3)
				c.ProduceValues(inputTopic, 1, value+" 2")
				c.Read(topic, 1)
				c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
				r.mustStop()
				if n := produces.Hits(); n > 200 {
					t.Errorf("%d produce requests", n)
				}
			})
		})
	}
}

// Waiting for a topic that stays deleted makes the instance not ready and causes no storm of requests; the client paces
// them. What waits is written once the topic exists.
func TestOutputDeleted(t *testing.T) {
	t.Parallel()
	eachDelivery(t, func(t *testing.T, options func(*processortest.Cluster) Options) {
		c := newCluster(t, 1)
		r := start(t, options(c))
		c.ProduceValues(inputTopic, 1, "alert 1")
		c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
		if err := c.DeleteTopic(alertTopic); err != nil {
			t.Fatal(err)
		}
		requests := c.Fault(kfake.Fault{Observe: true, Count: -1})
		c.ProduceValues(inputTopic, 1, "alert 2")
		looks := 0
		c.Eventually("not ready, for 100 looks", func() bool { // what a busier machine stretches has fewer requests
			if r.Ready() != nil {
				looks++
			}
			return looks > 100
		})
		if n := requests.Hits(); n > 200 {
			t.Errorf("%d requests", n)
		}
		if err := c.CreateTopic(alertTopic, 1, nil); err != nil {
			t.Fatal(err)
		}
		c.Read(alertTopic, 1)
	})
}
