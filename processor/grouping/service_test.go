package grouping

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/incident"
)

func TestMain(m *testing.M) { processortest.Main(m) }

const (
	alertTopic, incidentTopic, stateTopic, deadTopic = "alerts", "incidents", "state", "dead"
	testGroup                                        = "regionwatch-incidents"
)

// alertOf returns native alert number n, of one of four accounts in turn, and one of three principals.
func alertOf(n int) string { return alertAt(n, time.Now()) }

func alertAt(n int, at time.Time) string {
	id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "alert %d", n))
	return fmt.Sprintf(`{"id":%q,"ruleId":"AWS.UnusedRegion","severity":"High","eventTime":%q,"eventName":"RunInstances","eventSource":"ec2.amazonaws.com",`+
		`"awsRegion":"eu-west-3","recipientAccountId":"11112222333%d","principal":{"type":"IAMUser","name":"u%d","arn":"arn:aws:iam::111122223333:user/u%d"},`+
		`"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/u%d"}}`,
		id, at.UTC().Format(time.RFC3339), n%4, n%3, n%3, n%3)
}

func alerts(from, to int) (values []string) {
	for n := from; n < to; n++ {
		values = append(values, alertOf(n))
	}
	return values
}

func newCluster(t *testing.T, partitions int32, opts ...kfake.Opt) *processortest.Cluster {
	return processortest.New(t, append([]kfake.Opt{
		kfake.SeedTopics(partitions, alertTopic), kfake.SeedTopics(2, incidentTopic, deadTopic),
		kfake.GroupMinSessionTimeout(100 * time.Millisecond),
	}, opts...)...)
}

// service is a running processor with a Stage.
type service struct {
	*processor.Processor
	stage  *Stage
	cancel context.CancelFunc
	done   chan struct{}
	err    error // valid once done is closed
}

// start runs an instance until the test ends. Alerts of a window count at once, and updates come every second.
func start(t *testing.T, c *processortest.Cluster, instance string, change ...func(*processor.Options)) *service {
	t.Helper()
	compiled, err := policy.Compile(policy.Options{Default: policy.Level{
		UnusedRegions: []string{"eu-west-3"}, Incidents: &policy.Incidents{Update: time.Second, Quiet: time.Second, Grace: time.Second},
	}})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	stage, err := New(Options{IncidentTopic: incidentTopic, StateTopic: stateTopic, Policy: func() *policy.Policy { return compiled }, Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	o := processor.Options{
		Brokers: c.ListenAddrs(), InputTopics: []string{alertTopic}, AlertTopic: incidentTopic, DeadLetterTopic: deadTopic, StateTopic: stateTopic,
		Group: testGroup, InstanceID: instance, Sessions: 1, Delivery: processor.ExactlyOnce, CreateTopics: true, Stage: stage,
		SessionTimeout: 10 * time.Second, CommitInterval: 100 * time.Millisecond, Policy: func() *policy.Policy { return compiled }, Registry: registry,
	}
	for _, f := range change {
		f(&o)
	}
	p, err := processor.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &service{Processor: p, stage: stage, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.err = p.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-s.done
	})
	return s
}

// stop stops the instance and checks that its counts add up.
func (s *service) stop(t *testing.T) totals {
	t.Helper()
	s.cancel()
	if err := s.wait(t); err != nil {
		t.Fatalf("Run: %v", err)
	}
	got := s.stage.snapshot()
	if sum := got.counted + got.repeated + got.below + got.late + got.unreadable; got.read != sum {
		t.Errorf("%d alerts read, %d accounted for: %+v", got.read, sum, got)
	}
	return got
}

func (s *service) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-s.done:
		return s.err
	case <-time.After(time.Minute):
		t.Fatal("Run has not ended after a minute")
		return nil
	}
}

// outcome is what a reader of committed incidents sees: the last record of each.
type outcome struct {
	last    map[string]*incident.Incident
	records int
}

