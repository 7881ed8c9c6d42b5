package processor

import (
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// MostRecordBytes is the most that Options.MaxRecordBytes may be.
const MostRecordBytes = 64 << 20

// The sizes that a topic's max.message.bytes is taken within.
const (
	minRecordBytes = 16 << 10 // alerts can be shrunk to half of it
	maxRecordBytes = MostRecordBytes
)

// batchOverhead is what a batch of one record takes beyond the record: the batch header of 61 bytes and
// the lengths of the record's parts (Kafka's message format, v2), rounded up.
const batchOverhead = 128

// limits knows the largest batch that we write to each output topic. It is safe for concurrent use.
type limits struct {
	mu     sync.Mutex
	topics map[string]int // what the broker told, or what we found out
	most   int            // of any topic: Options.MaxRecordBytes
}

func newLimits(most int) *limits {
	return &limits{topics: make(map[string]int), most: most}
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

// lower takes a topic's limit down because r was rejected as too large, unless it was taken down since r
// was made. It reports whether r can be smaller.
func (l *limits) lower(r *kgo.Record) bool {
	size, limit := batchOverhead+framing(r)+len(r.Value), l.batch(r.Topic)
	if size > limit {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[r.Topic] = max(size/2, minRecordBytes)
	return limit > minRecordBytes
}

// quarter takes a topic's limit down where it is not known which record of a batch was too large, or
// whether it was all of them together. It reports whether there was room to.
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

// batchBytes is batch in the form that the client library asks for.
func (l *limits) batchBytes(topic string) int32 { return int32(l.batch(topic)) }

// value returns how many bytes of value fit into a record beside its key and headers.
func (l *limits) value(r *kgo.Record) int {
	return l.batch(r.Topic) - batchOverhead - framing(r)
}

// framing returns the size of a record without its value: key, headers, and at most 10 bytes for each
// length and number before them.
func framing(r *kgo.Record) int {
	n := 40 + len(r.Key)
	for _, h := range r.Headers {
		n += 20 + len(h.Key) + len(h.Value)
	}
	return n
}
