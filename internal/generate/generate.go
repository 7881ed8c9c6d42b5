// Package generate writes sample CloudTrail events to lines, a folder or a topic, and reports what must be found in them.
package generate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// Drain bounds how long writing the records already made may take after a signal to stop.
const Drain = 20 * time.Second

// Writer takes generated records. It is used by one goroutine.
type Writer interface {
	Name() string // for display
	Write(ctx context.Context, r *sample.Record) error
	Close() error    // flushes the remaining records
	Written() uint64 // number of records written or acknowledged; final after Close
}

// Run makes and writes records until there are count of them, ctx ends or writing fails. A count of 0 never ends; a rate
// of 0 is unlimited. It calls made after each record.
func Run(ctx context.Context, g *sample.Generator, out Writer, count int64, rate float64, made func()) error {
	pace := NewPace(rate)
	for i := int64(0); count == 0 || i < count; i++ {
		if !pace.Wait(ctx) {
			return nil
		}
		if err := out.Write(ctx, g.Next()); err != nil {
			return err
		}
		made()
	}
	return nil
}

// Shapes parses the values of --shape. The error lists every mistake.
func Shapes(texts []string) (shapes []cloudtrail.Chain, err error) {
	for _, text := range texts {
		chain, fault := sample.ParseShape(text)
		if fault != nil {
			err = errors.Join(err, fmt.Errorf("flag --shape: %w", fault))
		}
		shapes = append(shapes, chain)
	}
	return shapes, err
}

// UsedRegions returns some regions for ordinary traffic, none of them unused.
func UsedRegions(unused []string) []string {
	var used []string
	for _, region := range []string{"us-east-1", "us-west-2", "eu-west-1", "ap-southeast-2", "ca-central-1", "eu-north-1", "sa-east-1"} {
		if !slices.Contains(unused, region) && len(used) < 4 {
			used = append(used, region)
		}
	}
	for _, region := range policy.DefaultUnusedRegions {
		if len(used) == 0 && !slices.Contains(unused, region) {
			used = append(used, region)
		}
	}
	return used
}

// Pace spreads work evenly over time.
type Pace struct {
	rate  float64 // per second; 0 is unlimited
	start time.Time
	n     float64
}

// NewPace returns a pace of rate pieces of work per second; 0 is unlimited.
func NewPace(rate float64) *Pace { return &Pace{rate: rate, start: time.Now()} }

// Wait waits until the next piece of work is due. It returns false when ctx has ended.
func (p *Pace) Wait(ctx context.Context) bool {
	if p.rate > 0 {
		due := p.start.Add(time.Duration(p.n / p.rate * float64(time.Second)))
		p.n++
		if early := time.Until(due); early > time.Millisecond {
			select {
			case <-ctx.Done():
			case <-time.After(early):
			}
		}
	}
	return ctx.Err() == nil
}
