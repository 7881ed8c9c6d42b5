package deadletters

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// cutter drops the connections of the clients that it is given to.
type cutter struct{ cut atomic.Bool }

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.cut.Load() {
		return nil, errors.New("cut")
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	return cutConn{conn, c}, err
}

type cutConn struct {
	net.Conn
	c *cutter
}

// Read fails once it is cut.
func (c cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.c.cut.Load() {
		_ = c.Close()
		return 0, errors.New("cut")
	}
	return n, err
}

// A replay that dies between producing and committing, or between the commit and its answer, has replayed all of a
// transaction or nothing; the next one replays the rest, once.
//
// Guard: markers are in the transaction, the id is taken before the ledger is read.
func TestReplayCrash(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]kmsg.Key{"before the commit": kmsg.Produce, "before its answer": kmsg.EndTxn} {
		for _, to := range []Destination{ToDecision, ToInput} {
			t.Run(name+", "+to.String(), func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				s.fail(10)
				var c cutter
				s.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
					c.cut.Store(true)
					return nil, nil, false // it is carried out, and the answer is lost
				})
				ctx, cancel := context.WithCancel(t.Context())
				died := make(chan struct{})
				go func() {
					defer close(died)
					r := s.replay(func(r *Replay) { r.To, r.Topic = to, s.topic(kgo.Dialer(c.dial), kgo.RetryTimeout(time.Second)) })
					r.Options.TransactionTimeout = 2 * time.Second
					r.Options.DeliveryTimeout = time.Second
					if a, err := r.Run(ctx); err == nil {
						t.Errorf("the dying replay returns no error: %+v", a)
					}
				}()
				s.Eventually("cut", c.cut.Load)
				want := 10
				if key == kmsg.EndTxn {
					want = 0
				}
				s.mustReplay(want, func(r *Replay) { r.To = to })
				s.mustReplay(0, func(r *Replay) { r.To = to })
				cancel()
				<-died
				if to == ToInput {
					s.run(0)
				}
				s.mustAlertOnce(10)
			})
		}
	}
}

// Of two replays at a time the newer one goes on; none replays what the other has.
//
// Guard: newWriter takes the id before anything is read.
func TestReplayIsAlone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.fail(20)
	held, begun := make(chan struct{}), make(chan struct{})
	begin := once(func() { close(begun) })
	slow := s.replay()
	slow.Topic.Progress = func(int64, int64) {
		begin()
		<-held
	}
	done := make(chan error, 1)
	go func() {
		_, err := slow.Run(context.Background())
		done <- err
	}()
	<-begun // it has its id, and has read of the ledger that it is empty
	s.mustReplay(20)
	close(held)
	if err := <-done; !errors.Is(err, ErrReplaced) {
		t.Errorf("the older one ends with %v, want ErrReplaced", err)
	}
	s.mustAlertOnce(20)
}
