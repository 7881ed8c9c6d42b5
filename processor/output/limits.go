package output

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

// MostRecordBytes is the largest allowed MaxRecordBytes.
const MostRecordBytes = 64 << 20

// MinRecordBytes is the smallest credible topic limit, and the smallest MaxRecordBytes: alerts can be shrunk to half of
// it.
const MinRecordBytes = 16 << 10

// Limits knows the largest batch that each output topic takes. It is safe for concurrent use.
type Limits struct {
	mu     sync.Mutex
	topics map[string]int // what the broker said, or rejections showed
	most   int            // of any topic
}

// NewLimits returns limits of at most most bytes.
func NewLimits(most int) *Limits {
	return &Limits{topics: make(map[string]int), most: most}
}

// Ask asks the brokers for the largest batch of each topic. If we may not ask or a broker does not answer, the limit
// given to NewLimits applies, and records that turn out to be too large are made smaller.
func (l *Limits) Ask(ctx context.Context, admin *kadm.Client, log *slog.Logger, topics ...string) error {
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
func (l *Limits) learn(topic, maxMessageBytes string) {
	n, err := strconv.Atoi(maxMessageBytes)
	if err != nil || n <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[topic] = min(max(n, MinRecordBytes), l.most)
}

// lower reduces a topic's limit because r was rejected as too large, unless it was reduced since r was made. It reports
// whether r can be smaller.
func (l *Limits) lower(r *kgo.Record) bool {
	size, limit := deadletter.Size(r), l.Batch(r.Topic)
	if size > limit {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[r.Topic] = max(size/2, MinRecordBytes)
	return limit > MinRecordBytes
}

// Quarter reduces a topic's limit when it is unknown which record of a batch was too large, or whether all of them
// together were. It reports whether the limit could be reduced.
func (l *Limits) Quarter(topic string) bool {
	limit := l.Batch(topic)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[topic] = max(limit/4, MinRecordBytes)
	return limit > MinRecordBytes
}

// Batch returns the largest batch that topic takes, in bytes.
func (l *Limits) Batch(topic string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, ok := l.topics[topic]; ok {
		return n
	}
	return l.most
}

// BatchBytes is Batch with the signature that the client library wants.
func (l *Limits) BatchBytes(topic string) int32 { return int32(l.Batch(topic)) }

// value returns how many bytes of value fit into a record besides its key and headers.
func (l *Limits) value(r *kgo.Record) int { return deadletter.Room(r, l.Batch(r.Topic)) }
