package demo

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Port is the default port of the broker, if it is free.
const Port = 19092

// partitions is the number of partitions per topic.
const partitions = 4

// broker is a Kafka broker embedded in this process.
type broker struct {
	cluster *kfake.Cluster
	address string
}

// startBroker starts the broker on a port of 127.0.0.1 and creates the topics. Port 0 means [Port], or a free port if that
// one is taken.
func startBroker(ctx context.Context, port int) (*broker, error) {
	wanted := port
	if port == 0 {
		wanted = Port
	}
	cluster, err := newCluster(wanted)
	if err != nil && port == 0 {
		cluster, err = newCluster(port) // the system chooses the port
	}
	if err != nil {
		return nil, fmt.Errorf("starting the broker on port %d: %w", wanted, err)
	}
	b := &broker{cluster: cluster, address: cluster.ListenAddrs()[0]}
	if err := b.createTopics(ctx); err != nil {
		b.close()
		return nil, fmt.Errorf("creating topics: %w", err)
	}
	return b, nil
}

func newCluster(port int) (*kfake.Cluster, error) {
	return kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(port),
		kfake.ClusterID("regionwatch-demo"),
		// How often old segments are dropped. The broker's default is to keep them for an hour.
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": "5000"}),
	)
}

// createTopics creates the topics with bounded retention: the broker keeps records in memory, and the demo may run for
// days.
func (b *broker) createTopics(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address))
	if err != nil {
		return err
	}
	defer client.Close()
	bound := func(bytes int) *string { s := strconv.Itoa(bytes); return &s }
	configs := map[string]*string{"retention.bytes": bound(8 << 20), "segment.bytes": bound(1 << 20)}
	responses, err := kadm.NewClient(client).CreateTopics(ctx, partitions, 1, configs, inputTopic, alertTopic, deadLetterTopic)
	if err != nil {
		return err
	}
	return responses.Error()
}

func (b *broker) close() { b.cluster.Close() }
