// Package topics looks after the topics that the engine reads and writes: it checks that they exist, decides where the
// group begins in them, watches where they end, and reports those that were deleted and created again.
package topics

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/progress"
)

// Start is where a group without a committed offset begins. The zero value is the earliest record.
type Start struct {
	Latest bool
	At     time.Time // from the first record at or after this time; Latest is ignored
}

// String returns s as in settings.
func (s Start) String() string {
	switch {
	case !s.At.IsZero():
		return s.At.UTC().Format("2006-01-02T15:04:05.999Z07:00")
	case s.Latest:
		return "latest"
	}
	return "earliest"
}

// Options of Topics. All but Pattern, State, Create and Start are required.
type Options struct {
	Group   string
	Inputs  []string
	Pattern bool // Inputs are regular expressions, which compile
	Outputs []string
	State   string // compacted, with as many partitions as the only input, which is not a pattern; empty means none
	Start   Start

	Create     bool  // create missing topics
	Partitions int32 // of created topics; -1 means the broker's default
	Replicas   int16 // of created topics; -1 means the broker's default

	// NewClient makes a client that belongs to no group; ctx ends it. ClientID is the prefix of the ids of our members.
	NewClient func(ctx context.Context, id string, opts ...kgo.Opt) (*kgo.Client, error)
	ClientID  string

	Log    *slog.Logger
	Tally  *progress.Tally
	Lag    *progress.Lags
	Ends   *progress.Ends
	Health *progress.Health
}

// Topics are the topics of one processor. Make them with [New], then call Check, Begin and Watch in this order, each
// once it has succeeded; members of the group begin after that.
type Topics struct {
	o         Options
	patterns  []*regexp.Regexp        // the inputs, if they are patterns
	unmatched bool                    // no topic matched them at the last look
	cluster   string                  // its id, as of the start; empty where brokers have none
	client    *kgo.Client             // of the goroutine that watches
	admin     *kadm.Client            // the same
	atStart   map[string]kadm.TopicID // the input topics at Begin, for a start position; read-only afterwards
	known     known

	knownPatience time.Duration // knownPatience, but in tests
	nudge         chan struct{} // holds a token when the topics need a look

	mu        sync.Mutex
	restarts  map[int]func(error) // see OnRestart
	restartID int
}

// New returns topics that nothing has looked at yet.
func New(o Options) *Topics {
	ts := &Topics{o: o, nudge: make(chan struct{}, 1), restarts: make(map[int]func(error)), known: known{topics: make(map[string]bool)},
		knownPatience: knownPatience}
	if o.Pattern {
		for _, pattern := range o.Inputs {
			ts.patterns = append(ts.patterns, regexp.MustCompile(pattern))
		}
	}
	return ts
}

// SetCluster sets the id of the cluster. Call it before Check.
func (ts *Topics) SetCluster(id string) { ts.cluster = id }

// matches reports whether an input pattern matches a topic.
func (ts *Topics) matches(topic string) bool {
	return slices.ContainsFunc(ts.patterns, func(re *regexp.Regexp) bool { return re.MatchString(topic) })
}

// LookSoon asks for a look at the topics.
func (ts *Topics) LookSoon() {
	select {
	case ts.nudge <- struct{}{}:
	default:
	}
}

// restart makes every client anew, for the reason err.
func (ts *Topics) restart(err error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, restart := range ts.restarts {
		restart(err)
	}
}

// OnRestart registers f to be called when the clients must be made anew; the returned function unregisters it.
func (ts *Topics) OnRestart(f func(error)) (stop func()) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.restartID++
	id := ts.restartID
	ts.restarts[id] = f
	return func() {
		ts.mu.Lock()
		defer ts.mu.Unlock()
		delete(ts.restarts, id)
	}
}
