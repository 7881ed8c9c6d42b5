package processor

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// health knows whether the group has given us our partitions, and whether the brokers answer. It is a
// hook of every client.
type health struct {
	patience time.Duration // how long brokers may be silent

	mu       sync.Mutex
	state    string                           // what is missing before the first assignment
	members  map[*kgo.Client][]topicPartition // by client that has been assigned
	clients  int                              // that have to be
	answered time.Time                        // when a broker last did
}

var _ kgo.HookBrokerRead = (*health)(nil)

func newHealth(o *Options) *health {
	clients := 1
	if o.Delivery == ExactlyOnce {
		clients = o.Sessions
	}
	return &health{
		patience: 2*o.SessionTimeout + requestOverhead,
		state:    "not started",
		members:  make(map[*kgo.Client][]topicPartition),
		clients:  clients,
	}
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

// OnBrokerRead implements kgo.HookBrokerRead: heartbeats alone make it an answer every session.
func (h *health) OnBrokerRead(_ kgo.BrokerMetadata, _ int16, _ int, _, _ time.Duration, err error) {
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answered = now()
}

// ready returns nil, or what is missing.
func (h *health) ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch silence := now().Sub(h.answered); {
	case h.state != "":
		return errors.New(h.state)
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

// now is the clock of health and metrics; nothing that is decided depends on it.
var now = time.Now
