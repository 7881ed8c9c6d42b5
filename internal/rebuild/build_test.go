package rebuild

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/grouping"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/processor/topics"
	"github.com/regionwatch/regionwatch/schema/incident"
)

func TestMain(m *testing.M) { processortest.Main(m) }

const group, alertTopic, incidentTopic, stateTopic = "g", "alerts", "incidents", "state"

// newRebuild returns a rebuild of alerts in three partitions: account a has 3 and 2, account b has 4.
func newRebuild(t *testing.T) (*Rebuild, *processortest.Cluster) {
	t.Helper()
	c := processortest.New(t, kfake.SeedTopics(3, alertTopic), kfake.SeedTopics(1, incidentTopic))
	var records []*kgo.Record
	day := time.Now().Truncate(24 * time.Hour)
	for n, at := range []struct {
		account   string
		partition int32
	}{{"a", 0}, {"a", 0}, {"b", 0}, {"a", 0}, {"b", 0}, {"a", 2}, {"b", 0}, {"a", 2}, {"b", 0}} {
		records = append(records, &kgo.Record{
			Topic: alertTopic, Partition: at.partition, Timestamp: day.Add(time.Duration(n) * time.Millisecond),
			Value: fmt.Appendf(nil, `{"id":"00000000-0000-5000-8000-%012d","ruleId":"AWS.UnusedRegion","severity":"High","eventTime":%q,"recipientAccountId":%q,`+
				`"awsRegion":"eu-west-3","eventSource":"ec2.amazonaws.com","eventName":"x"}`, n, day.Format(time.RFC3339), at.account),
		})
	}
	c.Produce(records...)
	compiled, err := policy.Compile(policy.Options{Default: policy.Level{UnusedRegions: []string{"eu-west-3"}}})
	if err != nil {
		t.Fatal(err)
	}
	stage, err := grouping.New(grouping.Options{
		IncidentTopic: incidentTopic, StateTopic: stateTopic, Registry: prometheus.NewRegistry(),
		Policy: func() *policy.Policy { return compiled },
	})
	if err != nil {
		t.Fatal(err)
	}
	newClient := func(opts ...kgo.Opt) (*kgo.Client, error) { return c.Client(opts...), nil }
	return &Rebuild{
		Stage: stage, NewClient: newClient, MaxRecordBytes: 1 << 20,
		Topics: topics.Rebuild{Admin: kadm.NewClient(c.Client()), Group: group, Input: alertTopic, State: stateTopic, Replicas: -1},
	}, c
}

