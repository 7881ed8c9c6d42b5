// Package bench measures the cost of the pipeline against a consumer that only reads. Both read the same records from
// the same brokers, in turn, in one process, so the pipeline is the only difference.
//
// It creates, fills and deletes its own topics, and deletes its own consumer groups. It touches nothing else on the
// brokers. It reports the median of several rounds. Compare ratios within one run, because machines and brokers differ.
//
// Every goroutine has ended when [Run] returns.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
)

// Row is the cost of one contender, as the median of its rounds.
type Row struct {
	Name string
	// CPU is this process's CPU time per million records. It excludes the brokers, unless they run in this process. It
	// is 0 if the system does not report it.
	CPU time.Duration
	// Rate is records per second, from the first record to the last. It is 0 if unknown because a round read everything
	// at once.
	Rate float64
	// Memory is the peak memory obtained from the system, in bytes.
	Memory uint64
}

// Report holds the results: the bare consumer first, then each delivery mode.
type Report struct {
	Rows       []Row
	Bytes      int64 // total size of the values of all records
	Partitions int
}

// The names of the contenders, in the order of the rows.
const (
	BareConsumer = "bare consumer"
	AtLeastOnce  = "at least once"
	ExactlyOnce  = "exactly once"
)

// contender is one way to read all records.
type contender struct {
	name string
	read func(ctx context.Context, group string) (time.Duration, error)
	took []pass
}

// Run creates and fills the topics, lets each contender read them in turn, and deletes them. The error names what could
// not be deleted.
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

// median returns the median of f over all passes, the upper one if there are two.
func median[T time.Duration | float64 | uint64](all []pass, f func(pass) T) T {
	values := make([]T, len(all))
	for i, p := range all {
		values[i] = f(p)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// Print writes the report as text. where describes the brokers.
func (r *Report) Print(w io.Writer, records, rounds int, where string) error {
	fmt.Fprintf(w, "%s of %s bytes on average, %s, medians of %s\non %s\n\n",
		display.Plural(records, "record"), display.Number(r.Bytes/int64(records)), display.Plural(r.Partitions, "partition"), display.Plural(rounds, "round"), where)
	table := display.NewTable(w, "", "CPU s/million", "of row above", "thousand/s", "peak MiB").AlignRight(0, 1, 2, 3, 4)
	for i, row := range r.Rows {
		cpu, ratio, rate := "-", "-", "-"
		if row.Rate > 0 {
			rate = fmt.Sprintf("%.0f", row.Rate/1000)
		}
		if row.CPU > 0 {
			cpu = fmt.Sprintf("%.2f", row.CPU.Seconds())
			if i > 0 {
				ratio = fmt.Sprintf("%.2fx", row.CPU.Seconds()/r.Rows[i-1].CPU.Seconds())
			}
		}
		table.Row(row.Name, cpu, ratio, rate, row.Memory>>20)
	}
	return table.Flush()
}
