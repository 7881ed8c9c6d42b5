// Package check tries, step by step, what the processor needs from the brokers, and reports what works, what is refused
// and how to fix it. It also lists the minimal ACLs.
//
// It has no side effects: it writes no record, joins no group, commits no offset and initializes no transactional ID.
// Instead it sends requests that brokers first authorize and then cannot carry out, because the partition, group member
// or producer ID does not exist. Creating topics is only validated.
//
// Its goroutines end before Run returns.
package check

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

// The names of steps.
const (
	stepResolve      = "resolve"
	stepConnect      = "connect"
	stepTLS          = "TLS"
	stepAuthenticate = "authenticate"
	stepBrokers      = "reach the brokers"
	stepDescribe     = "describe input"
	stepRead         = "read input"
	stepJoin         = "join the group"
	stepWrite        = "write " // what
	stepIdempotent   = "idempotent producer"
	stepTransaction  = "transactional id"
	stepPolicy       = "read the policy"
	stepState        = "keep the state"
)

// attemptTimeout bounds one step.
const attemptTimeout = 15 * time.Second

// Run tries every step until all are done or ctx ends. After a failed step, it still tries those that do not depend on
// it.
func Run(ctx context.Context, o Options) *Report {
	c := newChecker(&o, attemptTimeout)
	alive := c.reach(ctx)
	if len(alive) == 0 || !c.connect(ctx, alive) {
		c.notTried()
		return c.report
	}
	defer c.client.Close()
	c.brokers(ctx)
	c.input(ctx)
	c.group(ctx)
	c.outputs(ctx)
	c.state(ctx)
	if o.exactlyOnce() {
		c.transactions(ctx)
	} else {
		c.idempotence(ctx)
	}
	c.policy(ctx)
	return c.report
}

// checker is one Run.
type checker struct {
	o        *Options
	report   *Report
	client   *kgo.Client
	admin    *kadm.Client
	patience time.Duration               // time limit of each step up to authentication
	metadata kadm.Metadata               // of the brokers
	topics   map[string]kadm.TopicDetail // topics described so far
	writable bool                        // at least one topic may be written to
}

func newChecker(o *Options, patience time.Duration) *checker {
	return &checker{o: o, report: &Report{}, topics: make(map[string]kadm.TopicDetail), patience: patience}
}

// add reports a step.
func (c *checker) add(s Step) { c.report.Steps = append(c.report.Steps, s) }

// notTried reports all remaining steps as not tried. Nothing can be tried without authentication.
func (c *checker) notTried() {
	told := make(map[string]bool)
	for i := range c.report.Steps {
		told[c.report.Steps[i].Name] = true
	}
	for _, name := range c.names() {
		if !told[name] {
			c.add(Step{Name: name, Status: NotTried})
		}
	}
}

// names returns the names of all steps, in order.
func (c *checker) names() []string {
	names := []string{stepResolve, stepConnect, stepTLS, stepAuthenticate, stepBrokers, stepDescribe, stepRead, stepJoin}
	for _, output := range c.o.Outputs {
		names = append(names, stepWrite+output.What)
	}
	if c.o.StateTopic != "" {
		names = append(names, stepState)
	}
	if c.o.exactlyOnce() {
		names = append(names, stepTransaction)
	} else {
		names = append(names, stepIdempotent)
	}
	if c.o.PolicyTopic != "" {
		names = append(names, stepPolicy)
	}
	return names
}

// newClient returns a client for these addresses.
func (c *checker) newClient(addresses []string) (*kgo.Client, error) {
	return kgo.NewClient(append(c.o.Connection.ClientOpts(),
		kgo.SeedBrokers(addresses...),
		kgo.ClientID("regionwatch-check"),
		kgo.MaxVersions(versions()),
		kgo.RequestRetries(3),
		kgo.RetryTimeout(c.patience),
	)...)
}

// versions limits request versions. From version 13, Produce and Fetch identify topics by ID, which brokers look up
// before they check authorization.
func versions() *kversion.Versions {
	const produce, fetch, byName = 0, 1, 12
	v := kversion.Stable()
	v.SetMaxKeyVersion(produce, byName)
	v.SetMaxKeyVersion(fetch, byName)
	return v
}