// prepare does what comes before Build.
func prepare(t *testing.T, r *Rebuild) *Placement {
	t.Helper()
	p, err := r.Find(t.Context())
	if err == nil {
		err = r.Topics.Run(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Build writes each account's incident once, with all its alerts, and state into the partition of the newest; the group goes
// on at the end of each partition, and only then.
//
// Guards: Continue, Commit of the states, the marks.
func TestBuild(t *testing.T) {
	t.Parallel()
	r, c := newRebuild(t)
	p := prepare(t, r)
	if p.Moved != 1 || p.Alerts != 9 {
		t.Errorf("%d accounts moved, %d alerts", p.Moved, p.Alerts)
	}
	if err := r.Build(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]uint64)
	for _, record := range c.ReadAll(incidentTopic) {
		i, err := incident.Decode(record.Value)
		if err != nil {
			t.Fatal(err)
		}
		counts[i.AccountID] += i.Counts.Alerts
	}
	if len(counts) != 2 || counts["a"] != 5 || counts["b"] != 4 {
		t.Errorf("alerts of each account: %v", counts)
	}
	for partition, want := range []int64{7, 0, 2} {
		if at := c.Committed(group, alertTopic, int32(partition)); at != want {
			t.Errorf("partition %d goes on at %d, want %d", partition, at, want)
		}
	}
	state := make(map[int32]int)
	for _, record := range c.ReadAll(stateTopic) {
		state[record.Partition]++
	}
	if state[0] <= 1 || state[1] != 1 || state[2] <= 1 { // a mark in each
		t.Errorf("state records of each partition: %v", state)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(r.Stage)
	if n := processortest.Scrape(t, registry)["regionwatch_incident_alerts_total{counted}"]; n != 9 {
		t.Errorf("%v alerts counted for good", n)
	}
}

// Each fault ends the rebuild with its place and cause, and no instance goes on.
//
// Guards: each returned error of Find, Build, begin, group, write, commit, spans and newMerge.
func TestBuildFailure(t *testing.T) {
	t.Parallel()
	listed := func(at int64) func(kmsg.Request) bool {
		return func(req kmsg.Request) bool {
			return req.(*kmsg.ListOffsetsRequest).Topics[0].Partitions[0].Timestamp == at
		}
	}
	for name, test := range map[string]struct {
		fault kfake.Fault
		in    string
		found bool // by Find
	}{
		"starts":    {kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, When: listed(-2), Err: kerr.TopicAuthorizationFailed}, `listing the starts of topic "alerts"`, true},
		"ends":      {kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, When: listed(-1), Err: kerr.TopicAuthorizationFailed}, `listing the ends of topic "alerts"`, true},
		"no starts": {kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, When: listed(-2), Err: kerr.UnknownServerError}, `listing the starts of topic "alerts"`, true},
		"no ends":   {kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, When: listed(-1), Err: kerr.UnknownServerError}, `listing the ends of topic "alerts"`, true},
		"reading":   {kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed}, `reading topic "alerts" partition `, true},
		"again":     {kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed}, `reading topic "alerts" partition `, false},
		"id":        {kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.TransactionalIDAuthorizationFailed}, `under transactional id "g-rebuild"`, false},
		"writing":   {kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed}, `writing under transactional id "g-rebuild": topic "state"`, false},
		"ending":    {kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.TransactionalIDAuthorizationFailed}, `committing incidents and state`, false},
		"incident": {
			kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: incidentTopic, Err: kerr.MessageTooLarge},
			`writing under transactional id "g-rebuild": topic "incidents"`, false,
		},
		"cluster":  {kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups}, Err: kerr.GroupAuthorizationFailed}, `then run this again`, false},
		"going on": {kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.GroupAuthorizationFailed}, `committing where group "g" goes on`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, c := newRebuild(t)
			test.fault.Count = -1
			var err error
			if test.found {
				c.Fault(test.fault)
				_, err = r.Find(t.Context())
			} else {
				p := prepare(t, r)
				c.Fault(test.fault)
				err = r.Build(t.Context(), p)
			}
			if !errors.Is(err, test.fault.Err) || !strings.Contains(err.Error(), test.in) {
				t.Errorf("%v, want %q with %v", err, test.in, test.fault.Err)
			}
			for partition := range int32(3) {
				if at := c.Committed(group, alertTopic, partition); at != -1 {
					t.Errorf("the group goes on at %d in partition %d", at, partition)
				}
			}
		})
	}
	r, _ := newRebuild(t)
	p, want := prepare(t, r), errors.New("no client")
	works := r.NewClient
	for calls := range 2 { // the writing one, and the reading one
		r.NewClient = func(opts ...kgo.Opt) (*kgo.Client, error) {
			if calls--; calls < 0 {
				return nil, want
			}
			return works(opts...)
		}
		if err := r.Build(t.Context(), p); !errors.Is(err, want) {
			t.Errorf("without a client: %v", err)
		}
	}
	r.NewClient = func(...kgo.Opt) (*kgo.Client, error) { return nil, want }
	if _, err := r.Find(t.Context()); !errors.Is(err, want) {
		t.Errorf("without a client: %v", err)
	}
}

// What was read is written as soon as it is enough for one transaction.
//
// Guards: alertsPerTransaction; the reset of taken.
func TestBuildWritesInParts(t *testing.T) {
	t.Parallel()
	for before, want := range map[int]int{0: 2, alertsPerTransaction - 10: 2, alertsPerTransaction - 8: 3, alertsPerTransaction - 7: 3} {
		r, c := newRebuild(t)
		p := prepare(t, r)
		ends := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Observe: true, Count: -1})
		b, err := r.newBuilder()
		if err != nil {
			t.Fatal(err)
		}
		b.taken = before
		if err := errors.Join(b.begin(t.Context(), 3), b.group(t.Context(), p)); err != nil {
			t.Fatal(err)
		}
		if n := ends.Hits(); n != want { // the marks, and the rest
			t.Errorf("9 alerts after %d: %d transactions, want %d", before, n, want)
		}
	}
}

// A partition from which nothing comes for long ends the rebuild; one that is still read does not.
//
// Guard: patience.
func TestFetchIsImpatient(t *testing.T) {
	t.Parallel()
	c := processortest.New(t, kfake.SeedTopics(1, alertTopic))
	r := &Rebuild{Topics: topics.Rebuild{Input: alertTopic}, NewClient: func(opts ...kgo.Opt) (*kgo.Client, error) { return c.Client(opts...), nil }}
	m, err := r.newMerge(map[int32]span{0: {0, 1}}) // which is not there
	if err != nil {
		t.Fatal(err)
	}
	if err := m.fetch(t.Context()); err != nil {
		t.Errorf("after no time: %v", err)
	}
	m.last = time.Now().Add(-patience)
	if err := m.each(t.Context(), func(*kgo.Record) error { return nil }); !errors.Is(err, errNoRecords) || !strings.Contains(err.Error(), alertTopic) {
		t.Errorf("after long: %v", err)
	}
	c.Produce(&kgo.Record{Topic: alertTopic})
	for len(m.lanes[0].queue) == 0 { // the fetch with a record is not late
		m.last = time.Now().Add(-2 * patience)
		if err := m.fetch(t.Context()); (err == nil) != (len(m.lanes[0].queue) > 0) {
			t.Fatalf("%d records: %v", len(m.lanes[0].queue), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m.last = time.Now()
	if err := m.fetch(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
