package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// topic is the compacted topic whose newest record is the policy. It has one partition, because a newest record exists
// only within one, and no group, because every instance reads all of it.
type topic struct {
	name   string
	client *kgo.Client
	keys   Keys
	log    *slog.Logger

	// The attempts to read to the end share what was read so far: each record arrives once.
	at     int64 // offset of the next record
	newest Loaded
	fault  error // of the newest record; nil if that one is newest
}

func openTopic(name string, opts []kgo.Opt, keys Keys, log *slog.Logger) (*topic, error) {
	client, err := kgo.NewClient(append(slices.Clone(opts),
		kgo.ClientID("regionwatch-policy"),
		kgo.RequestRetries(1), // to report why no broker answers, instead of a timeout
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: {0: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxPartitionBytes(policyfile.MaxBytes),
		kgo.KeepControlRecords(), // the last one may be the end of a transaction
	)...)
	if err != nil {
		return nil, fmt.Errorf("brokers: %w", err)
	}
	return &topic{name: name, client: client, keys: keys, log: log}, nil
}

// ReadTopic returns the newest valid policy in a topic, and the fault of the newest record if that is not the same one.
// The error is a [NoPolicyError] if the topic has been read and holds none.
func ReadTopic(ctx context.Context, name string, opts []kgo.Opt, keys Keys) (newest Loaded, fault, err error) {
	t, err := openTopic(name, opts, keys, slog.New(slog.DiscardHandler))
	if err != nil {
		return Loaded{}, nil, err
	}
	defer t.close()
	return t.first(ctx)
}

// NoPolicyError says that a topic holds no valid policy.
type NoPolicyError struct {
	Fault error // of the newest record; nil if no record holds a policy
}

// Error returns the fault as well, whose lines each have their place.
func (e *NoPolicyError) Error() string {
	if e.Fault == nil {
		return "no valid policy found; write one to it"
	}
	return "no valid policy found\n" + e.Fault.Error()
}

// wait reads the topic at the start, as first does. It waits for unreachable brokers as long as it takes; any other
// error is returned.
func (t *topic) wait(ctx context.Context) (newest Loaded, fault, err error) {
	for fails := 0; ; fails++ {
		newest, fault, err = t.first(ctx)
		if ctx.Err() != nil {
			return Loaded{}, nil, ctx.Err()
		}
		if err == nil || !isAway(err) {
			return newest, fault, err
		}
		if fails == 0 {
			t.log.Warn("the policy's topic cannot be read, trying again until it can", "topic", t.name, "error", err)
		}
		pause(ctx)
	}
}

// isAway reports whether no broker could be reached, or the partition has no leader for now.
func isAway(err error) bool {
	var refused interface{ Refused() bool } // of a dialer that knows that retrying cannot help
	if errors.As(err, &refused) && refused.Refused() || errors.Is(err, kerr.UnknownTopicOrPartition) {
		return false
	}
	_, network := errors.AsType[net.Error](err) // an exceeded deadline is one
	return network || kerr.IsRetriable(err) || kgo.IsRetryableBrokerErr(err) || errors.Is(err, io.EOF)
}

// pause waits a second, or until ctx ends.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
}

func (t *topic) close() { t.client.Close() }

// readTimeout limits how long reading the topic at the start may take.
const readTimeout = 10 * time.Second

// first reads the topic to its end and returns the newest valid policy, and the fault of the newest record if that is
// not the same one. Later records are left to poll.
func (t *topic) first(ctx context.Context) (newest Loaded, fault, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := t.readToEnd(ctx); err != nil {
		return Loaded{}, nil, fmt.Errorf("reading the policy from topic %q: %w", t.name, err)
	}
	return t.newest, t.fault, nil
}

func (t *topic) readToEnd(ctx context.Context) error {
	end, err := t.end(ctx)
	if err != nil {
		return err
	}
	for t.at < end {
		fetches := t.client.PollRecords(ctx, 1)
		if err := fetches.Err(); err != nil {
			return err
		}
		for _, r := range fetches.Records() {
			t.at = r.Offset + 1
			if !hasPolicy(r) {
				continue
			}
			next, err := t.parse(r)
			if t.fault = err; err == nil {
				t.newest = next
			}
		}
	}
	if t.newest.Policy == nil {
		return &NoPolicyError{t.fault}
	}
	return nil
}

