package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	incidents "github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// reader reads alerts and dead letters back from their topics, committed ones only, and counts them.
type reader struct {
	client          *kgo.Client
	alerts, letters atomic.Uint64

	mu       sync.Mutex
	grouper  *incidents.Grouper
	position map[string]map[int32]int64 // next offsets
}

func newReader(broker string, p *policy.Policy) (*reader, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(broker),
		kgo.ClientID("regionwatch-demo-reader"),
		kgo.ConsumeTopics(alertTopic, deadLetterTopic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // control records take up offsets
		kgo.FetchMaxWait(250*time.Millisecond),
	)
	if err != nil {
		return nil, fmt.Errorf("creating a reader: %w", err)
	}
	return &reader{
		client: client, grouper: incidents.New(incidents.Options{Settings: p.Incidents}),
		position: map[string]map[int32]int64{alertTopic: {}, deadLetterTopic: {}},
	}, nil
}

// run reads until ctx ends.
func (r *reader) run(ctx context.Context) error {
	for {
		fetches := r.client.PollFetches(ctx)
		if stopped := ctx.Err() != nil || fetches.IsClientClosed(); stopped {
			return nil
		}
		for _, e := range fetches.Errors() {
			if !errors.Is(e.Err, context.Canceled) {
				return fmt.Errorf("reading topic %s back: %w", e.Topic, e.Err)
			}
		}
		fetches.EachRecord(r.count)
	}
}

func (r *reader) count(record *kgo.Record) {
	switch {
	case record.Attrs.IsControl():
	case record.Topic == alertTopic:
		r.alerts.Add(1)
		r.group(record)
	case isFirstPart(record):
		r.letters.Add(1)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.position[record.Topic][record.Partition] = record.Offset + 1
}

// group adds an alert to its incident. An unreadable one is missing from the counts.
func (r *reader) group(record *kgo.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, err := alert.ReadFacts(record.Value); err == nil {
		r.grouper.Add(&f, record.Timestamp)
		r.grouper.Flush() // what a service would write
	}
}

// incidents returns the incidents of the alerts so far, and their counts.
func (r *reader) incidents() ([]*incident.Incident, incidents.Counts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.grouper.All(), r.grouper.Counts()
}

// isFirstPart returns false for the later parts of a dead letter that was too large for one record.
func isFirstPart(record *kgo.Record) bool {
	for _, h := range record.Headers {
		if h.Key == deadletter.HeaderPart {
			return string(h.Value) == "1"
		}
	}
	return true
}

// atEnd reports whether both topics have been read to the end.
func (r *reader) atEnd(ctx context.Context) bool {
	ends, err := kadm.NewClient(r.client).ListEndOffsets(ctx, alertTopic, deadLetterTopic)
	if err != nil || ends.Error() != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := true
	ends.Each(func(o kadm.ListedOffset) {
		all = all && r.position[o.Topic][o.Partition] >= o.Offset
	})
	return all
}

func (r *reader) close() { r.client.Close() }
