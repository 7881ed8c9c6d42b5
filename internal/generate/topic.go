package generate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// Topic returns a writer to a topic on the brokers in the settings. Records are keyed by account and acknowledged by all
// in-sync replicas. compression is a key of [setup.Codecs].
func Topic(ctx context.Context, s *config.Settings, name, compression string) (Writer, error) {
	client, err := setup.Reach(ctx, s,
		kgo.ClientID("regionwatch-generate"),
		kgo.DefaultProduceTopic(name),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(setup.Codecs[compression]),
		kgo.MetadataMinAge(250*time.Millisecond),
		kgo.RecordDeliveryTimeout(Drain),
	)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, setup.ReachTimeout)
	defer cancel()
	if err := ensureTopic(ctx, client, s, name); err != nil {
		client.Close()
		return nil, fmt.Errorf("topic %s on %s: %w", name, strings.Join(s.Brokers, ","), err)
	}
	return &topic{client: client, name: name}, nil
}

// ensureTopic creates the topic if the settings ask for it. Otherwise it checks that the topic exists.
func ensureTopic(ctx context.Context, client *kgo.Client, s *config.Settings, name string) error {
	admin := kadm.NewClient(client)
	if s.CreateTopics {
		_, err := admin.CreateTopic(ctx, setup.OrBroker(int32(s.Partitions)), setup.OrBroker(int16(s.Replicas)), nil, name)
		if err == nil || errors.Is(err, kerr.TopicAlreadyExists) {
			return nil
		}
		return fmt.Errorf("creating it: %w", err)
	}
	topics, err := admin.ListTopics(ctx, name)
	if err != nil {
		return fmt.Errorf("reaching the brokers: %w", err)
	}
	switch err := topics[name].Err; {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return errors.New("it does not exist; --create-topics creates it")
	default:
		return err
	}
}

type topic struct {
	client *kgo.Client
	name   string
	acked  atomic.Uint64
	failed atomic.Pointer[error] // the first failure
}

// Name implements Writer.
func (t *topic) Name() string { return "topic " + t.name }

// Write implements Writer. It blocks while too many records are in flight.
func (t *topic) Write(ctx context.Context, r *sample.Record) error {
	if err := t.failed.Load(); err != nil {
		return *err
	}
	record := &kgo.Record{Key: []byte(r.Account), Value: bytes.Clone(r.Value)}
	t.client.Produce(context.WithoutCancel(ctx), record, func(_ *kgo.Record, err error) {
		if err != nil {
			err = fmt.Errorf("writing to topic %s: %w", t.name, err)
			t.failed.CompareAndSwap(nil, &err)
			return
		}
		t.acked.Add(1)
	})
	return nil
}

// Close implements Writer. It waits for the outstanding acknowledgements.
func (t *topic) Close() error {
	defer t.client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), Drain)
	defer cancel()
	if err := t.client.Flush(ctx); err != nil {
		return fmt.Errorf("waiting for acknowledgements of topic %s: %w", t.name, err)
	}
	if err := t.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Written implements Writer.
func (t *topic) Written() uint64 { return t.acked.Load() }
