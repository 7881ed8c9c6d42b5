package processor

import (
	"hash/fnv"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// LetterPartitioner puts the dead letters of one input partition into one partition of the dead-letter topic,
// in order, whatever their keys: the parts of a letter stand one after another, and so do the letters of a
// record that is read twice. Records of that topic that are no dead letters go to the partition that they
// name, those of all other topics where the client library puts them by default.
//
// What is replayed is noted in the letter's own partition (see package deadletter), so that retention, which
// deletes from the front, never deletes the note before the letters that it is about.
func LetterPartitioner(deadLetterTopic string) kgo.Partitioner {
	return letterPartitioner{deadLetterTopic, kgo.UniformBytesPartitioner(64<<10, true, true, nil)} // as kgo's own default
}

type letterPartitioner struct {
	letters string
	others  kgo.Partitioner
}

// ForTopic implements kgo.Partitioner.
func (p letterPartitioner) ForTopic(topic string) kgo.TopicPartitioner {
	if topic == p.letters {
		return byOrigin{}
	}
	return p.others.ForTopic(topic)
}

// byOrigin is the partitioner of the dead-letter topic.
type byOrigin struct{}

// RequiresConsistency implements kgo.TopicPartitioner: a letter waits for its partition.
func (byOrigin) RequiresConsistency(*kgo.Record) bool { return true }

// Partition implements kgo.TopicPartitioner. The two headers are the first that describe writes.
func (byOrigin) Partition(r *kgo.Record, n int) int {
	if len(r.Headers) < 2 || r.Headers[0].Key != LetterTopic || r.Headers[1].Key != LetterPartition {
		return int(r.Partition)
	}
	hash := fnv.New32a()
	_, _ = hash.Write(r.Headers[0].Value) // a hash takes everything
	partition, _ := strconv.ParseUint(string(r.Headers[1].Value), 10, 31)
	return int((uint64(hash.Sum32()) + partition) % uint64(n))
}
