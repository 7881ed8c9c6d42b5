// Package check tries, one after another, what the processor needs of the brokers, and says what works, what is
// refused, and what to do about that. It also tells the least access control list with which all of it works.
//
// It leaves no traces that anybody would notice: it writes no record, joins no group, commits no offset and takes no
// transactional id. Whether it may is found out by requests that the brokers authorize first and then cannot carry
// out: for a partition that no topic has, a member that no group has, a producer that no broker knows. Where Options
// let topics be made, making them is only validated.
//
// Goroutines that it starts end before Run returns.
package check

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

// The steps, as they are named.
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

// Run tries all of it and returns when that is done, or ctx ends. A step that fails does not keep those from being
// tried that do not need it.
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
	patience time.Duration               // bounds one step on the way to a broker that knows us
	metadata kadm.Metadata               // of the brokers
	topics   map[string]kadm.TopicDetail // as far as they were asked for
	writable bool                        // there is a topic that may be written to
}

func newChecker(o *Options, patience time.Duration) *checker {
	return &checker{o: o, report: &Report{}, topics: make(map[string]kadm.TopicDetail), patience: patience}
}

// add tells of a step.
func (c *checker) add(s Step) { c.report.Steps = append(c.report.Steps, s) }

// notTried tells of the steps that would have come after those that were told of. What fails before it is known whom
// the brokers take us for leaves nothing to try.
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

// versions are those of the requests. From version 13 on Produce and Fetch name topics by an id, which one that does
// not exist lacks, and which is looked up before the broker authorizes.
func versions() *kversion.Versions {
	const produce, fetch, byName = 0, 1, 12
	v := kversion.Stable()
	v.SetMaxKeyVersion(produce, byName)
	v.SetMaxKeyVersion(fetch, byName)
	return v
}
