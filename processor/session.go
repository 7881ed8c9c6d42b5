package processor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// session is one transactional member of the group, with its own client. It polls, decides, produces and commits in one
// goroutine, and waits for its helpers before each transaction ends.
type session struct {
	p       *Processor
	k       int
	ctx     context.Context // the client's: ends when it is given up, or closed
	end     context.CancelFunc
	tx      *kgo.GroupTransactSession
	workers []*decision

	portion   *flow.Portion
	committed bool   // at least one transaction since the session was made
	aborts    int    // consecutive ones
	member    string // our member id when the last transaction began

	holdings holdings // of a stage
	restores restores // the same

	mu         sync.Mutex
	wake       context.CancelFunc // ends the current poll
	assigned   map[kadm.Partition]struct{}
	outOfGroup bool // out of the group, and not assigned anything since
}

// TransactionalID returns the transactional id of session k of an instance. It begins with the group's name and a
// hyphen, so that access control can allow them by prefix. The length of that name at the end distinguishes group "a-b"
// with instance "c" from group "a" with instance "b-c".
func TransactionalID(group, instanceID string, k int) string {
	return fmt.Sprintf("%s-%s-%d-%d", group, instanceID, k, len(group))
}

// names returns a session's member instance id and its transactional id. Both survive a restart of the process: the new
// session fences the old one at once, and gets its partitions without a rebalance.
func (p *Processor) names(k int) (instanceID, transactionalID string) {
	return fmt.Sprintf("%s-%d", p.o.InstanceID, k), TransactionalID(p.o.Group, p.o.InstanceID, k)
}

// InstanceOf returns which instance a member of the group belongs to, by its client id and its member instance id; without
// the latter, a member is an instance. ours is false for another program's.
func InstanceOf(client, member string) (name string, ours bool) {
	session, ok := strings.CutPrefix(client, clientID)
	if !ok {
		return "", false
	}
	return strings.TrimSuffix(member, session), true // names
}

func newSession(ctx context.Context, p *Processor, k int, portion *flow.Portion) (*session, error) {
	instanceID, transactionalID := p.names(k)
	ctx, begin := p.topics.Member(ctx, instanceID)
	ctx, end := context.WithCancel(ctx)
	s := &session{p: p, k: k, ctx: ctx, end: end, portion: portion, wake: func() {}, assigned: make(map[kadm.Partition]struct{})}
	opts := append(p.groupOpts(ctx, fmt.Sprintf("%s-%d", clientID, k), p.outputs.Limits()),
		kgo.InstanceID(instanceID),
		kgo.TransactionalID(transactionalID),
		kgo.TransactionTimeout(p.o.TransactionTimeout),
		kgo.OnPartitionsAssigned(s.onAssigned),
		kgo.OnPartitionsRevoked(s.onRevoked),
		kgo.OnPartitionsLost(s.onLost),
		kgo.WithHooks(s),
	)
	opts = append(opts, begin...)
	if p.o.Stage != nil {
		s.holdings, s.restores = newHoldings(), newRestores()
		opts = append(opts, kgo.Balancers(s.holdings.own))
	}
	tx, err := kgo.NewGroupTransactSession(append(opts, p.o.ClientOpts...)...)
	if err != nil {
		end()
		return nil, fmt.Errorf("making client: %w", err)
	}
	s.tx = tx
	for range runtime.GOMAXPROCS(0) {
		out := p.outputs.Open(ctx, tx.Produce, func() error { return nil })
		d := p.newDecision(tx.Client(), out, nil)
		d.holdings = &s.holdings
		s.workers = append(s.workers, d)
	}
	return s, nil
}

// close closes the client after its last transaction. It does not leave the group, see leave.
func (s *session) close() {
	s.end()
	s.tx.Close()
	s.releaseAll()
	for _, d := range s.workers {
		d.output.Close()
	}
	s.p.health.Lost(s.tx.Client())
	s.mu.Lock()
	defer s.mu.Unlock()
	for tp := range s.assigned { // the next session may get others
		s.p.lag.Forget(tp)
	}
}

func (s *session) onAssigned(_ context.Context, client *kgo.Client, m map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outOfGroup = false
	flow.Each(m, func(tp kadm.Partition) { s.assigned[tp] = struct{}{} })
	s.p.health.Assigned(client, maps.Keys(s.assigned))
	if own := s.holdings.own; own != nil {
		client.PauseFetchPartitions(m) // until their state is restored
		_, generation := client.GroupMetadata()
		own.announce(generation)
		s.wake()
	}
}

// wakeUp ends the current poll.
func (s *session) wakeUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake()
}

