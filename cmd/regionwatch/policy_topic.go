package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// policyTopic is the compacted topic whose newest record is the policy. It has one partition, because only within one
// there is a newest record, and is read in no group, because every instance reads all of it.
type policyTopic struct {
	name   string
	client *kgo.Client
}

func openPolicyTopic(s *config.Settings) (*policyTopic, error) {
	client, err := setup.Client(s,
		kgo.ClientID("regionwatch-policy"),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.PolicyTopic: {0: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxPartitionBytes(policyfile.MaxBytes),
		kgo.KeepControlRecords(), // the last one may be the end of a transaction
	)
	if err != nil {
		return nil, err
	}
	return &policyTopic{s.PolicyTopic, client}, nil
}

func (t *policyTopic) close() { t.client.Close() }

// first reads the topic to its end and returns the newest policy in it that is valid, and what is wrong with the
// newest record where that is another. Those that come later are left to poll.
func (t *policyTopic) first(ctx context.Context) (policy loadedPolicy, fault, err error) {
	ctx, cancel := context.WithTimeout(ctx, setup.ReachTimeout)
	defer cancel()
	if policy, fault, err = t.readToEnd(ctx); err != nil {
		return loadedPolicy{}, nil, fmt.Errorf("reading the policy from topic %q: %w", t.name, err)
	}
	return policy, fault, nil
}

func (t *policyTopic) readToEnd(ctx context.Context) (newest loadedPolicy, fault, _ error) {
	left, err := t.end(ctx)
	if err != nil {
		return newest, nil, err
	}
	for next := int64(0); next < left; {
		fetches := t.client.PollRecords(ctx, 1)
		if err := fetches.Err(); err != nil {
			return newest, nil, err
		}
		for _, r := range fetches.Records() {
			next = r.Offset + 1
			if !hasPolicy(r) {
				continue
			}
			policy, err := parsePolicyRecord(r)
			if fault = err; err == nil {
				newest = policy
			}
		}
	}
	if newest.Policy == nil {
		return newest, nil, errors.Join(errors.New("there is no valid policy in it"), fault)
	}
	return newest, fault, nil
}

// end returns the offset after the last committed record, 0 where there are none.
func (t *policyTopic) end(ctx context.Context) (int64, error) {
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
func (t *policyTopic) poll(ctx context.Context) (policies []*kgo.Record, err error) {
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

// parsePolicyRecord compiles the policy of a record.
func parsePolicyRecord(r *kgo.Record) (loadedPolicy, error) {
	file, err := policyfile.Parse(fmt.Sprintf("topic %s offset %d", r.Topic, r.Offset), r.Value)
	if err != nil {
		return loadedPolicy{}, err
	}
	return loadedPolicy{file.Policy, file}, nil
}

// watchTopic takes each policy that comes to the topic, until ctx ends. Where none comes it looks every hour for what
// time has done to the one that holds.
func (p *policySource) watchTopic(ctx context.Context) error {
	for ctx.Err() == nil {
		hour, cancel := context.WithTimeout(ctx, warnEvery)
		policies, err := p.topic.poll(hour)
		if hour.Err() != nil {
			p.warn()
		}
		cancel()
		if err != nil {
			p.log.Warn("reading the policy's topic", "topic", p.topic.name, "error", err)
		}
		for _, r := range policies {
			p.replace(parsePolicyRecord(r))
		}
	}
	return nil
}
