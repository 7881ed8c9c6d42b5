package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// scene is the setting of one test: its topics and its group on some broker.
type scene struct {
	bootstrap                         string   // as the tests reach the brokers
	reach                             []string // as the program reaches them; nil means by bootstrap
	input, alerts, deadLetters, group string
	partitions                        int32
	client                            *kgo.Client // produces to the partition that a record names
	admin                             *kadm.Client
}

// newScene makes the names and the topics.
func newScene(t *testing.T, bootstrap string, partitions int32) *scene {
	t.Helper()
	s := newEmptyScene(t, bootstrap, partitions)
	s.makeTopic(t, s.input, nil)
	s.makeTopic(t, s.alerts, nil)
	s.makeTopic(t, s.deadLetters, nil)
	return s
}

// newEmptyScene makes the names only.
func newEmptyScene(t *testing.T, bootstrap string, partitions int32) *scene {
	t.Helper()
	name := fmt.Sprintf("%s-%08x", strings.NewReplacer("/", "-", " ", "-", ">", "-").Replace(t.Name()), rand.Uint32())
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(bootstrap, ",")...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxBufferedRecords(1<<20),
		kgo.ProducerBatchMaxBytes(64<<20), // the broker decides what is too large
		kgo.BrokerMaxWriteBytes(128<<20),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &scene{
		bootstrap: bootstrap, partitions: partitions,
		input: name + "-in", alerts: name + "-alerts", deadLetters: name + "-dead", group: name,
		client: client, admin: kadm.NewClient(client),
	}
}

// makeTopic returns when each broker knows the topic.
func (s *scene) makeTopic(t *testing.T, topic string, settings map[string]*string) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		_, err := s.admin.CreateTopic(t.Context(), s.partitions, -1, settings, topic)
		return err
	})
	eventually(t, time.Minute, func() error {
		for _, broker := range s.client.SeedBrokers() {
			request := kmsg.NewPtrMetadataRequest()
			wanted := kmsg.NewMetadataRequestTopic()
			wanted.Topic = &topic
			request.Topics = append(request.Topics, wanted)
			response, err := broker.Request(t.Context(), request)
			if err != nil {
				return err
			}
			if known := response.(*kmsg.MetadataResponse).Topics[0]; known.ErrorCode != 0 || len(known.Partitions) != int(s.partitions) {
				return fmt.Errorf("topic %s: %d partitions, %w", topic, len(known.Partitions), kerr.ErrorForCode(known.ErrorCode))
			}
		}
		return nil
	})
}

// run are the arguments of "regionwatch run" here.
func (s *scene) run(more ...string) []string {
	reach := s.reach
	if reach == nil {
		reach = []string{"--brokers", s.bootstrap}
	}
	return slices.Concat([]string{"run"}, reach, []string{
		"--input-topic", s.input, "--alert-topic", s.alerts,
		"--dead-letter-topic", s.deadLetters, "--group", s.group, "--start", "earliest",
	}, more)
}

// produce writes records to the input topic and waits for the broker's acknowledgement.
func (s *scene) produce(t *testing.T, records ...*kgo.Record) {
	t.Helper()
	for _, r := range records {
		r.Topic = s.input
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := s.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatalf("producing: %v", err)
	}
}

// lag tells how far the group's committed offsets are behind the input topic's end.
func (s *scene) lag(ctx context.Context) (int64, error) {
	ends, err := s.admin.ListEndOffsets(ctx, s.input)
	if err != nil {
		return 0, err
	}
	if err := ends.Error(); err != nil {
		return 0, err
	}
	committed, err := s.admin.FetchOffsets(ctx, s.group)
	if err != nil {
		return 0, err
	}
	var lag int64
	ends.Each(func(end kadm.ListedOffset) {
		at := int64(0)
		if c, found := committed.Lookup(s.input, end.Partition); found && c.At > 0 {
			at = c.At
		}
		lag += end.Offset - at
	})
	return lag, nil
}

// settle waits until everything in the input topic is committed by the group. alive, if given, tells
// whether there is still somebody to do it.
func (s *scene) settle(t *testing.T, atMost time.Duration, alive ...func() error) {
	t.Helper()
	eventually(t, atMost, func() error {
		for _, check := range alive {
			if err := check(); err != nil {
				return fmt.Errorf("%w: %w", errStop, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		lag, err := s.lag(ctx)
		if err == nil && lag > 0 {
			err = fmt.Errorf("%d records are not committed", lag)
		}
		return err
	})
}

// drop deletes topics, and returns when they are gone.
func (s *scene) drop(t *testing.T, topics ...string) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		deleted, err := s.admin.DeleteTopics(t.Context(), topics...)
		if err != nil {
			return err
		}
		for _, topic := range deleted {
			if !errors.Is(topic.Err, kerr.UnknownTopicOrPartition) {
				return fmt.Errorf("topic %s was still there: %w", topic.Topic, topic.Err)
			}
		}
		return nil
	})
}