// OnGroupManageError implements kgo.HookGroupManageError. The client calls it whenever it falls out of the group, and
// then drops what it has fetched and polled. In between, a poll still returns records of partitions that others may own
// by then; and GroupTransactSession has forgotten the loss if a transaction has ended meanwhile. Such records must not
// be committed: see transaction.owned.
func (s *session) OnGroupManageError(error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outOfGroup = true
	if s.holdings.own != nil {
		s.holdings.own.lose()
	}
}

// isOutOfGroup reports whether the session is out of the group.
func (s *session) isOutOfGroup() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outOfGroup
}

// onRevoked only updates the counts: the session will abort the current transaction.
func (s *session) onRevoked(_ context.Context, client *kgo.Client, m map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	flow.Each(m, func(tp kadm.Partition) {
		delete(s.assigned, tp)
		s.p.lag.Forget(tp)
	})
	s.p.health.Assigned(client, maps.Keys(s.assigned))
}

func (s *session) onLost(ctx context.Context, client *kgo.Client, m map[string][]int32) {
	s.OnGroupManageError(nil) // the client calls it too, but later
	s.onRevoked(ctx, client, m)
	s.p.health.Lost(client)
}

// run transacts until ctx ends or the client is given up, which is not an error, or until the session cannot go on.
//
// It takes its transactional id first, which aborts what a killed predecessor left open. The client would do so only
// when it produces; until then readers of committed alerts wait, and we may too: the broker does not return committed
// offsets while a transaction has others pending.
func (s *session) run(ctx context.Context) error {
	if err := s.takeID(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		_, transactionalID := s.p.names(s.k)
		return fmt.Errorf("taking the transactional id %q: %w", transactionalID, err)
	}
	ctx, restart := context.WithCancelCause(ctx)
	defer restart(nil)
	defer s.p.topics.OnRestart(restart)()
	defer context.AfterFunc(s.ctx, func() { restart(nil) })() // a wait for the pace ends as well
	for {
		s.p.pace.Wait(ctx, s.tx.Client().BufferedFetchRecords)
		if err := s.prepare(ctx); err != nil {
			return err
		}
		outOfGroup := s.isOutOfGroup()
		fetches := s.poll(ctx)
		s.p.pace.Spend(fetches.NumRecords())
		err := s.p.fetchErrors(fetches)
		switch {
		case err != nil:
		case fetches.NumRecords() > 0:
			err = s.transact(ctx, fetches, outOfGroup)
		case s.p.o.Stage != nil && ctx.Err() == nil:
			err = s.idle(outOfGroup)
		}
		if cause := context.Cause(ctx); err == nil && (errors.Is(cause, retry.ErrRenew) || isStateError(cause)) {
			err = cause
		}
		if err != nil || ctx.Err() != nil || s.ctx.Err() != nil {
			return err
		}
		if s.aborts > 1 { // the first one may well be a rebalance
			_ = retry.Sleep(ctx, retry.Backoff(s.aborts-1))
		}
	}
}

// maxAsks is how often a session asks for its transactional id: enough to find a broker that accepts us, and few enough
// that Run ends if the coordinator itself refuses.
const maxAsks = 5

// takeID takes the transactional id. The client asks any broker for its coordinator: if the one asked refuses us, the
// next attempt asks another.
func (s *session) takeID(ctx context.Context) error {
	for fails := 1; ; fails++ {
		_, _, err := s.tx.Client().ProducerID(ctx)
		if !retry.IsAuthFailure(err) || fails == maxAsks || s.ctx.Err() != nil || retry.Sleep(ctx, retry.Backoff(fails)) != nil {
			return err
		}
	}
}

// maxRestarts is how often in a row a session is remade without committing anything before Run ends, and how often in a
// row a member takes its place back.
const maxRestarts = 8

// runSession keeps session k running: a new session may recover from an error that ended the old one.
func (p *Processor) runSession(ctx, drainCtx context.Context, k int) error {
	tries, portion := 0, new(flow.Portion) // tries in a row
	for fails := 1; ; fails++ {
		began := time.Now()
		s, err := newSession(drainCtx, p, k, portion)
		if err != nil {
			return err
		}
		err = s.run(ctx)
		if err != nil {
			err = s.verdict(err)
		}
		steady := p.health.Held(began) || s.committed && !isFencing(err)
		if tries++; steady {
			tries = 1
		}
		if steady || retry.IsTransient(err) {
			fails = 1
		}
		again := errors.Is(err, retry.ErrRenew) && fails <= maxRestarts && ctx.Err() == nil && drainCtx.Err() == nil
		s.close()
		if !again {
			instanceID, _ := p.names(k)
			p.leave(drainCtx, instanceID, err)
		}
		switch {
		case err == nil, ctx.Err() != nil, drainCtx.Err() != nil:
			return nil // the client was given up: its owner reports why
		case isStateError(err):
			return err
		case !again:
			return fmt.Errorf("session %d: %w", k, p.explain(err))
		}
		p.log.Warn("a session ended, making a new one", "session", k, "error", err)
		_ = retry.Sleep(ctx, retry.Backoff(tries)) // a canceled ctx ends the next session as it begins
	}
}

