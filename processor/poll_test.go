package processor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/decompress"
	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/retry"
)

// quietProcessor returns a processor that never connects, and its log.
func quietProcessor(t *testing.T, change ...func(*Options)) (*Processor, *lines) {
	t.Helper()
	log, o := new(lines), optionsFor("127.0.0.1:1")
	o.InstanceID, o.Logger = "one", log.logger()
	for _, f := range change {
		f(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p, log
}

// What a poll reports passes with a line in the log or without one, asks for a new client, or ends Run.
//
// Guards: each case of fetchError and sessionError; the error of handOff.
func TestFetchErrors(t *testing.T) {
	const topic = inputTopic
	session := func(err error) error { return &kgo.ErrGroupSession{Err: err} }
	for name, c := range map[string]struct {
		topic string
		err   error
		log   string // of the line, none if empty
		ends  string // what the error mentions, none if empty
	}{
		"canceled":                {"", context.Canceled, "", ""},
		"canceled, of a topic":    {topic, context.Canceled, "", ""},
		"closed":                  {"", kgo.ErrClientClosed, "", ""},
		"deadline of the poll":    {"", context.DeadlineExceeded, "", ""},
		"deadline of a fetch":     {topic, context.DeadlineExceeded, "level=WARN msg=fetching", ""},
		"a broker that is gone":   {topic, io.EOF, "level=WARN msg=fetching", ""},
		"retriable of a topic":    {topic, kerr.UnknownTopicOrPartition, "", "a new client is needed: topic \"cloudtrail\" partition 3"},
		"retriable of no topic":   {"", kerr.CoordinatorNotAvailable, "level=WARN msg=fetching", ""},
		"refused by one broker":   {topic, kerr.SaslAuthenticationFailed, "level=WARN msg=fetching", ""},
		"refused by all":          {"", kerr.SaslAuthenticationFailed, "", "(mechanism no SASL mechanism)"},
		"not authorized":          {topic, kerr.TopicAuthorizationFailed, "", "fetching topic \"cloudtrail\" partition 3: TOPIC_AUTHORIZATION_FAILED"},
		"unreadable":              {topic, errors.New("torn"), "", "fetching topic \"cloudtrail\" partition 3: torn"},
		"data loss":               {topic, &kgo.ErrDataLoss{Topic: "t", Partition: 4, ConsumedTo: 5, ResetTo: 6}, "level=ERROR msg=\"records were lost in the broker\" topic=t partition=4 consumed_to=5 reset_to=6", ""},
		"session, rebalance":      {"", session(kerr.RebalanceInProgress), "joining again", ""},
		"session, not authorized": {"", session(kerr.GroupAuthorizationFailed), "", "joining group \"regionwatch\": GROUP_AUTHORIZATION_FAILED"},
		"session, refused":        {"", session(kerr.SaslAuthenticationFailed), "joining again", ""},
	} {
		p, log := quietProcessor(t)
		one := kgo.FetchPartition{Partition: 3, Err: c.err}
		if c.topic == "" {
			one.Partition = 0
		}
		fetches := kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: c.topic, Partitions: []kgo.FetchPartition{one, one}}}}}
		err := p.fetchErrors(fetches)
		switch {
		case c.ends == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.ends != "":
			mustMention(t, err, c.ends)
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: told more than once: %v", name, err)
			}
		}
		if got := log.count("level="); c.log != "" && (got != 1 || log.count(c.log) != 1) || c.log == "" && got != 0 {
			t.Errorf("%s: logged %q, want %q once", name, log.text.String(), c.log)
		}
		if losses := p.tally.Snapshot().DataLosses; (losses == 1) != (name == "data loss") {
			t.Errorf("%s: %d losses", name, losses)
		}
		if errors.Is(err, retry.ErrRenew) != (name == "retriable of a topic") {
			t.Errorf("%s: a new client %t", name, errors.Is(err, retry.ErrRenew))
		}
	}
	p, _ := quietProcessor(t)
	two := kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: topic, Partitions: []kgo.FetchPartition{{Partition: 1, Err: errors.New("torn")}, {Partition: 2, Err: errors.New("torn")}}}}}}
	mustMention(t, (&consumer{p: p}).handOff(two), "partition 1", "partition 2")
}

