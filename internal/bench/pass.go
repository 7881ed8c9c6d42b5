package bench

import (
	"context"
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// pass is the cost of one contender reading all records once.
type pass struct {
	cpu, wall time.Duration
	memory    uint64
}

// measure runs read with a new group.
func (b *bench) measure(ctx context.Context, read func(context.Context, string) (time.Duration, error)) (p pass, err error) {
	group := fmt.Sprintf("%s-%d", b.name, len(b.groups))
	b.groups = append(b.groups, group)
	debug.FreeOSMemory() // memory left by the previous pass
	peak := watchMemory()
	before := cpuTime()
	p.wall, err = read(ctx, group)
	p.cpu = cpuTime() - before
	p.memory = peak()
	return p, err
}

// memorySample names the metrics for memory obtained from the system and for the part returned to it.
var memorySample = []string{"/memory/classes/total:bytes", "/memory/classes/heap/released:bytes"}

// memory returns the memory obtained from the system, in bytes.
func memory() uint64 {
	samples := []metrics.Sample{{Name: memorySample[0]}, {Name: memorySample[1]}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// watchMemory samples the memory until peak is called; peak returns the maximum.
func watchMemory() (peak func() uint64) {
	stop, result := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		most := memory()
		for {
			select {
			case <-tick.C:
				most = max(most, memory())
			case <-stop:
				result <- max(most, memory())
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-result
	}
}

// stall cancels a measurement without progress, which would otherwise wait forever for brokers that are gone. stop ends
// its timer.
type stall struct {
	timer *time.Timer
	after time.Duration
}

// watchStall calls cancel after the given time without progress. The error ends with what state returns.
func watchStall(after time.Duration, cancel func(error), state func() string) *stall {
	return &stall{after: after, timer: time.AfterFunc(after, func() {
		cancel(fmt.Errorf("no progress for %v: do the brokers answer? (%s)", after, state()))
	})}
}

// moved reports progress. It is safe for concurrent use.
func (s *stall) moved() { s.timer.Reset(s.after) }

func (s *stall) stop() { s.timer.Stop() }

// liveMemory returns the memory of objects in use, in bytes, as of the last garbage collection.
func liveMemory() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