// errReplaced marks the end of an instance whose name another process uses.
var errReplaced = errors.New("another process has taken over")

// verdict returns err, as a retry.ErrRenew if a new session may recover from it.
func (s *session) verdict(err error) error {
	switch {
	case errors.Is(err, retry.ErrRenew):
		return err
	case s.p.fencedByItself(err), s.fencedByRejoining(err), retry.IsAuthFailure(err): // one broker of several may refuse us
		return fmt.Errorf("%w: %w", retry.ErrRenew, err)
	case retry.IsRefusal(err):
		return err
	case isFencing(err) && s.replaced():
		instanceID, _ := s.p.names(s.k)
		return fmt.Errorf("%w: %w the instance id %q; each live instance needs its own", err, errReplaced, instanceID)
	case errors.Is(err, errFetching), errors.Is(err, errTooLargeForGood), isStateError(err):
		return err
	}
	return fmt.Errorf("%w: %w", retry.ErrRenew, err)
}

// isFencing reports whether a newer member has our place, or a newer producer our transactional id. The broker reports
// the latter also if it aborted a transaction that took too long.
func isFencing(err error) bool {
	return errors.Is(err, kerr.FencedInstanceID) || errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.TransactionCoordinatorFenced)
}

// fencedByRejoining reports whether err says that another member has our place in the group, and it is we: the group had
// forgotten us, and we joined again, or are about to, while a commit named the member that we were.
func (s *session) fencedByRejoining(err error) bool {
	if !errors.Is(err, kerr.FencedInstanceID) {
		return false
	}
	member, _ := s.tx.Client().GroupMetadata()
	return member == "" || member != s.member
}

// replaced reports whether another process has our instance id. Two of them would fence each other in turn for ever; a
// transaction that only took too long, or that a peer aborted because the group had forgotten us, leaves us our place. The
// group knows, as soon as the other one has joined.
func (s *session) replaced() bool {
	client := s.tx.Client()
	client.PauseFetchTopics(client.GetConsumeTopics()...) // what comes now is for the next session
	ctx, cancel := context.WithTimeout(s.ctx, takeoverTime)
	defer cancel()
	for ctx.Err() == nil {
		err := s.pollError(ctx)
		if err == nil {
			_, generation := client.GroupMetadata()
			err = s.beat(ctx, generation)
		}
		if errors.Is(err, kerr.FencedInstanceID) {
			return !s.p.health.Troubled() && !s.fencedByRejoining(err)
		}
	}
	return false
}

// takeoverTime is how long a process that takes a transactional id from us takes to join the group.
const takeoverTime = time.Second

// pollError polls for a tenth of takeoverTime.
func (s *session) pollError(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, takeoverTime/10)
	defer cancel()
	return s.p.fetchErrors(s.tx.PollFetches(ctx))
}

// beat sends a heartbeat of our own, in a generation of the group.
func (s *session) beat(ctx context.Context, generation int32) error {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.Generation = s.p.o.Group, generation
	req.MemberID, _ = s.tx.Client().GroupMetadata()
	instanceID, _ := s.p.names(s.k)
	req.InstanceID = &instanceID
	resp, err := req.RequestWith(ctx, s.tx.Client())
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}

// runExactlyOnce runs the sessions until ctx ends or one of them fails, and drains them.
func (p *Processor) runExactlyOnce(ctx context.Context) error {
	drainCtx, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	p.health.Begin(giveUp)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, p.o.Sessions)
	for k := range p.o.Sessions {
		go func() { ended <- p.runSession(ctx, drainCtx, k) }()
	}
	var looking sync.WaitGroup
	looking.Go(func() { p.abortLeftovers(ctx) })
	defer looking.Wait()
	done := p.drainDeadline(ctx, giveUp)
	var err error
	for range p.o.Sessions {
		if e := <-ended; err == nil || !isStateError(e) { // one line suffices
			err = errors.Join(err, e)
		}
		cancel() // one that ends for good ends the others
	}
	return errors.Join(err, p.refusal(drainCtx), done())
}