// end returns the offset after the last committed record, or 0 if there is none.
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
		return 0, fmt.Errorf("it has %d partitions; it must have exactly one, so that one record is the newest", n)
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

// poll waits for records and returns those that hold a policy, oldest first. All of them count: if the newest is
// broken, the last good one may be among them.
func (t *topic) poll(ctx context.Context) (policies []*kgo.Record, err error) {
	fetches := t.client.PollFetches(ctx)
	fetches.EachRecord(func(r *kgo.Record) {
		if hasPolicy(r) {
			policies = append(policies, r)
		}
	})
	if ctx.Err() != nil {
		return policies, nil
	}
	return policies, fetches.Err()
}

// hasPolicy reports whether the record holds a policy. A record without a value is a deletion.
func hasPolicy(r *kgo.Record) bool { return !r.Attrs.IsControl() && len(r.Value) > 0 }

// parse verifies and compiles the policy of a record.
func (t *topic) parse(r *kgo.Record) (Loaded, error) {
	if err := t.keys.verifyRecord(r); err != nil {
		return Loaded{}, err
	}
	file, err := policyfile.Parse(recordName(r), r.Value)
	if err != nil {
		return Loaded{}, err
	}
	return Loaded{
		Policy: file.Policy, File: file, From: recordName(r), At: r.Timestamp,
		Author: strings.ToValidUTF8(string(header(r, "author")), "\uFFFD"),
	}, nil
}

func recordName(r *kgo.Record) string { return fmt.Sprintf("topic %s offset %d", r.Topic, r.Offset) }

// maxHeaderBytes limits the headers that are read. A longer one counts as absent.
const maxHeaderBytes = 4 << 10

// header returns the value of a record's header, or nil.
func header(r *kgo.Record, key string) []byte {
	for _, h := range r.Headers {
		if h.Key == key && len(h.Value) <= maxHeaderBytes {
			return h.Value
		}
	}
	return nil
}

// watchTopic takes each policy that arrives in the topic, until ctx ends. Every hour without one, it checks which
// exceptions of the one in force have expired.
func (s *Source) watchTopic(ctx context.Context) error {
	for ctx.Err() == nil {
		hour, cancel := context.WithTimeout(ctx, warnEvery)
		policies, err := s.topic.poll(hour)
		if hour.Err() != nil {
			s.warn()
		}
		cancel()
		if s.topicGone && len(policies) > 0 {
			s.topicGone = false
			s.o.Logger.Info("the topic exists again", "topic", s.topic.name)
		}
		for _, r := range policies {
			s.replace(s.topic.parse(r))
		}
		if err == nil {
			continue
		}
		if err := s.reopenTopic(err); err != nil {
			return err
		}
		s.tellTopic(ctx, err)
		pause(ctx)
	}
	return nil
}

// tellTopic logs why the topic cannot be read. While it is gone, it says so once.
func (s *Source) tellTopic(ctx context.Context, cause error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	found, err := kadm.NewClient(s.topic.client).ListTopics(ctx, s.topic.name)
	if err == nil {
		err = found[s.topic.name].Err
	}
	wasGone := s.topicGone
	s.topicGone = errors.Is(err, kerr.UnknownTopicOrPartition)
	switch {
	case s.topicGone && !wasGone:
		s.o.Logger.Error("a topic is gone: waiting for it to be created again, the policy read before stays in force", "topic", s.topic.name)
	case s.topicGone:
	case err == nil && isOtherTopic(cause):
		s.o.Logger.Error("a topic was deleted and created again: the policy read before stays in force until the new one holds another", "topic", s.topic.name)
	case err == nil && wasGone:
		s.o.Logger.Info("the topic exists again", "topic", s.topic.name)
	default:
		s.o.Logger.Warn("reading the policy's topic", "topic", s.topic.name, "error", cause)
	}
}

// isOtherTopic reports whether a topic was deleted, and perhaps created again.
func isOtherTopic(err error) bool {
	return errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.InconsistentTopicID)
}

// reopenTopic makes a new client if the topic was deleted, because a client never follows one that is created again.
// All policies in the new topic are new.
func (s *Source) reopenTopic(cause error) error {
	if !isOtherTopic(cause) {
		return nil
	}
	reopened, err := openTopic(s.topic.name, s.o.ClientOpts, s.o.Keys, s.o.Logger)
	if err == nil {
		s.topic.close()
		s.topic = reopened
	}
	return err
}
