package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// newOptions returns options for 500 records: every tenth raises an alert and one cannot be read.
func newOptions(t *testing.T, c *processortest.Cluster) Options {
	t.Helper()
	p, err := policy.Compile(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	return Options{
		Processor: processor.Options{
			Brokers: c.ListenAddrs(), Policy: func() *policy.Policy { return p }, CommitInterval: 100 * time.Millisecond,
		},
		Records: 500, Rounds: 2, Partitions: 3, Replicas: 1,
		Next: func() (key, value []byte) {
			n++
			region := "us-east-1"
			switch {
			case n == 7:
				return nil, []byte("{")
			case n%10 == 0:
				region = "eu-central-1"
			}
			return nil, fmt.Appendf(nil, `{"eventVersion":"1.08","eventID":"%d","awsRegion":%q,"readOnly":false,"eventSource":"ec2.amazonaws.com","eventName":"RunInstances"}`, n, region)
		},
	}
}

// mustBeClean checks that neither topics nor groups are left.
func mustBeClean(t *testing.T, c *processortest.Cluster) {
	t.Helper()
	admin := kadm.NewClient(c.Client())
	topics, err := admin.ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	groups, err := admin.ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(topics.Names(), groups.Groups()...) {
		if strings.HasPrefix(name, "regionwatch-bench-") {
			t.Errorf("%s is left", name)
		}
	}
}

// Every contender reads everything in each round, and nothing is left behind.
func TestRun(t *testing.T) {
	t.Parallel()
	c := processortest.New(t)
	o := newOptions(t, c)
	checked := 0
	o.Check = func(s processor.Status) error {
		checked++
		if s.Acked != 50 || s.DeadLetter != 1 {
			return fmt.Errorf("%d alerts and %d dead letters, want 50 and 1", s.Acked, s.DeadLetter)
		}
		return nil
	}
	var steps []string
	o.Step = func(text string) { steps = append(steps, text) }
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Partitions != 3 || report.Bytes == 0 {
		t.Errorf("report %+v", report)
	}
	names := []string{BareConsumer, AtLeastOnce, ExactlyOnce}
	for i, row := range report.Rows {
		if row.Name != names[i] || row.CPU <= 0 || row.Memory == 0 {
			t.Errorf("row %d: %+v", i, row)
		}
	}
	if len(report.Rows) != 3 || checked != 4 {
		t.Errorf("%d rows and %d checks, want 3 and 4", len(report.Rows), checked)
	}
	if got := strings.Join(steps, "\n"); !strings.Contains(got, "round 2 of 2: exactly once") {
		t.Errorf("steps:\n%s", got)
	}
	mustBeClean(t, c)
}

// Nothing is left behind, however the run ends.
func TestRunFailure(t *testing.T) {
	t.Parallel()
	f := func(want string, change func(*processortest.Cluster, *Options, context.CancelFunc)) {
		t.Helper()
		c := processortest.New(t)
		o := newOptions(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		change(c, &o, cancel)
		_, err := Run(ctx, o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		mustBeClean(t, c)
	}
	f("records: 0", func(_ *processortest.Cluster, o *Options, _ context.CancelFunc) { o.Records = 0 })
	f("rounds: 0", func(_ *processortest.Cluster, o *Options, _ context.CancelFunc) { o.Rounds = 0 })
	f("brokers: none", func(_ *processortest.Cluster, o *Options, _ context.CancelFunc) { o.Processor.Brokers = nil })
	f("next: no records", func(_ *processortest.Cluster, o *Options, _ context.CancelFunc) { o.Next = nil })
	f("measuring at least once: not what it should be", func(_ *processortest.Cluster, o *Options, _ context.CancelFunc) {
		o.Check = func(processor.Status) error { return errors.New("not what it should be") }
	})
	f("TOPIC_AUTHORIZATION_FAILED", func(c *processortest.Cluster, _ *Options, _ context.CancelFunc) {
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	})
	f("writing to topic", func(c *processortest.Cluster, o *Options, _ context.CancelFunc) {
		o.Stall = 2 * time.Second
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
	})
	f("measuring bare consumer: no progress for 2s", func(c *processortest.Cluster, o *Options, _ context.CancelFunc) {
		o.Stall = 2 * time.Second
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: -1})
	})
	f("context canceled", func(c *processortest.Cluster, o *Options, cancel context.CancelFunc) {
		deleting := make(chan struct{})
		o.Step = func(text string) {
			if strings.HasPrefix(text, "deleting") {
				close(deleting)
			}
		}
		c.ControlKey(int16(kmsg.CreateTopics), func(kmsg.Request) (kmsg.Response, error, bool) {
			cancel() // the topic is created, but the answer is not awaited
			select {
			case <-deleting:
			case <-time.After(5 * time.Second):
			}
			return nil, nil, false
		})
	})
	for _, step := range []string{"writing", "round 1 of 2: bare", "round 1 of 2: at least", "round 2 of 2: exactly"} {
		f("context canceled", func(_ *processortest.Cluster, o *Options, cancel context.CancelFunc) {
			o.Step = func(text string) {
				if strings.HasPrefix(text, step) {
					cancel()
				}
			}
		})
	}
}

// A rate is reported only if enough records follow the first ones.
func TestClock(t *testing.T) {
	t.Parallel()
	start := time.Now()
	f := func(atFirst, atLast int, want time.Duration) {
		t.Helper()
		c := clock{first: start, last: start.Add(time.Second), atFirst: atFirst, atLast: atLast}
		if got := c.whole(1000); got != want {
			t.Errorf("%d to %d of 1000 records in 1s: %v, want %v", atFirst, atLast, got, want)
		}
	}
	f(500, 1000, 2*time.Second)
	f(1000, 1000, 0)
	f(900, 1000, 0)
}

// No compression means none, rather than a default.
func TestUncompressed(t *testing.T) {
	t.Parallel()
	c := processortest.New(t)
	o := newOptions(t, c)
	o.Rounds, o.Compression = 1, kgo.NoCompression()
	checked := errors.New("checked")
	o.Check = func(processor.Status) error {
		topics, err := kadm.NewClient(c.Client()).ListTopics(t.Context())
		if err != nil {
			return err
		}
		for _, name := range topics.Names() {
			if strings.HasPrefix(name, "regionwatch-bench-") && strings.Count(name, "-") == 2 {
				r := c.Read(name, 500)[0]
				if got := r.Attrs.CompressionType(); got != 0 {
					t.Errorf("compression %d", got)
				}
				return checked
			}
		}
		return errors.New("no input topic")
	}
	if _, err := Run(t.Context(), o); !errors.Is(err, checked) {
		t.Error(err)
	}
}

// The findings in generated records are known: one missing alert is an error.
func TestBenchCheck(t *testing.T) {
	t.Parallel()
	g, err := sample.New(sample.Options{MatchShare: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := Generated(g, []string{"ap-east-1", "eu-west-3", "eu-central-1"})
	for range 10 {
		s.Next()
	}
	if err := s.Check(processor.Status{Acked: 10}); err != nil {
		t.Error(err)
	}
	for _, status := range []processor.Status{{Acked: 9}, {Acked: 11}, {Acked: 10, DeadLetter: 1}} {
		if s.Check(status) == nil {
			t.Errorf("%+v passes", status)
		}
	}
}
