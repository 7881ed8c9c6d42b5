package integration

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The delivery modes, as the flag has them.
const (
	atLeastOnce = "at-least-once"
	exactlyOnce = "exactly-once"
)

// load produces numbered records at a steady rate, spread evenly over the partitions, until it is stopped.
type load struct {
	scene  *scene
	ledger *ledger
	// partition is where the record with a number goes.
	partition func(n int) int32

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// startLoad begins a load of rate records a second.
func startLoad(t *testing.T, s *scene, l *ledger, rate int, partition func(n int) int32) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	if partition == nil {
		partition = func(n int) int32 { return int32(n) % s.partitions }
	}
	o := &load{scene: s, ledger: l, partition: partition, cancel: cancel}
	o.done.Go(func() { o.run(ctx, rate) })
	t.Cleanup(func() {
		cancel()
		o.done.Wait()
	})
	return o
}

func (o *load) run(ctx context.Context, rate int) {
	const interval = 10 * time.Millisecond
	tick := time.NewTicker(interval)
	defer tick.Stop()
	began, produced := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for due := int(now.Sub(began).Seconds() * float64(rate)); produced < due; produced++ {
				o.produce()
			}
		}
	}
}

// produce does not end with the load: what has been handed to the producer is waited for.
func (o *load) produce() {
	n, value := numbered(o.ledger)
	record := &kgo.Record{
		Topic: o.scene.input, Partition: o.partition(n), Key: strconv.AppendInt(nil, int64(n), 10), Value: []byte(value),
	}
	o.scene.client.Produce(context.Background(), record, func(_ *kgo.Record, err error) {
		if err != nil {
			o.ledger.note("producing number %d: %v", n, err)
			return
		}
		o.ledger.acknowledged(n)
	})
}

// stop ends the load and returns when the broker has acknowledged all of it.
func (o *load) stop(t *testing.T) {
	t.Helper()
	o.cancel()
	o.done.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := o.scene.client.Flush(ctx); err != nil {
		t.Fatalf("the load is not acknowledged: %v", err)
	}
}
