package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/broker"
)

// reachPatience bounds each step of Reach: a person waits for it.
const reachPatience = 5 * time.Second

// Obstacle is what stands between us and the brokers, with what to do about it.
type Obstacle struct {
	Step Step // that was refused
}

// Error returns the obstacle on one line, as far as what brokers say is one.
func (o *Obstacle) Error() string {
	text := "reaching the brokers: "
	if !strings.Contains(o.Step.Error, o.Step.Of) {
		text += o.Step.Of + ": "
	}
	if o.Step.Detail != "" { // as whom we authenticate
		text += o.Step.Detail + ": "
	}
	return text + o.Step.Error + ": " + o.Step.Remedy
}

// Reach goes as far as [Run] goes before it looks at topics: names, connections, TLS, authentication, and the addresses
// that brokers advertise. It returns nil where one broker lets us in and one can be reached, else an [Obstacle], or the
// error of ctx. A command that asks first ends in a few seconds with the reason, where a client would try again.
func Reach(ctx context.Context, c *broker.Connection) error {
	k := newChecker(&Options{Connection: c}, reachPatience)
	if alive := k.reach(ctx); len(alive) > 0 && k.connect(ctx, alive) {
		defer k.client.Close()
		k.brokers(ctx)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("reaching the brokers: %w", err)
	}
	return k.report.obstacle()
}

// obstacle returns the last step that was refused, unless a broker could be reached in the end: of several addresses it
// is of the one with which we came farthest.
func (r *Report) obstacle() error {
	var last *Step
	for i := range r.Steps {
		switch s := &r.Steps[i]; {
		case s.Name == stepBrokers && s.Status == OK:
			return nil
		case s.Status == Refused:
			last = s
		}
	}
	if last == nil { // a cluster that names no broker at all
		return nil
	}
	return &Obstacle{*last}
}
