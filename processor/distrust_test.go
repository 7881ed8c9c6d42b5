package processor

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// distrusting is a dialer whose broker and we can cease to trust each other.
type distrusting struct {
	mu     sync.Mutex
	reason error
	open   []net.Conn
}

// dial connects, or says why not.
func (d *distrusting) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reason != nil {
		return nil, d.reason
	}
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		d.open = append(d.open, c)
	}
	return c, err
}

// set ends the connections, and new ones for the reason; nil means none.
func (d *distrusting) set(reason error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reason = reason
	for _, c := range d.open {
		_ = c.Close()
	}
	d.open = nil
}

// verdict is an error of a dialer that knows whether it passes.
type verdict struct {
	error
	refused bool
}

func (v verdict) Refused() bool   { return v.refused }
func (v verdict) Temporary() bool { return !v.refused }

// What a dialer knows not to change ends Run, at the start and later, with the reason; what may pass is
// waited for.
//
// Guard: isRefusal asks the error.
func TestDistrust(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			d := &distrusting{reason: verdict{errors.New("unknown authority"), true}}
			options := func() Options {
				o := testOptions(c)
				o.Delivery, o.InstanceID, o.Sessions = delivery, "one", 1
				o.ClientOpts = []kgo.Opt{kgo.Dialer(d.dial)}
				return o
			}
			mustMention(t, start(t, options()).wait(), "unknown authority")

			d.set(verdict{errors.New("closed the connection"), false})
			r := start(t, options())
			c.Eventually("waiting", func() bool { return hasText(&kgo.Record{Value: []byte(r.Ready().Error())}, "closed the connection") })
			d.set(nil)
			c.Eventually("ready", func() bool { return r.Ready() == nil })
			d.set(verdict{errors.New("closed the connection"), false})
			c.ProduceValues(inputTopic, 1, "alert 1")
			d.set(nil)
			c.Read(alertTopic, 1)

			d.set(verdict{errors.New("certificate expired"), true})
			mustMention(t, r.wait(), "certificate expired")
		})
	}
}