// Records that are a small part of a fetch do not keep all of its memory while they wait; a quarter of it or more is not copied.
//
// Guards: newBatch, bytesOf.
func TestBatchLeavesItsFetch(t *testing.T) {
	p, _ := quietProcessor(t)
	const size = 2 * (decompress.RecordBytes + 3 + 5)
	for total, copied := range map[int]bool{size: false, 4 * size: false, 4*size + 3: false, 4*size + 4: true, 100 * size: true} {
		fetch := []byte("key|value")
		records := []*kgo.Record{{Key: fetch[:3], Value: fetch[4:]}, {Key: fetch[:3], Value: fetch[4:]}}
		b := p.newBatch(records, total)
		copy(fetch, "xxxxxxxxx") // another fetch
		want := map[bool]string{true: "key value", false: "xxx xxxxx"}[copied]
		for _, r := range b.Records {
			if got := fmt.Sprintf("%s %s", r.Key, r.Value); b.Bytes != size || got != want {
				t.Errorf("%d bytes of %d: %q, want %q", b.Bytes, total, got, want)
			}
		}
	}
}

// Each offset that a broker dropped is counted and told.
//
// Guard: the bound in fetched.
func TestDropped(t *testing.T) {
	p, log := quietProcessor(t)
	tp := kadm.Partition{Topic: inputTopic}
	p.lag.Assigned(tp, 10, 20)
	for i, start := range []int64{10, 12} { // the second time one record after the one that was polled
		p.fetched(tp, &kgo.FetchPartition{LogStartOffset: start, HighWatermark: 20, Records: []*kgo.Record{{Offset: start}}})
		if n := p.tally.Snapshot().Dropped; n != uint64(i) || log.count("records were dropped") != i {
			t.Errorf("%d counted, want %d: %s", n, i, log.text.String())
		}
	}
}

// A poll is handed to the workers, each with a copy of what is a small part of it. What has no worker counts as returned.
//
// Guards: the sum in handOff, and the partition without a worker.
func TestHandOff(t *testing.T) {
	p, _ := quietProcessor(t)
	tp := kadm.Partition{Topic: inputTopic}
	w := &partition{queue: flow.NewQueue()}
	c := &consumer{p: p, flow: flow.NewFlow(nil), workers: map[kadm.Partition]*partition{tp: w}}
	small, large := []byte("small"), &kgo.Record{Partition: 1, Value: make([]byte, 10_000)}
	if err := c.handOff(kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: inputTopic, Partitions: []kgo.FetchPartition{
		{Records: []*kgo.Record{{Value: small}}}, {Partition: 1, Records: []*kgo.Record{large, large, large}},
	}}}}}); err != nil {
		t.Fatal(err)
	}
	copy(small, "xxxxx")
	if b, ok := w.queue.Take(nil); !ok || string(b.Records[0].Value) != "small" {
		t.Errorf("%+v", b)
	}
	if got := p.tally.Snapshot(); got.Read != 4 || got.Abandoned != 3 {
		t.Errorf("%d read and %d returned, want 4 and 3", got.Read, got.Abandoned)
	}
}

// A commit that fails for good ends Run. What passes, and what one broker of several refuses, does not.
//
// Guards: countCommit.
func TestFailedCommits(t *testing.T) {
	for err, ends := range map[error]string{
		kerr.GroupAuthorizationFailed: "committing offsets of group \"regionwatch\": committing: GROUP_AUTHORIZATION_FAILED", kerr.FencedInstanceID: "each live instance needs its own",
		kerr.UnknownTopicID: "a new client is needed: committing", kerr.SaslAuthenticationFailed: "", kerr.IllegalGeneration: "", io.EOF: "",
	} {
		p, log := quietProcessor(t)
		c := &consumer{p: p, failed: make(chan error, 1)}
		c.countCommit(fmt.Errorf("committing: %w", err))
		if log.count("committing offsets") != 1 || p.tally.Snapshot().CommitFailures != 1 {
			t.Errorf("%v: %d lines, %d failures", err, log.count("committing offsets"), p.tally.Snapshot().CommitFailures)
		}
		select {
		case got := <-c.failed:
			if mustMention(t, got, cmp.Or(ends, "nothing")); !errors.Is(got, err) {
				t.Errorf("%v", got)
			}
		default:
			if ends != "" {
				t.Errorf("%v does not end Run", err)
			}
		}
	}
}