// read returns the outcome. Revisions must follow each other.
func read(t *testing.T, c *processortest.Cluster) outcome {
	t.Helper()
	o := outcome{last: make(map[string]*incident.Incident)}
	for _, r := range c.ReadAll(incidentTopic) {
		i, err := incident.Decode(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		revision := uint64(1)
		if before := o.last[i.ID]; before != nil {
			revision = before.Revision + 1
		}
		if i.Revision != revision {
			t.Errorf("incident %s: revision %d, want %d", i.ID, i.Revision, revision)
		}
		for header, want := range map[string]string{HeaderIncidentID: i.ID, HeaderActivity: i.Activity, HeaderSeverity: i.Severity} {
			if got, _ := processortest.Header(r, header); got != want {
				t.Errorf("header %s is %q, want %q", header, got, want)
			}
		}
		if string(r.Key) != i.AccountID {
			t.Errorf("key %q, want %q", r.Key, i.AccountID)
		}
		o.last[i.ID] = i
		o.records++
	}
	return o
}

func (o outcome) alerts() (n uint64) {
	for _, i := range o.last {
		n += i.Counts.Alerts
	}
	return n
}

// eventually waits until the last records of all incidents count n alerts.
func eventually(t *testing.T, c *processortest.Cluster, n uint64) outcome {
	t.Helper()
	var o outcome
	c.Eventually(fmt.Sprintf("%d alerts are in incidents", n), func() bool {
		o = read(t, c)
		return o.alerts() >= n
	})
	if o.alerts() != n {
		t.Fatalf("%d alerts are in incidents, want %d", o.alerts(), n)
	}
	return o
}

// Alerts become incidents. After a restart, further alerts join the same incidents, and repeated ones count once.
//
// Guard: Read, of the state.
func TestServiceRestart(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	s := start(t, c, "one")
	c.ProduceValues(alertTopic, 1, alerts(0, 30)...)
	eventually(t, c, 30)
	c.ProduceValues(alertTopic, 1, alertOf(30))
	eventually(t, c, 31)
	if got := s.stage.Open(2); len(got) != 2 || got[0].Counts.Alerts < got[1].Counts.Alerts {
		t.Errorf("open: %+v", got)
	}
	if got := s.stop(t); got.counted != 31 || got.repeated != 0 {
		t.Errorf("%+v", got)
	}
	again := start(t, c, "one")
	c.ProduceValues(alertTopic, 1, alerts(20, 40)...)
	o := eventually(t, c, 40)
	if len(o.last) != 12 {
		t.Errorf("%d incidents, want 12", len(o.last))
	}
	c.Eventually("committed", func() bool { return c.Committed(testGroup, alertTopic, 0) >= 51 })
	if got := again.stop(t); got.counted != 9 || got.repeated != 11 {
		t.Errorf("%+v", got)
	}
}

// An incident of a window that is over closes and is forgotten by the clock, without another alert. An alert that comes
// after that, and after a restart, is late.
//
// Guard: the idle transaction, and the clock it passes to Flush.
func TestServiceClock(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	s := start(t, c, "one")
	yesterday := time.Now().AddDate(0, 0, -1)
	c.ProduceValues(alertTopic, 1, alertAt(0, yesterday))
	c.Eventually("closed", func() bool {
		for _, i := range read(t, c).last {
			return i.Activity == incident.Close && i.Status == incident.StatusClosed
		}
		return false
	})
	c.Eventually("forgotten", func() bool { return s.stage.sizes().Remembered == 0 })
	s.stop(t)
	again := start(t, c, "one")
	c.ProduceValues(alertTopic, 1, alertAt(12, yesterday))
	o := eventually(t, c, 2)
	kinds := make(map[string]int)
	for _, i := range o.last {
		kinds[i.Kind]++
	}
	if kinds[incident.KindIncident] != 1 || kinds[incident.KindLate] != 1 {
		t.Errorf("%v", kinds)
	}
	if got := again.stop(t); got.late != 1 {
		t.Errorf("%+v", got)
	}
}

// An aborted transaction changes nothing: its alerts are read again into the state that was committed.
//
// Guard: settle, which drops what was touched.
func TestServiceAborted(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]kfake.Fault{
		"rebalance": {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.RebalanceInProgress, Count: 3},
		"end":       {Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.UnknownServerError, Count: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			f := c.Fault(fault)
			s := start(t, c, "one")
			c.ProduceValues(alertTopic, 1, alerts(0, 20)...)
			eventually(t, c, 20)
			c.Eventually("committed", func() bool { return c.Committed(testGroup, alertTopic, 0) >= 20 })
			if got := s.stop(t); got.counted != 20 || f.Hits() == 0 {
				t.Errorf("%d hits: %+v", f.Hits(), got)
			}
		})
	}
}

