package main

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
)

// demoReader reads the alerts and dead letters back from their topics, with a client of its own and only
// what is committed, and counts them.
type demoReader struct {
	client          *kgo.Client
	alerts, letters atomic.Uint64

	mu       sync.Mutex
	position map[string]map[int32]int64 // the next offsets
}

func newDemoReader(broker string) (*demoReader, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(broker),
		kgo.ClientID("regionwatch-demo-reader"),
		kgo.ConsumeTopics(demoAlerts, demoDeadLetters),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // they take offsets, and the end is an offset
		kgo.FetchMaxWait(250*time.Millisecond),
	)
	if err != nil {
		return nil, fmt.Errorf("making a reader: %w", err)
	}
	return &demoReader{client: client, position: map[string]map[int32]int64{demoAlerts: {}, demoDeadLetters: {}}}, nil
}

// run reads until ctx ends.
func (r *demoReader) run(ctx context.Context) error {
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

func (r *demoReader) count(record *kgo.Record) {
	switch {
	case record.Attrs.IsControl():
	case record.Topic == demoAlerts:
		r.alerts.Add(1)
	case isWholeLetter(record):
		r.letters.Add(1)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.position[record.Topic][record.Partition] = record.Offset + 1
}

// isWholeLetter is false for the further parts of a dead letter that was too large for one record.
func isWholeLetter(record *kgo.Record) bool {
	for _, h := range record.Headers {
		if h.Key == deadletter.HeaderPart {
			return string(h.Value) == "1"
		}
	}
	return true
}

// atEnd reports whether all that stands in the topics has been read.
func (r *demoReader) atEnd(ctx context.Context) bool {
	ends, err := kadm.NewClient(r.client).ListEndOffsets(ctx, demoAlerts, demoDeadLetters)
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

func (r *demoReader) close() { r.client.Close() }
