package processor

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// A session asks for its transactional id a few times if a broker does not accept us, and waits in between. It takes nothing
// else as a reason to ask again.
//
// Guards: each term of takeID.
func TestTakeID(t *testing.T) {
	refusal := verdict{errors.New("certificate expired"), true}
	for name, c := range map[string]struct{ stop, took time.Duration }{
		"refused": {time.Hour, 1500 * time.Millisecond}, // 0.1, 0.2, 0.4 and 0.8 s between five times
		"stopped": {200 * time.Millisecond, 200 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := quietSession(t, func(p *Processor) {
				p.o.ClientOpts = []kgo.Opt{kgo.Dialer(func(context.Context, string, string) (net.Conn, error) { return nil, refusal })}
			})
			ctx, cancel := context.WithTimeout(t.Context(), c.stop)
			defer cancel()
			began := time.Now()
			if err := s.takeID(ctx); !errors.Is(err, refusal) || time.Since(began) != c.took {
				t.Errorf("%s: %v after %v, want the refusal after %v", name, err, time.Since(began), c.took)
			}
		})
	}
	inBubble(t, 1, func(t *testing.T, c *processortest.Cluster) {
		p, err := New(exactlyOnce(c))
		if err != nil {
			t.Fatal(err)
		}
		s, began := openSession(t, p), time.Now()
		if err := s.takeID(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("accepted: %v after %v", err, time.Since(began))
		}
	})
}

// A session that fails is followed by another one, after a wait that grows, so often in a row. One that has committed, or that
// kept its place for long, begins the row anew.
//
// Guards: tries, fails and steady in runSession.
func TestSessionsInARow(t *testing.T) {
	t.Parallel()
	inBubble(t, 1, func(t *testing.T, c *processortest.Cluster) {
		const second = time.Second
		plan := []struct {
			commits bool          // a transaction before it fails
			holds   time.Duration // its place
			wait    time.Duration // before the next one
		}{
			{wait: second / 10}, {wait: second / 5},
			{commits: true, wait: second / 10}, {wait: second / 5}, {wait: 2 * second / 5},
			{holds: time.Minute / 2, wait: second / 10}, {wait: second / 5}, {wait: 2 * second / 5}, {wait: 4 * second / 5},
			{wait: second}, {wait: second}, {wait: second}, {wait: second},
			{}, // the ninth that fails in a row is the last one
		}
		var began, failed []time.Time
		var n atomic.Int64 // sessions that have begun
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Observe: true, Count: -1, When: func(kmsg.Request) bool {
			if len(began) == len(failed) { // the first time
				began = append(began, time.Now())
				n.Add(1)
			}
			return true
		}})
		var passed kmsg.Request
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.OffsetMetadataTooLarge, Count: -1, When: func(r kmsg.Request) bool {
			if plan[len(began)-1].commits && (passed == nil || passed == r) {
				passed = r
				return false
			}
			if len(failed) < len(began) { // it asks more than once of each request
				failed = append(failed, time.Now())
			}
			return true
		}})
		o := exactlyOnce(c)
		o.MaxRecordsPerSecond = 10 // one record in each transaction
		r := start(t, o, holding(func(*detection.Record) { time.Sleep(plan[n.Load()-1].holds) }))
		c.ProduceValues(inputTopic, 1, values(3, "alert %d")...)
		mustMention(t, r.wait(), "session 0", "OFFSET_METADATA_TOO_LARGE")
		if len(began) != len(plan) || len(failed) != len(plan) {
			t.Fatalf("%d sessions, of which %d failed, want %d", len(began), len(failed), len(plan))
		}
		for i, at := range failed[:len(failed)-1] {
			if wait := began[i+1].Sub(at); wait != plan[i].wait {
				t.Errorf("after session %d the next one waits for %v, want %v", i+1, wait, plan[i].wait)
			}
		}
	})
}

// A session that lost its place asks the group who has it, about ten times in a second, and takes no record meanwhile. It was not replaced
// if it may have taken its place itself.
//
// Guards: each line of replaced and pollError.
func TestReplaced(t *testing.T) {
	t.Parallel()
	fenced := kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.FencedInstanceID, Count: -1}
	for name, c := range map[string]struct {
		change   func(*session)
		fault    kfake.Fault
		took     time.Duration
		replaced bool
	}{
		"still a member": {func(*session) {}, kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Observe: true, Count: -1}, takeoverTime, false},
		"replaced":       {func(*session) {}, fenced, takeoverTime / 10, true},
		"in trouble":     {func(s *session) { s.p.health.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, io.EOF) }, fenced, takeoverTime / 10, false},
		"joined again":   {func(s *session) { s.member = "before" }, fenced, takeoverTime / 10, false},
	} {
		inBubble(t, 1, func(t *testing.T, cluster *processortest.Cluster) {
			o := exactlyOnce(cluster)
			o.ClientOpts = append(o.ClientOpts, kgo.HeartbeatInterval(o.SessionTimeout-time.Second)) // the client's own come too late, but for the first
			p, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			own := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Observe: true, Count: -1})
			s := openSession(t, p)
			cluster.Eventually("in the group", func() bool { return len(p.health.Group()) == 1 })
			cluster.Eventually("the client's first heartbeat", func() bool { return own.Hits() == 1 })
			newTransaction(s, false)
			c.change(s)
			beats, began := cluster.Fault(c.fault), time.Now()
			if replaced := s.replaced(); replaced != c.replaced || time.Since(began) != c.took {
				t.Errorf("%s: %t after %v, want %t after %v", name, replaced, time.Since(began), c.replaced, c.took)
			}
			if n := beats.Hits() * int(takeoverTime/c.took); n < 9 || n > 10 { // the tenth may come too late
				t.Errorf("%s: it asked %d times in %v", name, n, c.took)
			}
			if paused := s.tx.Client().PauseFetchTopics(); !slices.Equal(paused, []string{inputTopic}) {
				t.Errorf("%s: paused %q", name, paused)
			}
		})
	}
}
