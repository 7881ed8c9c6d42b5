package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/broker"
)

// reachPatience is the time limit for each step of Reach, while a user waits.
const reachPatience = 5 * time.Second

// Obstacle is why the brokers cannot be reached, with its remedy.
type Obstacle struct {
	Step Step // the refused step
}

// Error returns the obstacle on one line. Texts from brokers may contain line breaks.
func (o *Obstacle) Error() string {
	text := "reaching the brokers: "
	if !strings.Contains(o.Step.Error, o.Step.Of) {
		text += o.Step.Of + ": "
	}
	if o.Step.Detail != "" { // who we authenticate as
		text += o.Step.Detail + ": "
	}
	return text + o.Step.Error + ": " + o.Step.Remedy
}

// Reach runs the steps of [Run] before topics: name resolution, connection, TLS, authentication and the advertised
// addresses. It returns nil if one broker accepts us and one can be reached, else an [Obstacle], or the error of ctx.
// It lets a command report the reason within seconds, where a client would keep retrying.
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

// obstacle returns the last refused step, unless a broker could be reached in the end. Of several addresses, it reports
// the one that got farthest.
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
	if last == nil { // the cluster lists no brokers
		return nil
	}
	return &Obstacle{*last}
}
