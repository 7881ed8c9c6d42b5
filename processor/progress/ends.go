package progress

import (
	"cmp"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Ends is where the input topics end, even those nobody consumes. It distinguishes a quiet topic from a stopped
// processor: lag computed from fetches alone stops growing when fetching stops. It is safe for concurrent use.
type Ends struct {
	mu     sync.Mutex
	topics map[string]TopicEnd
}

// TopicEnd is where one topic ends.
type TopicEnd struct {
	Topic      string
	Partitions int
	Offsets    int64 // the sum of the end offsets of its partitions
}

// All returns every input topic by name, as of the last successful look.
func (e *Ends) All() []TopicEnd {
	e.mu.Lock()
	defer e.mu.Unlock()
	ends := make([]TopicEnd, 0, len(e.topics))
	for _, end := range e.topics {
		ends = append(ends, end)
	}
	slices.SortFunc(ends, func(a, b TopicEnd) int { return cmp.Compare(a.Topic, b.Topic) })
	return ends
}

// Set replaces the ends by what the brokers list. A topic that could not be listed completely keeps its previous sum: a
// sum that lacks partitions would look like a recreated topic.
func (e *Ends) Set(listed kadm.ListedOffsets) {
	e.mu.Lock()
	defer e.mu.Unlock()
	topics := make(map[string]TopicEnd, len(listed))
	for topic, partitions := range listed {
		end := TopicEnd{Topic: topic, Partitions: len(partitions)}
		for _, p := range partitions {
			if p.Err != nil {
				end = e.topics[topic]
				break
			}
			end.Offsets += p.Offset
		}
		if end.Partitions > 0 {
			topics[topic] = end
		}
	}
	e.topics = topics
}
