package progress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Health knows whether the group has given us our partitions, whether the brokers answer, and when to give up
// on brokers that refuse us. It is a hook of every client.
type Health struct {
	Patience  time.Duration // how long brokers may be silent; read-only once in use
	Clients   int           // how many members of the group there have to be; read-only
	rebalance time.Duration // how much longer the group may be, while it rebalances

	mu       sync.Mutex
	state    string                           // what is missing before the first assignment
	members  map[*kgo.Client][]kadm.Partition // by client that has been assigned
	answered time.Time                        // when a broker last did
	grouped  time.Time                        // when one last answered a member of the group
	failed   time.Time                        // when a connection last failed
	missing  string                           // topics that do not exist, as a phrase; empty if none
	giveUp   func(error)                      // ends the clients; nil before there are any
}

var (
	_ kgo.HookBrokerRead    = (*Health)(nil)
	_ kgo.HookBrokerConnect = (*Health)(nil)
)

// NewHealth returns the health of clients members of the group, whose brokers may be silent for patience, and the group
// for longer by rebalance.
func NewHealth(clients int, patience, rebalance time.Duration) *Health {
	return &Health{
		Patience:  patience,
		Clients:   clients,
		rebalance: rebalance,
		state:     "not started",
		members:   make(map[*kgo.Client][]kadm.Partition),
	}
}

// Begin tells that the brokers have answered, and how to end the clients that are made now.
func (h *Health) Begin(giveUp func(error)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state, h.giveUp = "", giveUp
	h.answered, h.grouped = time.Now(), time.Now()
}

// Waiting says what Run is waiting for before it can join the group.
func (h *Health) Waiting(state string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = state
}

// Assigned tells which partitions a client has; none is a valid number.
func (h *Health) Assigned(client *kgo.Client, partitions iter.Seq[kadm.Partition]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.members[client] = slices.Collect(partitions)
}

// Lost tells that a client is no member of the group any more.
func (h *Health) Lost(client *kgo.Client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.members, client)
}

// SetMissing sets the topics that do not exist, as a phrase; empty means none.
func (h *Health) SetMissing(topics string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.missing = topics
}

// OnBrokerRead implements kgo.HookBrokerRead: heartbeats alone make it an answer every session. What a broker says
// before it lets us in is none: one that refuses our password says it too.
func (h *Health) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.fail(err)
		return
	}
	switch kmsg.Key(key) {
	case kmsg.ApiVersions, kmsg.SASLHandshake, kmsg.SASLAuthenticate:
		return
	case kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat:
		h.grouped = time.Now()
	}
	h.answered = time.Now()
}

// OnBrokerConnect implements kgo.HookBrokerConnect. It gives the clients up where a broker refuses us and none, or
// none that speaks for the group, has answered for long. Nothing else knows: whoever meets a refusal may have met the
// one broker of several, which does not end the work with the others; and an alert that was on its way when the brokers
// ceased to trust us, which the client tries again for ever, because it may have been written, keeps its worker and
// with that the group's session.
func (h *Health) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail(err)
	if !retry.IsAuthFailure(err) {
		return
	}
	silent := time.Since(h.answered) > h.Patience || time.Since(h.grouped) > h.Patience+h.rebalance
	if silent && h.giveUp != nil {
		h.giveUp(err)
	}
}

// fail tells how a connection ended, or did not come about; h is locked.
func (h *Health) fail(err error) {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) || errors.Is(err, kgo.ErrClientClosed) {
		return // we have ended it
	}
	h.failed = time.Now()
}

// GiveUp ends the clients because of err.
func (h *Health) GiveUp(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.giveUp != nil {
		h.giveUp(err)
	}
}

// Troubled reports whether connections to brokers have failed of late.
func (h *Health) Troubled() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Since(h.failed) <= h.Patience
}

// Held reports whether a member that began then has kept its place for long, so that trouble now has nothing to do with
// trouble before. Another process with the same instance id, which takes the place back, does not let it.
func (h *Health) Held(began time.Time) bool { return time.Since(began) > h.Patience }

// Ready returns nil, or what is missing.
func (h *Health) Ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch silence := time.Since(h.answered); {
	case h.state != "":
		return errors.New(h.state)
	case h.missing != "":
		return errors.New("missing " + h.missing)
	case len(h.members) < h.Clients:
		return fmt.Errorf("%d of %d group members have their partitions", len(h.members), h.Clients)
	case silence > h.Patience:
		return fmt.Errorf("no broker has answered for %v", silence.Round(time.Second))
	}
	return nil
}

// Partitions returns how many are assigned.
func (h *Health) Partitions() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, partitions := range h.members {
		n += len(partitions)
	}
	return n
}

// Assignment returns the partitions that are assigned, in no order.
func (h *Health) Assignment() (all []kadm.Partition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, partitions := range h.members {
		all = append(all, partitions...)
	}
	return all
}

// Connected reports whether a broker has answered.
func (h *Health) Connected() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.answered.IsZero()
}

// Group returns the members that have been assigned their partitions, by id.
func (h *Health) Group() (members []Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for client := range h.members {
		if id, generation := client.GroupMetadata(); id != "" {
			members = append(members, Member{id, generation})
		}
	}
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	return members
}

// Member is a member of the consumer group.
type Member struct {
	ID         string
	Generation int32 // grows with each rebalance
}
