// Package rebuild makes the state of incidents from alerts of one account that are in several partitions.
//
// That happens when partitions were added to the alerts topic: an account's newer alerts are in another partition than its
// older ones. The state of an account belongs to the partition of its newest alert, where further ones arrive. So the
// older alerts count there, in the order of their timestamps. An alert without an account stays in its partition.
//
// Memory is bounded by the limits of the grouping, [maxAccounts] and what is fetched. Each step can be repeated: until the
// last one, the group has no offsets, and no instance goes on. The package starts no goroutines and does not log.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/grouping"
	"github.com/regionwatch/regionwatch/processor/topics"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Rebuild has what a rebuild needs. All fields are required.
type Rebuild struct {
	Topics         topics.Rebuild
	Stage          *grouping.Stage
	NewClient      func(opts ...kgo.Opt) (*kgo.Client, error)
	MaxRecordBytes int32 // of incidents and state
}

// TransactionalID returns the transactional id of a group's rebuild.
func TransactionalID(group string) string { return group + "-rebuild" }

// maxAccounts limits the accounts whose partition is remembered.
const maxAccounts = 2_000_000

// Placement says in which partition the state of each account belongs.
type Placement struct {
	newest map[string]place
	spans  map[int32]span
	// Moved is how many accounts have alerts in several partitions, and Alerts how many were read.
	Moved, Alerts int
}

// place is where the newest alert of an account is.
type place struct {
	partition int32
	moved     bool // there are others elsewhere
	at        time.Time
}

// Find reads all alerts and finds the partition of each account. It changes nothing.
func (r *Rebuild) Find(ctx context.Context) (*Placement, error) {
	p := &Placement{newest: make(map[string]place)}
	var err error
	if p.spans, err = spans(ctx, r.Topics.Admin, r.Topics.Input); err != nil {
		return nil, err
	}
	m, err := r.newMerge(p.spans)
	if err != nil {
		return nil, err
	}
	defer m.client.Close()
	return p, m.each(ctx, p.see)
}

// see notes where an alert is. Of two that have the same timestamp, the one in the later partition is the newer.
func (p *Placement) see(record *kgo.Record) error {
	p.Alerts++
	facts, err := alert.ReadFacts(record.Value)
	if err != nil || facts.Account == "" {
		return nil //nolint:nilerr // what is no alert has no account
	}
	old, known := p.newest[facts.Account]
	if !known && len(p.newest) == maxAccounts {
		return fmt.Errorf("the alerts have more than %d accounts: write them to a new topic instead", maxAccounts)
	}
	now := place{record.Partition, old.moved, record.Timestamp}
	if known && old.partition != record.Partition && !old.moved {
		now.moved = true
		p.Moved++
	}
	older := record.Timestamp.Before(old.at) || record.Timestamp.Equal(old.at) && record.Partition < old.partition
	if known && older {
		now.partition, now.at = old.partition, old.at
	}
	p.newest[facts.Account] = now
	return nil
}

// of returns the partition whose state an alert belongs to.
func (p *Placement) of(record *kgo.Record) int32 {
	facts, err := alert.ReadFacts(record.Value)
	if at, known := p.newest[facts.Account]; err == nil && known {
		return at.partition
	}
	return record.Partition
}

// alertsPerTransaction bounds what one transaction writes.
const alertsPerTransaction = 5000

// builder is one Build.
type builder struct {
	r      *Rebuild
	client *kgo.Client
	states map[int32]processor.StageState
	taken  int // alerts since the last transaction
}

// Build groups the alerts that Find has read, writes their incidents and their state, and has the group go on after them.
// The state topic is empty, and the group has no offsets.
func (r *Rebuild) Build(ctx context.Context, p *Placement) error {
	b, err := r.newBuilder()
	if err != nil {
		return err
	}
	defer b.client.Close()
	if err := b.begin(ctx, len(p.spans)); err != nil {
		return err
	}
	if err := b.group(ctx, p); err != nil {
		return err
	}
	if _, err := r.Topics.Plan(ctx); err != nil { // an instance that joined before there were marks has other state
		return fmt.Errorf("%w; then run this again", err)
	}
	next := make(map[int32]int64)
	for partition, s := range p.spans {
		next[partition] = s.end
	}
	return r.Topics.Continue(ctx, next)
}

// newBuilder returns a builder, whose client must be closed.
func (r *Rebuild) newBuilder() (*builder, error) {
	client, err := r.NewClient(kgo.TransactionalID(TransactionalID(r.Topics.Group)), kgo.ProducerBatchMaxBytes(r.MaxRecordBytes),
		kgo.RecordPartitioner(topics.StatePartitioner{Partitioner: kgo.StickyKeyPartitioner(nil), State: r.Topics.State}))
	return &builder{r: r, client: client, states: make(map[int32]processor.StageState)}, err
}

// begin marks the state, and makes that of each partition, which is empty.
func (b *builder) begin(ctx context.Context, partitions int) error {
	marks, err := b.r.Topics.Marks(ctx, int32(partitions))
	if err == nil {
		err = b.commit(ctx, marks)
	}
	if err != nil {
		return err
	}
	for partition := range int32(partitions) {
		tp := kadm.Partition{Topic: b.r.Topics.Input, Partition: partition}
		b.states[partition], err = b.r.Stage.Restore(tp, func(func(key, value []byte) error) error { return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// group has each alert count in its partition.
func (b *builder) group(ctx context.Context, p *Placement) error {
	m, err := b.r.newMerge(p.spans)
	if err != nil {
		return err
	}
	defer m.client.Close()
	err = m.each(ctx, func(record *kgo.Record) error {
		b.states[p.of(record)].Take(record, time.Now()) // what is no alert is a dead letter already
		if b.taken++; b.taken < alertsPerTransaction {
			return nil
		}
		b.taken = 0
		_, err := b.write(ctx)
		return err
	})
	for some := true; err == nil && some; {
		some, err = b.write(ctx)
	}
	return err
}

// write writes what has changed, and reports whether there was anything.
func (b *builder) write(ctx context.Context) (bool, error) {
	var records []*kgo.Record
	for _, state := range b.states {
		records = append(records, state.Flush(time.Time{})...)
	}
	if len(records) == 0 {
		return false, nil
	}
	if err := b.commit(ctx, records); err != nil {
		return false, err
	}
	for _, state := range b.states {
		state.Commit()
	}
	return true, nil
}

// produced returns why a record was not written: what a broker says, rather than that others failed with it.
func produced(results kgo.ProduceResults) (first error) {
	for _, r := range results {
		_, says := errors.AsType[*kerr.Error](r.Err)
		if r.Err != nil && (first == nil || says) {
			first = fmt.Errorf("topic %q: %w", r.Record.Topic, r.Err)
		}
		if says {
			break
		}
	}
	return first
}

// commit writes records in a transaction of their own.
func (b *builder) commit(ctx context.Context, records []*kgo.Record) error {
	if err := b.client.BeginTransaction(); err != nil {
		return fmt.Errorf("beginning a transaction under transactional id %q: %w", TransactionalID(b.r.Topics.Group), err)
	}
	if err := produced(b.client.ProduceSync(ctx, records...)); err != nil {
		_ = b.client.EndTransaction(ctx, kgo.TryAbort) // which fails for the same reason
		return fmt.Errorf("writing under transactional id %q: %w", TransactionalID(b.r.Topics.Group), err)
	}
	if err := b.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("committing incidents and state: %w", err)
	}
	return nil
}
