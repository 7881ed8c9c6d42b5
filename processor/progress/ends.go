package progress

import (
	"cmp"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Ends is how far the input topics reach, whoever reads them. It tells a quiet topic from a processor that has
// stopped: a lag that is known from fetches alone stops growing when they stop. It is safe for concurrent use.
type Ends struct {
	mu     sync.Mutex
	topics map[string]TopicEnd
}

// TopicEnd is how far one topic reaches.
type TopicEnd struct {
	Topic      string
	Partitions int
	Offsets    int64 // the sum of the end offsets of its partitions
}

// All returns every input topic, by name, as of the last look that succeeded.
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

// Set replaces what was known by what the brokers list. A topic that could not be listed whole keeps what was known of
// it: a sum that lacks partitions would look like a topic that was made anew.
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
