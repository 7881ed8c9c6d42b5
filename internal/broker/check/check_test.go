package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/regionwatch/regionwatch/internal/broker"
	"github.com/regionwatch/regionwatch/processor"
)

// cluster is an embedded broker that allows alice only what ACLs allow.
type cluster struct {
	*kfake.Cluster
	admin  *kadm.Client
	client *kgo.Client // the admin's
}

func newCluster(t *testing.T, opts ...kfake.Opt) *cluster {
	t.Helper()
	opts = append([]kfake.Opt{
		kfake.NumBrokers(2), kfake.ClusterID("check-test"), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser("PLAIN", "admin", "admin"), kfake.User("PLAIN", "alice", "secret"),
		kfake.SeedTopics(2, "in", "out", "dead", "state"), kfake.SeedTopics(1, "policy"),
	}, opts...)
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	admin, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.SASL(plain.Auth{User: "admin", Pass: "admin"}.AsMechanism()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	return &cluster{c, kadm.NewClient(admin), admin}
}

// set sets a setting of a topic.
func (c *cluster) set(t *testing.T, topic, key, value string) {
	t.Helper()
	if _, err := c.admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, topic); err != nil {
		t.Fatal(err)
	}
}

// put writes policies to a topic.
func (c *cluster) put(t *testing.T, topic string, policies ...string) {
	t.Helper()
	for _, p := range policies {
		if err := c.client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(p)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// options returns the options alice checks with.
func (c *cluster) options(t *testing.T, change ...func(*Options)) Options {
	t.Helper()
	return options(t, append([]func(*Options){func(o *Options) {
		o.SessionTimeout, o.RebalanceTimeout = 10*time.Second, time.Minute
		o.Connection = open(t, broker.Options{
			Addresses: c.ListenAddrs(),
			SASL:      broker.SASL{Mechanism: "PLAIN", Username: "alice", Password: broker.NewSecret("secret")},
		})
	}}, change...)...)
}

func builder(a ACL) *kadm.ACLBuilder {
	pattern := kadm.ACLPatternLiteral
	if a.Prefixed {
		pattern = kadm.ACLPatternPrefixed
	}
	b := kadm.NewACLs().Allow("User:alice").AllowHosts("*").Operations(a.Operation).ResourcePatternType(pattern)
	switch a.Resource {
	case kmsg.ACLResourceTypeTopic:
		return b.Topics(a.Name)
	case kmsg.ACLResourceTypeGroup:
		return b.Groups(a.Name)
	case kmsg.ACLResourceTypeTransactionalId:
		return b.TransactionalIDs(a.Name)
	}
	return nil
}

func (c *cluster) allow(t *testing.T, list ...ACL) {
	t.Helper()
	for _, a := range list {
		results, err := c.admin.CreateACLs(t.Context(), builder(a))
		for _, r := range results {
			err = errors.Join(err, r.Err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Each way to run works with its minimal list, and with no part of it missing.
func TestRunLeast(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"at least once":                 func(*Options) {},
		"exactly once":                  func(o *Options) { o.Delivery, o.InstanceID, o.Sessions = processor.ExactlyOnce, "a", 2 },
		"exactly once without instance": func(o *Options) { o.Delivery = processor.ExactlyOnce },
		"policy topic":                  func(o *Options) { o.PolicyTopic = "policy" },
		"create topics": func(o *Options) {
			o.CreateTopics, o.InputTopics = true, []string{"new"}
			o.Outputs = []Output{{"alerts", "new-out"}, {"dead letters", "new-dead"}}
		},
		"state topic": func(o *Options) {
			o.Delivery, o.InstanceID, o.Sessions, o.StateTopic = processor.ExactlyOnce, "a", 1, "state"
		},
		"create state": func(o *Options) {
			o.Delivery, o.CreateTopics, o.InputTopics, o.StateTopic, o.Outputs = processor.ExactlyOnce, true, []string{"new"}, "new-state", []Output{{"incidents", "new-incidents"}}
		},
		"pattern": func(o *Options) { o.InputTopics, o.InputPattern = []string{"^(?:i.*)$"}, true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			o := c.options(t, change)
			c.allow(t, o.needed()...)
			c.put(t, "policy", "version: v1")
			if r := Run(t.Context(), o); !r.OK() || len(r.Steps) < 9 {
				t.Fatalf("with all: %+v", r.Steps)
			}
			for _, missing := range o.needed() {
				if _, err := c.admin.DeleteACLs(t.Context(), builder(missing)); err != nil {
					t.Fatal(err)
				}
				r := Run(t.Context(), o)
				if want := o.entries([]ACL{missing})[0]; r.OK() || !slices.ContainsFunc(r.Steps, func(s Step) bool {
					return s.Status == Refused && s.Error != "" && slices.Contains(s.ACLs, want)
				}) {
					t.Errorf("without %+v: %+v", missing, r.Steps)
				}
				c.allow(t, missing)
			}
		})
	}
}

// A check does not disturb running members: the group keeps its generation and a transactional ID its epoch.
func TestRunDisturbsNothing(t *testing.T) {
	c := newCluster(t)
	o := c.options(t, func(o *Options) {
		o.Delivery, o.InstanceID, o.Sessions, o.CreateTopics = processor.ExactlyOnce, "a", 1, true
	})
	c.allow(t, o.needed()...)
	forbidden := map[kmsg.Key]string{
		kmsg.SyncGroup: "a member", kmsg.OffsetCommit: "a commit", kmsg.TxnOffsetCommit: "a commit",
		kmsg.AddPartitionsToTxn: "a transaction", kmsg.AddOffsetsToTxn: "a transaction", kmsg.InitProducerID: "a fence",
		kmsg.DeleteTopics: "a deletion", kmsg.AlterConfigs: "a change", kmsg.LeaveGroup: "a member",
	}
	seen := make(chan string, 100)
	for key, what := range forbidden {
		c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			seen <- what
			return nil, nil, false
		})
	}
	o.Outputs = append(o.Outputs, Output{"shadow findings", "new"})
	c.allow(t, o.needed()...)
	if r := Run(t.Context(), o); !r.OK() {
		t.Fatalf("%+v", r.Steps)
	}
	select {
	case what := <-seen:
		t.Errorf("there was %s", what)
	default:
	}
	groups, err := c.admin.ListGroups(t.Context())
	if err != nil || len(groups) != 0 {
		t.Errorf("groups %v, %v", groups, err)
	}
	ends, err := c.admin.ListEndOffsets(t.Context(), "in", "out", "dead")
	if err != nil {
		t.Fatal(err)
	}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset != 0 {
			t.Errorf("%s has a record", o.Topic)
		}
	})
	if topics, err := c.admin.ListTopics(t.Context()); err != nil || topics.Has("new") {
		t.Errorf("topics %v, %v", topics.Names(), err)
	}
}

