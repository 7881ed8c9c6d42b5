package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// demoPort is the broker's port where none is given and nobody has it.
const demoPort = 19092

// demoPartitions is how many partitions each topic of the demo has.
const demoPartitions = 4

// demoBroker is a Kafka broker in this process.
type demoBroker struct {
	cluster *kfake.Cluster
	address string
}

// startDemoBroker starts the broker on a port of 127.0.0.1, with the demo's topics. Port 0 takes demoPort,
// or a free one.
func startDemoBroker(ctx context.Context, port int) (*demoBroker, error) {
	wanted := port
	if port == 0 {
		wanted = demoPort
	}
	cluster, err := newDemoCluster(wanted)
	if err != nil && port == 0 {
		cluster, err = newDemoCluster(port) // the system chooses
	}
	if err != nil {
		return nil, fmt.Errorf("starting the broker on port %d: %w", wanted, err)
	}
	b := &demoBroker{cluster: cluster, address: cluster.ListenAddrs()[0]}
	if err := b.createTopics(ctx); err != nil {
		b.close()
		return nil, fmt.Errorf("creating topics: %w", err)
	}
	return b, nil
}

func newDemoCluster(port int) (*kfake.Cluster, error) {
	return kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(port),
		kfake.ClusterID("regionwatch-demo"),
		// Old segments are looked for this often; without it they stay for an hour.
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": "5000"}),
	)
}

// createTopics makes the topics, bounded so that the demo can run for days: the broker keeps its records
// in memory.
func (b *demoBroker) createTopics(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address))
	if err != nil {
		return err
	}
	defer client.Close()
	bound := func(bytes int) *string { s := strconv.Itoa(bytes); return &s }
	configs := map[string]*string{"retention.bytes": bound(8 << 20), "segment.bytes": bound(1 << 20)}
	responses, err := kadm.NewClient(client).CreateTopics(ctx, demoPartitions, 1, configs, demoInput, demoAlerts, demoDeadLetters)
	if err != nil {
		return err
	}
	return responses.Error()
}

func (b *demoBroker) close() { b.cluster.Close() }

// usedRegions returns the regions of the demo's ordinary traffic: some that are not unused.
func usedRegions(unused []string) []string {
	var used []string
	for _, region := range []string{"us-east-1", "us-west-2", "eu-west-1", "ap-southeast-2", "ca-central-1", "eu-north-1", "sa-east-1"} {
		if !slices.Contains(unused, region) && len(used) < 4 {
			used = append(used, region)
		}
	}
	for _, region := range policy.DefaultUnusedRegions {
		if len(used) == 0 && !slices.Contains(unused, region) {
			used = append(used, region)
		}
	}
	return used
}
