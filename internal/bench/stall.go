package bench

import (
	"fmt"
	"time"
)

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