// statuses returns the steps and their outcomes, for comparison.
func statuses(r *Report) (list []string) {
	for _, s := range r.Steps {
		list = append(list, s.Name+": "+s.Status.String())
	}
	return list
}

func TestRunFailure(t *testing.T) {
	for name, test := range map[string]struct {
		change       func(*Options)
		step, remedy string
	}{
		"no topic": {func(o *Options) { o.InputTopics = []string{"absent"} }, stepDescribe, "--create-topics"},
		"no topic of a pattern": {func(o *Options) { o.InputTopics, o.InputPattern = []string{"^(?:absent.*)$"}, true },
			stepDescribe, "create such a topic"},
		"session timeout": {func(o *Options) { o.SessionTimeout = time.Second }, stepJoin, "--session-timeout"},
		"no output": {func(o *Options) { o.Outputs[1].Topic = "absent" },
			stepWrite + "dead letters", "--create-topics"},
		"no policy":                {func(o *Options) { o.PolicyTopic = "absent" }, stepPolicy, "compacted"},
		"state in one partition":   {func(o *Options) { o.StateTopic = "policy" }, stepState, "incidents rebuild"},
		"no state":                 {func(o *Options) { o.StateTopic = "absent" }, stepState, "let incidents create it with --create-topics; it must be compacted, with as many partitions as in:"},
		"empty policy topic":       {func(o *Options) { o.PolicyTopic = "policy" }, stepPolicy, "write the policy to it"},
		"policy in two partitions": {func(o *Options) { o.PolicyTopic = "dead" }, stepPolicy, "must have exactly one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			all := ACL{Operation: kmsg.ACLOperationAll, Name: "*"}
			for _, resource := range []kmsg.ACLResourceType{kmsg.ACLResourceTypeTopic, kmsg.ACLResourceTypeGroup} {
				all.Resource = resource
				c.allow(t, all)
			}
			r := Run(t.Context(), c.options(t, test.change))
			refused := slices.DeleteFunc(slices.Clone(r.Steps), func(s Step) bool { return s.Status != Refused })
			if r.OK() || len(refused) != 1 || refused[0].Name != test.step || !strings.Contains(refused[0].Remedy, test.remedy) {
				t.Errorf("want %s refused, with %q: %+v", test.step, test.remedy, r.Steps)
			}
		})
	}
}

// A group used by another program is reported before it is disturbed.
func TestRunForeignGroup(t *testing.T) {
	c := newCluster(t)
	o := c.options(t)
	c.allow(t, o.needed()...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	joined := make(chan struct{}, 1)
	client, err := kgo.NewClient(append(o.Connection.ClientOpts(), kgo.ConsumerGroup(o.Group), kgo.ConsumeTopics("in"),
		kgo.Balancers(kgo.RangeBalancer()), kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) {
			select {
			case joined <- struct{}{}:
			default:
			}
		}))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	select {
	case <-joined:
	case <-ctx.Done():
		t.Fatal("the other member has not joined")
	}
	r := Run(ctx, o)
	at := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Name == stepJoin })
	if s := r.Steps[at]; s.Status != Refused || !strings.Contains(s.Remedy, "another program") {
		t.Errorf("%+v", s)
	}
}