// Partitions move from one instance to another and back, with their state.
//
// Guard: owns, and pausing what is assigned.
func TestServiceMoves(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 4)
	one := start(t, c, "one")
	c.ProduceValues(alertTopic, 4, alerts(0, 40)...)
	eventually(t, c, 40)
	two := start(t, c, "two")
	c.Eventually("shared", func() bool { return one.Status().Assigned == 2 && two.Status().Assigned == 2 })
	c.ProduceValues(alertTopic, 4, alerts(40, 80)...)
	eventually(t, c, 80)
	two.stop(t)
	c.ProduceValues(alertTopic, 4, alerts(80, 120)...)
	eventually(t, c, 120)
	one.stop(t)
}

// What is not an alert becomes a dead letter and is counted; alerts beside it count.
func TestServiceUnreadable(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	s := start(t, c, "one")
	c.Eventually("ready", func() bool { return s.Ready() == nil })
	c.ProduceValues(alertTopic, 1, alertOf(1), "{", `{"class_uid":2004}`, "", `{"id":"x"}`, alertOf(2))
	eventually(t, c, 2)
	letters := c.Read(deadTopic, 4)
	for _, l := range letters {
		if reason, _ := processortest.Header(l, "dead-letter-reason"); reason != "not-an-alert" {
			t.Errorf("reason %q", reason)
		}
	}
	if got := s.stop(t); got.unreadable != 4 || got.counted != 2 {
		t.Errorf("%+v", got)
	}
}

// What cannot be right ends the process with one line that says what to do.
func TestServiceRefuses(t *testing.T) {
	t.Parallel()
	f := func(name string, prepare func(*testing.T, *processortest.Cluster), parts ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 2)
			prepare(t, c)
			s := start(t, c, "one")
			if c.Refused(s.done); s.err == nil || strings.Contains(s.err.Error(), "\n") {
				t.Fatalf("%v, want one line", s.err)
			}
			for _, part := range parts {
				if !strings.Contains(s.err.Error(), part) {
					t.Errorf("%v does not mention %q", s.err, part)
				}
			}
		})
	}
	const rebuild = "regionwatch incidents rebuild"
	state := func(partitions int32, records ...*kgo.Record) func(*testing.T, *processortest.Cluster) {
		return func(t *testing.T, c *processortest.Cluster) {
			t.Helper()
			if err := c.CreateTopic(stateTopic, partitions, nil); err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				r.Topic = stateTopic
			}
			c.Produce(records...)
			c.ProduceValues(alertTopic, 1, alertOf(1))
		}
	}
	mark := func(value string) *kgo.Record { return &kgo.Record{Key: []byte("topic"), Value: []byte(value)} }
	f("ocsf", func(_ *testing.T, c *processortest.Cluster) { c.ProduceValues(alertTopic, 1, `{"class_uid":2004}`) }, "OCSF", "alert-format")
	f("partitions", state(3), "has 3 partitions", "has 2", rebuild)
	f("no mark", state(2, &kgo.Record{Key: []byte("x"), Value: []byte("y")}), stateTopic, "partition 0", rebuild)
	f("newer mark", state(2, mark("2 topic-id=x")), `version "2"`, rebuild)
	f("older topic", state(2, mark("1 topic-id=AAAAAAAAAAAAAAAAAAAAAQ,cluster-id=regionwatch-test")), "older topic", rebuild)
	f("torn", state(2, mark("1 "), &kgo.Record{Key: []byte("x"), Value: []byte("y")}), "partition 0", rebuild)
	f("no offset", state(2, mark("1 "), mark("1 ")), "has no offset", rebuild)
	f("lost", func(t *testing.T, c *processortest.Cluster) {
		state(2)(t, c)
		c.Commit(testGroup, alertTopic, 0, 1)
	}, "beginning is missing", rebuild)
}

// Partitions that are added while the service runs end it.
func TestServiceGrowingTopic(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	s := start(t, c, "one")
	c.Eventually("ready", func() bool { return s.Ready() == nil })
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 1000
	req.Topics = append(req.Topics, kmsg.CreatePartitionsRequestTopic{Topic: alertTopic, Count: 3})
	if _, err := req.RequestWith(t.Context(), c.Client()); err != nil {
		t.Fatal(err)
	}
	if err := s.wait(t); err == nil || !strings.Contains(err.Error(), "has 2 partitions") {
		t.Errorf("%v", err)
	}
}
