package processor

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lookInterval is the time between two looks at where the input ends.
const lookInterval = 15 * time.Second

// inputEnds knows how far the input topics reach, whoever reads them. It is what tells a quiet topic from a
// processor that stands still: a lag that is known from fetches alone stops growing when they stop. It is safe for
// concurrent use.
type inputEnds struct {
	mu     sync.Mutex
	topics map[string]topicEnd
}

// topicEnd is how far one topic reaches.
type topicEnd struct {
	topic      string
	partitions int
	offsets    int64 // the sum of the end offsets of its partitions
}

// all returns every input topic, by name, as of the last look that succeeded.
func (e *inputEnds) all() []topicEnd {
	e.mu.Lock()
	defer e.mu.Unlock()
	ends := make([]topicEnd, 0, len(e.topics))
	for _, end := range e.topics {
		ends = append(ends, end)
	}
	slices.SortFunc(ends, func(a, b topicEnd) int { return cmp.Compare(a.topic, b.topic) })
	return ends
}

// set replaces what was known by what the brokers list. A topic that could not be listed whole keeps what was known of
// it: a sum that lacks partitions would look like a topic that was made anew.
func (e *inputEnds) set(listed kadm.ListedOffsets) {
	e.mu.Lock()
	defer e.mu.Unlock()
	topics := make(map[string]topicEnd, len(listed))
	for topic, partitions := range listed {
		end := topicEnd{topic: topic, partitions: len(partitions)}
		for _, p := range partitions {
			if p.Err != nil {
				end = e.topics[topic]
				break
			}
			end.offsets += p.Offset
		}
		if end.partitions > 0 {
			topics[topic] = end
		}
	}
	e.topics = topics
}

// startLooking looks at the ends of the input until the function that it returns is called, with a client of its own, so
// that it sees what a client that hangs does not.
func (p *Processor) startLooking(ctx context.Context) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	client, err := kgo.NewClient(append(p.baseOpts(ctx, "regionwatch-lag"), p.o.ClientOpts...)...)
	if err != nil {
		cancel()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer client.Close()
		for admin := kadm.NewClient(client); ; {
			p.look(ctx, admin)
			if sleep(ctx, lookInterval) != nil {
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}, nil
}

// look asks where the input topics end. What it cannot learn stays as it was: readiness tells of brokers that do not
// answer.
func (p *Processor) look(ctx context.Context, admin *kadm.Client) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	topics, err := p.inputTopics(ctx, admin)
	if err != nil {
		p.log.Debug("looking for the input topics", "error", err)
		return
	}
	p.tellMatching(len(topics))
	if len(topics) == 0 {
		return
	}
	listed, err := admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		p.log.Debug("looking for the end of the input", "error", err)
		return
	}
	p.ends.set(listed)
	listed.Each(func(o kadm.ListedOffset) {
		if o.Err == nil {
			p.lag.ends(topicPartition{o.Topic, o.Partition}, o.Offset)
		}
	})
}