// Amazon MSK has no access control lists for IAM clients: the remedy is an action in an IAM policy.
func TestDenyIAM(t *testing.T) {
	o := options(t, func(o *Options) {
		o.Connection = open(t, broker.Options{TLS: &broker.TLS{}, SASL: broker.SASL{Mechanism: "AWS_MSK_IAM"}})
	})
	if o.UsesACLs() {
		t.Error("there are ACLs")
	}
	var s Step
	s.deny(&o, o.missing(kmsg.ACLOperationRead, kmsg.ACLResourceTypeTopic, "in"))
	want := `allow it in the IAM policy of the role: kafka-cluster:DescribeTopic and kafka-cluster:ReadData on the topic "in"`
	if s.Remedy != want || len(s.ACLs) > 0 {
		t.Errorf("%+v, want %s", s, want)
	}
	for _, a := range append(o.needed(), ACL{Operation: kmsg.ACLOperationIdempotentWrite, Resource: kmsg.ACLResourceTypeCluster}) {
		if iamActions[iamAction{a.Operation, a.Resource}] == "" {
			t.Errorf("no action for %+v", a)
		}
	}
}

// stepOf returns the first step of a name.
func stepOf(t *testing.T, r *Report, name string) Step {
	t.Helper()
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no step %q: %+v", name, r.Steps)
	}
	return r.Steps[i]
}

// A topic we write to that the loss of one broker can damage is a warning with a remedy.
//
// Guard: the call of fragile in outputs.
func TestRunFragile(t *testing.T) {
	c := newCluster(t, kfake.NumBrokers(3))
	for name, test := range map[string]struct {
		replicas int16
		min      string
		want     string
	}{
		"single":  {1, "1", "with one replica"},
		"min one": {3, "1", "with min.insync.replicas=1"},
		"safe":    {3, "2", ""},
	} {
		topic := strings.ReplaceAll(name, " ", "-")
		if _, err := c.admin.CreateTopic(t.Context(), 1, test.replicas, map[string]*string{"min.insync.replicas": &test.min}, topic); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			o := c.options(t, func(o *Options) { o.Outputs[i].Topic = topic })
			c.allow(t, append(o.needed(), ACL{Operation: kmsg.ACLOperationDescribeConfigs, Resource: kmsg.ACLResourceTypeTopic, Name: topic})...)
			report := Run(t.Context(), o)
			s := stepOf(t, report, stepWrite+o.Outputs[i].What)
			if (s.Status == Warning) != (test.want != "") || !strings.HasPrefix(s.Remedy, test.want) || test.want == "" && s.Remedy != "" || !report.OK() {
				t.Errorf("%s of %s: %+v", name, o.Outputs[i].What, s)
			}
		}
	}
}

// A state topic that the brokers clean of state, or whose only copy is one broker's, is a warning with a remedy.
//
// Guard: the call of forgetful in state.
func TestRunForgetfulState(t *testing.T) {
	c := newCluster(t, kfake.NumBrokers(3))
	f := func(cleanup string, replicas int16, least, want string) {
		t.Helper()
		topic := fmt.Sprintf("state-%s-%d-%s", strings.ReplaceAll(cleanup, ",", "-"), replicas, least)
		if _, err := c.admin.CreateTopic(t.Context(), 2, replicas, map[string]*string{"cleanup.policy": &cleanup, "min.insync.replicas": &least}, topic); err != nil {
			t.Fatal(err)
		}
		o := c.options(t, func(o *Options) {
			o.Delivery, o.InstanceID, o.Sessions, o.StateTopic = processor.ExactlyOnce, "a", 1, topic
		})
		c.allow(t, append(o.needed(), ACL{Operation: kmsg.ACLOperationDescribeConfigs, Resource: kmsg.ACLResourceTypeTopic, Name: topic})...)
		report := Run(t.Context(), o)
		i := slices.IndexFunc(report.Steps, func(s Step) bool { return s.Name == stepState })
		if i < 0 {
			t.Fatalf("%s: no such step: %+v", topic, report.Steps)
		}
		if s := report.Steps[i]; (s.Status == Warning) != (want != "") || !strings.HasPrefix(s.Remedy, want) || want == "" && s.Remedy != "" || !report.OK() {
			t.Errorf("%s: %+v", topic, s)
		}
	}
	f("delete", 3, "2", "with cleanup.policy=delete, the brokers delete state that is still needed")
	f("compact,delete", 3, "2", "with cleanup.policy=compact,delete, the brokers delete state that is older")
	f("compact", 1, "1", "with one replica, the loss of one broker loses state")
	f("compact", 3, "1", "with min.insync.replicas=1")
	f("compact", 3, "2", "")
}
