// Package check tries step by step what the processor needs from the brokers, and reports what works, what is refused, and
// the remedy. It also lists the minimal ACLs for all of it.
//
// It has no effects: it writes no record, joins no group, commits no offset and takes no transactional id. It learns what is
// allowed from requests that brokers authorize first and then cannot carry out: for a partition that no topic has, a
// member that no group has, a producer id that was never given out. Creating topics is only validated.
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
)

// attemptTimeout bounds one step.
const attemptTimeout = 15 * time.Second

// Run tries everything until it is done or ctx ends. After a failed step it tries those that do not depend on it.
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
	if o.ExactlyOnce {
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
	patience time.Duration               // bounds one step up to authentication
	metadata kadm.Metadata               // of the brokers
	topics   map[string]kadm.TopicDetail // those described so far
	writable bool                        // some topic may be written to
}

func newChecker(o *Options, patience time.Duration) *checker {
	return &checker{o: o, report: &Report{}, topics: make(map[string]kadm.TopicDetail), patience: patience}
}

// add reports a step.
func (c *checker) add(s Step) { c.report.Steps = append(c.report.Steps, s) }

// notTried reports the steps that come after those reported. Without authentication there is nothing to try.
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

// names returns every step, in order.
func (c *checker) names() []string {
	names := []string{stepResolve, stepConnect, stepTLS, stepAuthenticate, stepBrokers, stepDescribe, stepRead, stepJoin}
	for _, output := range c.o.Outputs {
		names = append(names, stepWrite+output.What)
	}
	if c.o.ExactlyOnce {
		names = append(names, stepTransaction)
	} else {
		names = append(names, stepIdempotent)
	}
	if c.o.PolicyTopic != "" {
		names = append(names, stepPolicy)
	}
	return names
}

// newClient returns a client of these addresses.
func (c *checker) newClient(addresses []string) (*kgo.Client, error) {
	return kgo.NewClient(append(c.o.Connection.ClientOpts(),
		kgo.SeedBrokers(addresses...),
		kgo.ClientID("regionwatch-check"),
		kgo.MaxVersions(versions()),
		kgo.RequestRetries(3),
		kgo.RetryTimeout(c.patience),
	)...)
}

// versions bounds the versions of requests. From 13 on, Produce and Fetch name topics by id, which brokers look up before
// they authorize.
func versions() *kversion.Versions {
	const produce, fetch, byName = 0, 1, 12
	v := kversion.Stable()
	v.SetMaxKeyVersion(produce, byName)
	v.SetMaxKeyVersion(fetch, byName)
	return v
}
