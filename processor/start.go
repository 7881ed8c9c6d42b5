package processor

import (
	"context"
	"fmt"
	"time"

	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// start checks the brokers before any member joins the group: they answer and accept us, the topics exist, and the
// group has a place to begin. It waits for brokers as long as it takes; any other error is returned.
func (p *Processor) start(ctx context.Context) error {
	client, err := p.newClient(ctx, "regionwatch-start", kgo.RequestRetries(1))
	if err != nil {
		return fmt.Errorf("making client: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	p.health.Waiting("connecting to the brokers")
	for _, step := range []func(context.Context, *kadm.Client) error{
		p.connect, p.topics.Check, p.learnLimits, p.topics.Begin, p.checkInput,
	} {
		if err := p.retry(ctx, func(ctx context.Context) error { return step(ctx, admin) }); err != nil {
			return p.explain(err)
		}
	}
	return nil
}

// retry runs a step until it succeeds or fails for good. It logs trouble that may pass once.
func (p *Processor) retry(ctx context.Context, step func(context.Context) error) error {
	for fails := 0; ; fails++ {
		attempt, cancel := context.WithTimeout(ctx, retry.AttemptTimeout)
		err := step(attempt)
		cancel()
		switch {
		case err == nil:
			if fails > 0 {
				p.log.Info("the brokers answer", "brokers", p.o.Brokers)
			}
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !retry.IsTransient(err):
			return err
		}
		p.health.Waiting(fmt.Sprintf("waiting for the brokers: %v", err))
		if fails == 0 {
			p.log.Warn("the brokers do not answer, trying again until they do", "brokers", p.o.Brokers, "error", err)
		}
		if err := retry.Sleep(ctx, retry.Backoff(fails+1)); err != nil {
			return err
		}
	}
}

// connect returns nil once a broker answers.
func (p *Processor) connect(ctx context.Context, admin *kadm.Client) error {
	metadata, err := admin.BrokerMetadata(ctx)
	if err != nil {
		return fmt.Errorf("connecting to brokers %q: %w", p.o.Brokers, err)
	}
	p.brokers = len(metadata.Brokers)
	p.topics.SetCluster(metadata.Cluster)
	p.health.Waiting("looking at the topics")
	return nil
}

// learnLimits asks for the largest batch of each output topic.
func (p *Processor) learnLimits(ctx context.Context, admin *kadm.Client) error {
	names := p.o.outputTopics().Names()
	if p.o.StateTopic != "" {
		names = append(names, p.o.StateTopic)
	}
	return p.outputs.Limits().Ask(ctx, admin, p.log, names...)
}

// checkInput shows a stage the first records of its input, unless the group has read some before, and returns its error if
// it wants none of them. What is only found later, or among others, becomes a dead letter: a stray record, which another
// program may write, ends nothing.
func (p *Processor) checkInput(ctx context.Context, admin *kadm.Client) error {
	if p.o.Stage == nil {
		return nil
	}
	next, err := p.topics.Unread(ctx, admin)
	if err != nil || len(next) == 0 {
		return err
	}
	client, err := p.newClient(ctx, "regionwatch-start", kgo.ConsumePartitions(next), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(fetchWait), kgo.FetchMaxPartitionBytes(minFetchBytes))
	if err != nil {
		return fmt.Errorf("making client: %w", err)
	}
	defer client.Close()
	wait, cancel := context.WithTimeout(ctx, firstWait)
	defer cancel()
	for _, r := range client.PollRecords(wait, checked).Records() { // none comes if all are in open transactions
		if err = p.o.Stage.Check(r); err == nil {
			return nil
		}
	}
	return err
}

// checked is how many records a stage is shown at most.
const checked = 100

// firstWait limits the wait for the first record.
const firstWait = 2 * time.Second
