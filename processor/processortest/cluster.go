// Package processortest helps tests use an embedded broker: a cluster that ends with its test, records in, records out.
//
// Every helper takes the test, fails it on an error and cleans up after it. Goroutines belong to the clients and clusters,
// which are closed when the test ends, clients first.
package processortest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Cluster is an embedded broker for one test.
type Cluster struct {
	*kfake.Cluster
	// ClientOpts are options that every client of a virtual cluster needs.
	ClientOpts []kgo.Opt

	t        testing.TB
	progress *kfake.FaultHandle // counts the requests that change something
}

// changing are the requests that a client sends when it gets on, or joins a group anew. It sends others as long as it lives.
var changing = []kmsg.Key{
	kmsg.Produce, kmsg.OffsetCommit, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.InitProducerID, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.LeaveGroup,
}

// New starts a cluster of one broker, unless opts say otherwise.
func New(t testing.TB, opts ...kfake.Opt) *Cluster {
	t.Helper()
	opts = append([]kfake.Opt{kfake.NumBrokers(1), kfake.ClusterID("regionwatch-test")}, opts...)
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatalf("starting the embedded broker: %v", err)
	}
	t.Cleanup(c.Close)
	AnswerLeaderEpochs(c)
	return &Cluster{Cluster: c, t: t, progress: c.Fault(kfake.Fault{Keys: changing, Observe: true, Count: -1})}
}

// NewVirtual starts a cluster for a test within a bubble of testing/synctest: without a network, so that time passes only
// while all wait. How long something takes is then the same on any machine.
func NewVirtual(t testing.TB, opts ...kfake.Opt) *Cluster {
	t.Helper()
	network := new(kfake.VirtualNetwork)
	c := New(t, append(opts, kfake.ListenFn(network.Listen), kfake.Ports(9092))...)
	c.ClientOpts = []kgo.Opt{kgo.Dialer(network.DialContext)}
	return c
}

// AnswerLeaderEpochs makes an embedded cluster answer correctly where a leader epoch ends. By default it answers that the
// end is unknown if a partition has moved and nothing was produced since. Clients take that for data loss and read part of
// the partition again. Nothing is ever truncated here, so any epoch that was ever consumed extends to the end.
func AnswerLeaderEpochs(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := kreq.(*kmsg.OffsetForLeaderEpochRequest)
		resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
		for _, topic := range req.Topics {
			answer := kmsg.NewOffsetForLeaderEpochResponseTopic()
			answer.Topic = topic.Topic
			for _, p := range topic.Partitions {
				info := c.PartitionInfo(topic.Topic, p.Partition)
				if info == nil || info.Leader != c.CurrentNode() {
					return nil, nil, false
				}
				end := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
				end.Partition, end.LeaderEpoch, end.EndOffset = p.Partition, p.LeaderEpoch, info.HighWatermark
				answer.Partitions = append(answer.Partitions, end)
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
}

// seeds returns the options with which a client finds the cluster.
func (c *Cluster) seeds() []kgo.Opt {
	return append([]kgo.Opt{kgo.SeedBrokers(c.ListenAddrs()...)}, c.ClientOpts...)
}

// Client returns a client of the cluster. It is closed when the test ends.
func (c *Cluster) Client(opts ...kgo.Opt) *kgo.Client {
	c.t.Helper()
	client, err := kgo.NewClient(append(c.seeds(), opts...)...)
	if err != nil {
		c.t.Fatalf("making client: %v", err)
	}
	c.t.Cleanup(client.Close)
	return client
}

// Committed returns a group's committed offset of a partition, or -1.
func (c *Cluster) Committed(group, topic string, partition int32) int64 {
	if info := c.GroupInfo(group); info != nil {
		if commit, ok := info.Commits[topic][partition]; ok {
			return commit.Offset
		}
	}
	return -1
}

// Commit commits an offset for a group.
func (c *Cluster) Commit(group, topic string, partition int32, offset int64) {
	c.t.Helper()
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset, LeaderEpoch: -1})
	if err := kadm.NewClient(c.Client()).CommitAllOffsets(c.t.Context(), group, offsets); err != nil {
		c.t.Fatalf("committing: %v", err)
	}
}

// End returns the end offset of a partition.
func (c *Cluster) End(topic string, partition int32) int64 {
	c.t.Helper()
	info := c.PartitionInfo(topic, partition)
	if info == nil {
		c.t.Fatalf("no partition %d of topic %q", partition, topic)
	}
	return info.HighWatermark
}

// EndOfAll returns the sum of the end offsets of a topic's partitions.
func (c *Cluster) EndOfAll(topic string) (n int64) {
	for _, info := range c.PartitionInfos(topic) {
		n += info.HighWatermark
	}
	return n
}
