package processor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// health knows whether the group has given us our partitions, whether the brokers answer, and when to give up
// on brokers that refuse us. It is a hook of every client.
type health struct {
	patience  time.Duration // how long brokers may be silent
	rebalance time.Duration // how much longer the group may be, while it rebalances

	mu       sync.Mutex
	state    string                           // what is missing before the first assignment
	members  map[*kgo.Client][]topicPartition // by client that has been assigned
	clients  int                              // that have to be
	answered time.Time                        // when a broker last did
	grouped  time.Time                        // when one last answered a member of the group
	failed   time.Time                        // when a connection last failed
	missing  []string                         // topics that do not exist
	giveUp   func(error)                      // ends the clients; nil before there are any
}

var (
	_ kgo.HookBrokerRead    = (*health)(nil)
	_ kgo.HookBrokerConnect = (*health)(nil)
)

func newHealth(o *Options) *health {
	clients := 1
	if o.Delivery == ExactlyOnce {
		clients = o.Sessions
	}
	return &health{
		patience:  2*o.SessionTimeout + requestOverhead,
		rebalance: o.RebalanceTimeout,
		state:     "not started",
		members:   make(map[*kgo.Client][]topicPartition),
		clients:   clients,
	}
}

// begin tells that the brokers have answered, and how to end the clients that are made now.
func (h *health) begin(giveUp func(error)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state, h.giveUp = "", giveUp
	h.answered, h.grouped = now(), now()
}

// waiting says what Run is waiting for before it can join the group.
func (h *health) waiting(state string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = state
}

// assigned tells which partitions a client has; none is a valid number.
func (h *health) assigned(client *kgo.Client, partitions iter.Seq[topicPartition]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.members[client] = slices.Collect(partitions)
}

// lost tells that a client is no member of the group any more.
func (h *health) lost(client *kgo.Client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.members, client)
}

// setMissing says which topics do not exist.
func (h *health) setMissing(topics map[string]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.missing = slices.Sorted(maps.Keys(topics))
}

// OnBrokerRead implements kgo.HookBrokerRead: heartbeats alone make it an answer every session. What a broker says
// before it lets us in is none: one that refuses our password says it too.
func (h *health) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
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
		h.grouped = now()
	}
	h.answered = now()
}

// OnBrokerConnect implements kgo.HookBrokerConnect. It gives the clients up where a broker refuses us and none, or
// none that speaks for the group, has answered for long. Nothing else knows: whoever meets a refusal may have met the
// one broker of several, which does not end the work with the others; and an alert that was on its way when the brokers
// ceased to trust us, which the client tries again for ever, because it may have been written, keeps its worker and
// with that the group's session.
func (h *health) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail(err)
	if !isDistrust(err) {
		return
	}
	silent := now().Sub(h.answered) > h.patience || now().Sub(h.grouped) > h.patience+h.rebalance
	if silent && h.giveUp != nil {
		h.giveUp(err)
	}
}

// fail tells how a connection ended, or did not come about; h is locked.
func (h *health) fail(err error) {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) || errors.Is(err, kgo.ErrClientClosed) {
		return // we have ended it
	}
	h.failed = now()
}

// troubled reports whether connections to brokers have failed of late.
func (h *health) troubled() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now().Sub(h.failed) <= h.patience
}

// held reports whether a member that began then has kept its place for long, so that trouble now has nothing to do with
// trouble before. Another process with the same instance id, which takes the place back, does not let it.
func (h *health) held(began time.Time) bool { return now().Sub(began) > h.patience }

// ready returns nil, or what is missing.
func (h *health) ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch silence := now().Sub(h.answered); {
	case h.state != "":
		return errors.New(h.state)
	case len(h.missing) > 0:
		return fmt.Errorf("missing %s", quoteTopics(h.missing))
	case len(h.members) < h.clients:
		return fmt.Errorf("%d of %d group members have their partitions", len(h.members), h.clients)
	case silence > h.patience:
		return fmt.Errorf("no broker has answered for %v", silence.Round(time.Second))
	}
	return nil
}

// partitions returns how many are assigned.
func (h *health) partitions() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, partitions := range h.members {
		n += len(partitions)
	}
	return n
}

// assignment returns the partitions that are assigned, in no order.
func (h *health) assignment() (all []topicPartition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, partitions := range h.members {
		all = append(all, partitions...)
	}
	return all
}

// connected reports whether a broker has answered.
func (h *health) connected() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.answered.IsZero()
}

// group returns the members that have been assigned their partitions, by id.
func (h *health) group() (members []Member) {
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

// now is the clock of health and metrics; nothing that is decided depends on it.
var now = time.Now
