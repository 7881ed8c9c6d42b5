package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// prepareTimeout is how long brokers may take to create the topics.
	prepareTimeout = 30 * time.Second
	// cleanTimeout is how long brokers may take to delete topics and groups, in case they are gone.
	cleanTimeout = 15 * time.Second
	// inRow is how many consecutive records go to one partition, like a producer's batches.
	inRow = 100
)

// bench is a running benchmark. It belongs to one goroutine.
type bench struct {
	o          *Options
	name       string // the input topic, and the prefix of all other names
	admin      *kadm.Client
	made       []string // created topics
	groups     []string
	partitions int
	bytes      int64
}

// open prepares a benchmark without connecting.
func open(o *Options) (*bench, error) {
	b := &bench{o: o, name: "regionwatch-bench-" + suffix()}
	client, err := b.client()
	if err != nil {
		return nil, err
	}
	b.admin = kadm.NewClient(client)
	return b, nil
}

// suffix returns a random suffix that distinguishes this run from others.
func suffix() string {
	random := make([]byte, 4)
	_, _ = rand.Read(random) // it never fails
	return hex.EncodeToString(random)
}

func (b *bench) input() string   { return b.name }
func (b *bench) alerts() string  { return b.name + "-alerts" }
func (b *bench) letters() string { return b.name + "-dead-letters" }

// client returns a client for the brokers.
func (b *bench) client(opts ...kgo.Opt) (*kgo.Client, error) {
	opts = append([]kgo.Opt{kgo.SeedBrokers(b.o.Processor.Brokers...), kgo.ClientID("regionwatch-bench")}, opts...)
	client, err := kgo.NewClient(append(opts, b.o.Processor.ClientOpts...)...)
	if err != nil {
		return nil, fmt.Errorf("making client: %w", err)
	}
	return client, nil
}

// prepare creates the topics and fills the input.
func (b *bench) prepare(ctx context.Context) error {
	making, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	if _, err := b.admin.BrokerMetadata(making); err != nil {
		return fmt.Errorf("connecting to brokers %q: %w", b.o.Processor.Brokers, err)
	}
	b.o.Step(fmt.Sprintf("making the topics %s, %s and %s", b.input(), b.alerts(), b.letters()))
	for _, topic := range []string{b.input(), b.alerts(), b.letters()} {
		made, err := b.admin.CreateTopic(making, b.o.Partitions, b.o.Replicas, nil, topic)
		if _, answered := errors.AsType[*kerr.Error](err); err == nil || !answered || errors.Is(err, kerr.RequestTimedOut) {
			b.made = append(b.made, topic) // it may exist even without an answer
		}
		if err != nil {
			return fmt.Errorf("making topic %s: %w", topic, err)
		}
		if topic == b.input() {
			b.partitions = int(made.NumPartitions)
		}
	}
	b.o.Step(fmt.Sprintf("writing %d records", b.o.Records))
	return b.fill(ctx)
}

// fill writes all records to the input topic.
func (b *bench) fill(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var written atomic.Int64
	stall := watchStall(b.o.Stall, cancel, func() string { return fmt.Sprintf("%d of %d records written", written.Load(), b.o.Records) })
	defer stall.stop()
	client, err := b.client(kgo.DefaultProduceTopic(b.input()), kgo.ProducerBatchCompression(b.o.Compression),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer client.Close()
	var acked sync.WaitGroup
	for n := range b.o.Records {
		if ctx.Err() != nil {
			break
		}
		key, value := b.o.Next()
		b.bytes += int64(len(value))
		r := &kgo.Record{Key: key, Value: value, Partition: int32(n / inRow % b.partitions)}
		acked.Add(1)
		client.Produce(ctx, r, func(_ *kgo.Record, err error) {
			defer acked.Done()
			if err != nil {
				cancel(err)
			}
			written.Add(1)
			stall.moved()
		})
		b.o.Progress(n + 1)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		acked.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		client.Close() // else it might wait forever for unacknowledged records
		<-done
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("writing to topic %s: %w", b.input(), err)
	}
	return nil
}

// close deletes the topics and groups. The error names what is left.
func (b *bench) close(ctx context.Context) error {
	defer b.admin.Close()
	if len(b.made) == 0 {
		return nil
	}
	b.o.Step("deleting the topics")
	ctx, cancel := context.WithTimeout(ctx, cleanTimeout)
	defer cancel()
	var errs []error
	topics, err := b.admin.DeleteTopics(ctx, b.made...)
	for _, t := range topics.Sorted() {
		if t.Err != nil && !errors.Is(t.Err, kerr.UnknownTopicOrPartition) { // its creation was not confirmed
			err = errors.Join(err, fmt.Errorf("%s: %w", t.Topic, t.Err))
		}
	}
	if err != nil {
		errs = append(errs, fmt.Errorf("deleting topics %s: %w", strings.Join(b.made, ", "), err))
	}
	if len(b.groups) > 0 {
		groups, err := b.admin.DeleteGroups(ctx, b.groups...)
		for _, g := range groups.Sorted() {
			if g.Err != nil && !errors.Is(g.Err, kerr.GroupIDNotFound) { // the contender may have failed before it joined
				err = errors.Join(err, fmt.Errorf("%s: %w", g.Group, g.Err))
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("deleting groups %s: %w", strings.Join(b.groups, ", "), err))
		}
	}
	return errors.Join(errs...)
}
