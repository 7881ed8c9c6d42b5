package processor

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"

	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// MostRecordBytes is the largest allowed Options.MaxRecordBytes.
const MostRecordBytes = 64 << 20

// minRecordBytes is the smallest topic limit that is believed: alerts can be shrunk to half of it.
const minRecordBytes = 16 << 10

// limits knows the largest batch that each output topic takes. It is safe for concurrent use.
type limits struct {
	mu     sync.Mutex
	topics map[string]int // what the broker said, or what rejections showed
	most   int            // of any topic: Options.MaxRecordBytes
}

func newLimits(most int) *limits {
	return &limits{topics: make(map[string]int), most: most}
}

// ask asks the brokers for the largest batch that topics take. Not every principal may ask and not every broker
// answers: then MaxRecordBytes applies, and records that turn out to be too large are made smaller.
func (l *limits) ask(ctx context.Context, admin *kadm.Client, log *slog.Logger, topics ...string) error {
	configs, err := admin.DescribeTopicConfigs(ctx, topics...)
	if err != nil && retry.IsTransient(err) {
		return fmt.Errorf("describing topics: %w", err)
	}
	for _, resource := range configs {
		for _, c := range resource.Configs {
			if c.Key == "max.message.bytes" && c.Value != nil {
				l.learn(resource.Name, *c.Value)
			}
		}
		if resource.Err != nil {
			log.Debug("asking for the largest record", "topic", resource.Name, "error", resource.Err)
		}
	}
	return nil
}

// learn sets a topic's limit from its max.message.bytes.
func (l *limits) learn(topic, maxMessageBytes string) {
	n, err := strconv.Atoi(maxMessageBytes)
	if err != nil || n <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[topic] = min(max(n, minRecordBytes), l.most)
}

// lower reduces a topic's limit because r was rejected as too large, unless it was reduced since r was made. It
// reports whether r can be smaller.
func (l *limits) lower(r *kgo.Record) bool {
	size, limit := deadletter.Size(r), l.batch(r.Topic)
	if size > limit {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[r.Topic] = max(size/2, minRecordBytes)
	return limit > minRecordBytes
}

// quarter reduces a topic's limit when it is unknown which record of a batch was too large, or whether all of them
// together were. It reports whether the limit could be reduced.
func (l *limits) quarter(topic string) bool {
	limit := l.batch(topic)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[topic] = max(limit/4, minRecordBytes)
	return limit > minRecordBytes
}

// batch returns the largest batch that topic takes, in bytes.
func (l *limits) batch(topic string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, ok := l.topics[topic]; ok {
		return n
	}
	return l.most
}

// batchBytes is batch with the signature that the client library wants.
func (l *limits) batchBytes(topic string) int32 { return int32(l.batch(topic)) }

// value returns how many bytes of value fit into a record beside its key and headers.
func (l *limits) value(r *kgo.Record) int { return deadletter.Room(r, l.batch(r.Topic)) }
