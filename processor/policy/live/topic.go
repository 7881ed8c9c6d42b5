package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// topic is the compacted topic whose newest record is the policy. It has one partition, because only within one
// there is a newest record, and is read in no group, because every instance reads all of it.
type topic struct {
	name   string
	client *kgo.Client
}

func openTopic(name string, opts []kgo.Opt) (*topic, error) {
	client, err := kgo.NewClient(append(slices.Clone(opts),
		kgo.ClientID("regionwatch-policy"),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: {0: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxPartitionBytes(policyfile.MaxBytes),
		kgo.KeepControlRecords(), // the last one may be the end of a transaction
	)...)
	if err != nil {
		return nil, fmt.Errorf("brokers: %w", err)
	}
	return &topic{name, client}, nil
}

// ReadTopic returns the newest valid policy in a topic.
func ReadTopic(ctx context.Context, name string, opts []kgo.Opt) (Loaded, error) {
	t, err := openTopic(name, opts)
	if err != nil {
		return Loaded{}, err
	}
	defer t.close()
	newest, _, err := t.first(ctx)
	return newest, err
}

func (t *topic) close() { t.client.Close() }

// readTimeout bounds how long the topic may take to read at the start.
const readTimeout = 10 * time.Second

// first reads the topic to its end and returns the newest policy in it that is valid, and what is wrong with the
// newest record where that is another. Those that come later are left to poll.
func (t *topic) first(ctx context.Context) (newest Loaded, fault, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if newest, fault, err = t.readToEnd(ctx); err != nil {
		return Loaded{}, nil, fmt.Errorf("reading the policy from topic %q: %w", t.name, err)
	}
	return newest, fault, nil
}

func (t *topic) readToEnd(ctx context.Context) (newest Loaded, fault, _ error) {
	left, err := t.end(ctx)
	if err != nil {
		return newest, nil, err
	}
	for at := int64(0); at < left; {
		fetches := t.client.PollRecords(ctx, 1)
		if err := fetches.Err(); err != nil {
			return newest, nil, err
		}
		for _, r := range fetches.Records() {
			at = r.Offset + 1
			if !hasPolicy(r) {
				continue
			}
			next, err := parseRecord(r)
			if fault = err; err == nil {
				newest = next
			}
		}
	}
	if newest.Policy == nil {
		return newest, nil, errors.Join(errors.New("there is no valid policy in it"), fault)
	}
	return newest, fault, nil
}

// end returns the offset after the last committed record, 0 where there are none.
func (t *topic) end(ctx context.Context) (int64, error) {
	admin := kadm.NewClient(t.client)
	starts, err := admin.ListStartOffsets(ctx, t.name)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return 0, err
	}
	if n := len(starts[t.name]); n != 1 {
		return 0, fmt.Errorf("it has %d partitions; it must have one, else there is no newest record", n)
	}
	ends, err := admin.ListCommittedOffsets(ctx, t.name)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return 0, err
	}
	start, _ := starts.Lookup(t.name, 0)
	end, _ := ends.Lookup(t.name, 0)
	if start.Offset >= end.Offset {
		return 0, nil
	}
	return end.Offset, nil
}

// poll waits for records and returns those that hold a policy, the newest last. All of them count: where the newest is
// broken, the last good one may be among them.
func (t *topic) poll(ctx context.Context) (policies []*kgo.Record, err error) {
	fetches := t.client.PollFetches(ctx)
	if ctx.Err() != nil {
		return nil, nil
	}
	fetches.EachRecord(func(r *kgo.Record) {
		if hasPolicy(r) {
			policies = append(policies, r)
		}
	})
	return policies, fetches.Err()
}

// hasPolicy reports whether a policy stands in the record. One without a value is a deletion.
func hasPolicy(r *kgo.Record) bool { return !r.Attrs.IsControl() && len(r.Value) > 0 }

// parseRecord compiles the policy of a record.
func parseRecord(r *kgo.Record) (Loaded, error) {
	file, err := policyfile.Parse(fmt.Sprintf("topic %s offset %d", r.Topic, r.Offset), r.Value)
	if err != nil {
		return Loaded{}, err
	}
	return Loaded{file.Policy, file}, nil
}

// watchTopic takes each policy that comes to the topic, until ctx ends. Where none comes it looks every hour for what
// time has done to the one that holds.
func (s *Source) watchTopic(ctx context.Context) error {
	for ctx.Err() == nil {
		hour, cancel := context.WithTimeout(ctx, warnEvery)
		policies, err := s.topic.poll(hour)
		if hour.Err() != nil {
			s.warn()
		}
		cancel()
		if err != nil {
			s.o.Logger.Warn("reading the policy's topic", "topic", s.topic.name, "error", err)
		}
		for _, r := range policies {
			s.replace(parseRecord(r))
		}
	}
	return nil
}
