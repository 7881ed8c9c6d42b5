// Package bench measures what the pipeline costs, against a consumer that only reads: both read the same records from
// the same brokers, in turn, in one process, so that only the pipeline is between them.
//
// It works on topics of its own, which it makes, fills and deletes, and reads with groups of its own, which it deletes
// too: nothing of what else the brokers hold is read or written. What it reports is the median of several rounds, and
// the ratios within one run are what to go by; machines and brokers differ.
//
// Every goroutine that it starts has ended when [Run] returns.
package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/processor"
)

// Row is what one contender takes, the median of its rounds.
type Row struct {
	Name string
	// CPU is the processor time of this process for a million records. What the brokers take is not in it, unless they
	// are in this process too. It is 0 where the system does not tell.
	CPU time.Duration
	// Rate is records a second, from the first record to the last. It is 0 where that is not known, because a round
	// read all at once.
	Rate float64
	// Memory is the most that the process had from the system at a time, in bytes.
	Memory uint64
}

// Report is what was measured: the bare consumer first, then each delivery mode.
type Report struct {
	Rows       []Row
	Bytes      int64 // of the values of all records
	Partitions int
}

// The contenders, in the order of the rows.
const (
	BareConsumer = "bare consumer"
	AtLeastOnce  = "at least once"
	ExactlyOnce  = "exactly once"
)

// contender is something that reads all records.
type contender struct {
	name string
	read func(ctx context.Context, group string) (time.Duration, error)
	took []pass
}

// Run makes the topics, fills them, lets each contender read them in turn, and deletes them. What it had to leave
// behind is in the error.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	b, err := open(&o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close(context.WithoutCancel(ctx))) }()
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	all := []*contender{
		{name: BareConsumer, read: b.readBare},
		{name: AtLeastOnce, read: b.readWith(processor.AtLeastOnce)},
		{name: ExactlyOnce, read: b.readWith(processor.ExactlyOnce)},
	}
	for round := range o.Rounds {
		for _, c := range all {
			o.Step(fmt.Sprintf("round %d of %d: %s", round+1, o.Rounds, c.name))
			p, err := b.measure(ctx, c.read)
			if err != nil {
				return nil, fmt.Errorf("measuring %s: %w", c.name, err)
			}
			c.took = append(c.took, p)
		}
	}
	report = &Report{Bytes: b.bytes, Partitions: b.partitions}
	for _, c := range all {
		report.Rows = append(report.Rows, c.row(o.Records))
	}
	return report, nil
}

// row returns the medians of a contender.
func (c *contender) row(records int) Row {
	row := Row{
		Name:   c.name,
		CPU:    time.Duration(float64(median(c.took, func(p pass) time.Duration { return p.cpu })) / float64(records) * 1e6),
		Memory: median(c.took, func(p pass) uint64 { return p.memory }),
	}
	if slices.ContainsFunc(c.took, func(p pass) bool { return p.wall == 0 }) {
		return row
	}
	row.Rate = float64(records) / median(c.took, func(p pass) float64 { return p.wall.Seconds() })
	return row
}

// median returns the middle of what f makes of all passes, the upper one of two.
func median[T time.Duration | float64 | uint64](all []pass, f func(pass) T) T {
	values := make([]T, len(all))
	for i, p := range all {
		values[i] = f(p)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
