package bench

import (
	"context"
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// pass is what it took a contender to read all records once.
type pass struct {
	cpu, wall time.Duration
	memory    uint64
}

// measure lets read read all records with a new group.
func (b *bench) measure(ctx context.Context, read func(context.Context, string) (time.Duration, error)) (p pass, err error) {
	group := fmt.Sprintf("%s-%d", b.name, len(b.groups))
	b.groups = append(b.groups, group)
	debug.FreeOSMemory() // what the one before left is not this one's
	peak := watchMemory()
	before := cpuTime()
	p.wall, err = read(ctx, group)
	p.cpu = cpuTime() - before
	p.memory = peak()
	return p, err
}

// memorySample is what the process has from the system, and of it what it gave back.
var memorySample = []string{"/memory/classes/total:bytes", "/memory/classes/heap/released:bytes"}

// memory returns how much the process has from the system, in bytes.
func memory() uint64 {
	samples := []metrics.Sample{{Name: memorySample[0]}, {Name: memorySample[1]}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// watchMemory looks at the memory until the function that it returns is called, which returns the most that it saw.
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

// stall ends what does not move any more: all that a measurement starts waits without end for brokers that are gone.
// Its timer has ended with stop.
type stall struct {
	timer *time.Timer
	after time.Duration
}

// watchStall calls cancel once nothing has moved for that long.
func watchStall(after time.Duration, cancel func(error)) *stall {
	return &stall{after: after, timer: time.AfterFunc(after, func() {
		cancel(fmt.Errorf("nothing moved for %v: do the brokers answer?", after))
	})}
}

// moved tells that something has. Any goroutine may.
func (s *stall) moved() { s.timer.Reset(s.after) }

func (s *stall) stop() { s.timer.Stop() }
