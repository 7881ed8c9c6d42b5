package processor

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/retry"
)

// leftovers aborts transactions that members of the group have left open. Until such a transaction ends, readers of
// committed alerts wait, and so does the member that takes over its partitions: the broker does not return offsets that a
// transaction has pending. Brokers abort it only when its timeout has passed and they look, every ten seconds by default.
//
// A transaction of a member that is no longer in the group cannot commit its offsets; aborting it takes nothing from it.
// One that is older than its timeout is what the broker is about to abort.
type leftovers struct {
	p      *Processor
	client *kgo.Client
}

// minLeftover is how old a transaction must be before its member is looked for in the group: one that was evicted and
// lives ends it sooner.
const minLeftover = time.Second

// abortLeftovers looks for leftovers until ctx ends. Other instances do so as well.
func (p *Processor) abortLeftovers(ctx context.Context) {
	client, err := p.newClient(ctx, "regionwatch-leftovers")
	if err != nil {
		p.log.Debug("looking for open transactions", "error", err)
		return
	}
	defer client.Close()
	l := &leftovers{p, client}
	for retry.Sleep(ctx, l.interval()) == nil {
		if err := l.abort(ctx); err != nil {
			p.log.Debug("looking for open transactions", "error", err)
		}
	}
}

// interval returns how often to look: often enough to add little to the delay.
func (l *leftovers) interval() time.Duration {
	return min(max(l.p.o.TransactionTimeout/10, minLeftover/4), 2*minLeftover)
}

func (l *leftovers) abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, retry.AttemptTimeout)
	defer cancel()
	old, err := l.list(ctx, minLeftover)
	if err != nil || len(old) == 0 {
		return err
	}
	overdue, err := l.list(ctx, l.p.o.TransactionTimeout)
	if err != nil {
		return err
	}
	members, err := l.members(ctx)
	if err != nil {
		return err
	}
	for id := range old {
		if !overdue[id] && members[l.p.memberOf(id)] {
			continue
		}
		if err := l.end(ctx, id); err != nil {
			return fmt.Errorf("aborting the transaction of %q: %w", id, err)
		}
	}
	return nil
}

// list returns the transactional ids of our group with an open transaction older than age, by the broker's clock. Brokers
// before 3.8 cannot tell; there is none then.
func (l *leftovers) list(ctx context.Context, age time.Duration) (map[string]bool, error) {
	req := kmsg.NewPtrListTransactionsRequest()
	req.StateFilters = []string{"Ongoing"}
	req.DurationFilterMillis = age.Milliseconds()
	pattern := "^" + regexp.QuoteMeta(l.p.o.Group) + "-.*"
	req.TransactionalIDPattern = &pattern
	ids := make(map[string]bool)
	for _, shard := range l.client.RequestSharded(ctx, req) {
		resp, ok := shard.Resp.(*kmsg.ListTransactionsResponse)
		if !ok || resp.Version < 1 {
			continue // of another broker there may be an answer
		}
		for _, t := range resp.TransactionStates {
			if l.p.memberOf(t.TransactionalID) != "" {
				ids[t.TransactionalID] = true
			}
		}
	}
	return ids, ctx.Err()
}

// memberOf returns the instance id of the member that a transactional id of our group belongs to, or "".
func (p *Processor) memberOf(transactionalID string) string {
	rest, ours := strings.CutPrefix(transactionalID, p.o.Group+"-")
	member, ok := strings.CutSuffix(rest, fmt.Sprintf("-%d", len(p.o.Group)))
	if !ours || !ok {
		return ""
	}
	return member
}

// members returns the instance ids of the group's members.
func (l *leftovers) members(ctx context.Context) (map[string]bool, error) {
	groups, err := kadm.NewClient(l.client).DescribeGroups(ctx, l.p.o.Group)
	if err == nil {
		err = groups[l.p.o.Group].Err
	}
	if err != nil {
		return nil, fmt.Errorf("describing the group: %w", err)
	}
	ids := make(map[string]bool)
	for _, m := range groups[l.p.o.Group].Members {
		if m.InstanceID != nil {
			ids[*m.InstanceID] = true
		}
	}
	return ids, nil
}

// end aborts the transaction by asking for its id anew. The request names the producer whose transaction it is: if there
// is another one by now, the broker refuses.
func (l *leftovers) end(ctx context.Context, id string) error {
	described, err := kadm.NewClient(l.client).DescribeTransactions(ctx, id)
	if err != nil {
		return fmt.Errorf("describing it: %w", err)
	}
	t := described[id]
	if t.Err != nil || t.State != "Ongoing" {
		return t.Err
	}
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &id, t.TimeoutMillis
	req.ProducerID, req.ProducerEpoch = t.ProducerID, t.ProducerEpoch
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return err
	}
	err = kerr.ErrorForCode(resp.ErrorCode)
	if errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) {
		return nil // it was aborted meanwhile
	}
	if err == nil || errors.Is(err, kerr.ConcurrentTransactions) {
		l.p.log.Warn("aborted the transaction that another member had left open", "transactional_id", id)
		return nil
	}
	return err
}
