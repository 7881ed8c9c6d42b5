package deadletter

import (
	"hash/fnv"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Partitioner puts the dead letters of one input partition into one partition of the dead-letter topic, in order,
// whatever their keys: the parts of a letter follow each other, and so do the letters of a record that is read
// twice. Records of that topic that are not letters go to the partition that they name; records of other topics go
// where the client library puts them by default.
//
// A marker goes into its letter's own partition, so that retention, which deletes from the front, never deletes it
// before the letters it is about.
func Partitioner(topic string) kgo.Partitioner {
	return partitioner{topic, kgo.UniformBytesPartitioner(64<<10, true, true, nil)} // as kgo's own default
}

type partitioner struct {
	letters string
	others  kgo.Partitioner
}

// ForTopic implements kgo.Partitioner.
func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
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
	if len(r.Headers) < 2 || r.Headers[0].Key != HeaderTopic || r.Headers[1].Key != HeaderPartition {
		return int(r.Partition)
	}
	hash := fnv.New32a()
	_, _ = hash.Write(r.Headers[0].Value) // a hash takes everything
	partition, _ := strconv.ParseUint(string(r.Headers[1].Value), 10, 31)
	return int((uint64(hash.Sum32()) + partition) % uint64(n))
}
