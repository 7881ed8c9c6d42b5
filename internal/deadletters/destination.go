package deadletters

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Destination is where replays go.
type Destination uint8

// The destinations.
const (
	// ToDecision decides a record directly, as run would have decided it at its original position, and writes its
	// alerts and dead letters. The input topic and its other readers are not affected. The origin and alert IDs are the
	// same as the first time.
	ToDecision Destination = iota
	// ToInput writes a record to its original partition again. Every reader of the input topic sees it.
	ToInput
)

// String returns the name of the destination in flags and markers.
func (d Destination) String() string {
	if d == ToInput {
		return "input"
	}
	return "decision"
}

// target turns a record into what its replay writes.
type target interface {
	// records returns the records to write. It is called again after smaller.
	records(l *deadletter.Letter) ([]*kgo.Record, error)
	// smaller makes records smaller from now on, because one was rejected as too large. It reports whether that was
	// possible.
	smaller() bool
}

// decision implements ToDecision.
type decision struct {
	redecider *processor.Redecider
	topics    []string // output topics
	now       func() time.Time
}

func (d *decision) records(l *deadletter.Letter) ([]*kgo.Record, error) {
	return d.redecider.Decide(l.Replayed(), d.now())
}

func (d *decision) smaller() bool {
	room := false
	for _, topic := range d.topics {
		if d.redecider.Smaller(topic) {
			room = true
		}
	}
	return room
}

// input implements ToInput.
type input struct {
	partitions map[string]int32 // per existing input topic
}

func (t *input) records(l *deadletter.Letter) ([]*kgo.Record, error) {
	n := t.partitions[l.Origin.Topic]
	if n == 0 {
		return nil, fmt.Errorf("topic %s: %w", strconv.QuoteToASCII(alert.CutText(l.Origin.Topic, 60)), ErrNoInput)
	}
	r := l.Replayed()
	return []*kgo.Record{{Topic: r.Topic, Partition: r.Partition % n, Key: r.Key, Value: r.Value, Headers: r.Headers}}, nil
}

func (t *input) smaller() bool { return false }

// inputs recognizes the input topics of the settings. The origin of a letter is text in a topic and must not choose
// where we write.
type inputs struct {
	names    []string
	patterns []*regexp.Regexp
}

func newInputs(o *processor.Options) (*inputs, error) {
	if !o.InputPattern {
		return &inputs{names: o.InputTopics}, nil
	}
	t := new(inputs)
	for _, pattern := range o.InputTopics {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("input topics: %w", err)
		}
		t.patterns = append(t.patterns, re)
	}
	return t, nil
}

func (t *inputs) has(topic string) bool {
	return slices.Contains(t.names, topic) ||
		slices.ContainsFunc(t.patterns, func(re *regexp.Regexp) bool { return re.MatchString(topic) })
}

// ErrNoInput is returned for a replay into a topic that does not exist or is hidden from us.
var ErrNoInput = errors.New("no such topic, or access control hides it")

// partitions returns the number of partitions of each existing input topic.
func (t *inputs) partitions(ctx context.Context, admin *kadm.Client) (map[string]int32, error) {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	counts := make(map[string]int32)
	if len(t.names) == 0 { // match the pattern against all visible topics
		topics, err := admin.ListTopics(ctx)
		if err != nil {
			return nil, fmt.Errorf("looking for the input topics: %w", err)
		}
		t.count(counts, topics)
	}
	for _, name := range t.names { // one at a time, because an error for several names none of them
		topics, err := admin.ListTopics(ctx, name)
		if err == nil && errors.Is(topics[name].Err, kerr.TopicAuthorizationFailed) {
			err = topics[name].Err
		}
		if err != nil {
			return nil, fmt.Errorf("looking for input topic %q: %w", name, err)
		}
		t.count(counts, topics)
	}
	return counts, nil
}

func (t *inputs) count(counts map[string]int32, topics kadm.TopicDetails) {
	for name, topic := range topics {
		if topic.Err == nil && t.has(name) {
			counts[name] = int32(len(topic.Partitions))
		}
	}
}
