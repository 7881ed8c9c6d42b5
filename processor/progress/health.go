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

// Health knows whether the group has assigned our partitions, whether the brokers answer, and when to give up on
// brokers that refuse us. It is a hook of every client.
type Health struct {
	Patience  time.Duration // how long brokers may be silent; read-only once in use
	Clients   int           // how many members of the group there must be; read-only
	rebalance time.Duration // how much longer the group may be silent while it rebalances

	mu       sync.Mutex
	state    string                           // what is missing before the first assignment
	members  map[*kgo.Client][]kadm.Partition // by client that has an assignment
	answered time.Time                        // when a broker last answered
	grouped  time.Time                        // when one last answered a member of the group
	failed   time.Time                        // when a connection last failed
	missing  string                           // topics that do not exist, as a phrase; empty if none
	giveUp   func(error)                      // ends the clients; nil before there are any
}

var (
	_ kgo.HookBrokerRead    = (*Health)(nil)
	_ kgo.HookBrokerConnect = (*Health)(nil)
)

// NewHealth returns the health of a number of clients in the group. Brokers may be silent for patience, and the group
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

// Begin records that the brokers have answered, and how to end the clients that are made now.
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

// Assigned records which partitions a client has; it may have none.
func (h *Health) Assigned(client *kgo.Client, partitions iter.Seq[kadm.Partition]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.members[client] = slices.Collect(partitions)
}

// Lost records that a client has left the group.
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

// OnBrokerRead implements kgo.HookBrokerRead: heartbeats alone make it an answer every session. Answers before
// authentication don't count: a broker that rejects our password gives them too.
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

// OnBrokerConnect implements kgo.HookBrokerConnect. It gives up the clients if a broker refuses us and none, or none
// that speaks for the group, has answered for long. This is the only place that can decide so. A caller that is refused
// may have asked one broker of several, and the work goes on with the others. And when authentication starts to fail,
// the client retries an alert in flight for ever, because it may have been written; that keeps its worker, and with it
// the group's session.
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

// fail records how a connection ended or failed to open; h is locked.
func (h *Health) fail(err error) {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) || errors.Is(err, kgo.ErrClientClosed) {
		return // we have ended it ourselves
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

// Troubled reports whether connections to brokers have failed recently.
func (h *Health) Troubled() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Since(h.failed) <= h.Patience
}

// Held reports whether a member that joined then has kept its place for long, so that trouble now is unrelated to
// trouble before. Another process with the same instance id prevents that by taking the place back.
func (h *Health) Held(began time.Time) bool { return time.Since(began) > h.Patience }

// Ready returns nil, or what is missing.
func (h *Health) Ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch silence := time.Since(h.answered); {
	case h.state != "":
		return errors.New(h.state)
	case silence > h.Patience: // the other things that are missing may follow from it
		return fmt.Errorf("%w for %v", ErrSilence, silence.Round(time.Second))
	case h.missing != "":
		return errors.New("missing " + h.missing)
	case len(h.members) < h.Clients:
		return fmt.Errorf("%d of %d group members have their partitions", len(h.members), h.Clients)
	}
	return nil
}

// ErrSilence is why [Health.Ready] says no while the brokers do not answer.
var ErrSilence = errors.New("no broker has answered")

// Partitions returns the number of assigned partitions.
func (h *Health) Partitions() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, partitions := range h.members {
		n += len(partitions)
	}
	return n
}

// Assignment returns the assigned partitions, in no particular order.
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

// Group returns the members with an assignment, by id.
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
