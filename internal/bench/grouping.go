package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Grouping is what grouping alerts costs without Kafka.
type Grouping struct {
	// GroupCPU is the CPU time to read and group a million alerts and encode the state; 0 if the system does not report it.
	GroupCPU time.Duration
	// Incidents and IDs are how many were remembered at once, Memory the peak memory then, and Live the part that is in
	// use after garbage collection.
	Incidents, IDs int64
	Memory, Live   uint64
	// Restored is how many state records were restored, in Took on Cores. RestoreCPU is the CPU time for a million.
	Restored   int
	Took       time.Duration
	RestoreCPU time.Duration
	Cores      int
}

// GroupingOptions configure MeasureGrouping.
type GroupingOptions struct {
	Alerts    int // to group
	Incidents int // to remember
	Each      int // alert ids of each, on average
	Step      func(text string)
	Grow      func() (done func()) // called while the heap grows, as in the service
}

// groupingPartitions is how many partitions the remembered incidents are in.
const groupingPartitions = 12

// MeasureGrouping groups alerts, and restores the state of many incidents, as an instance does that gets all partitions.
func MeasureGrouping(ctx context.Context, o GroupingOptions) (*Grouping, error) {
	g := &Grouping{Cores: runtime.GOMAXPROCS(0)}
	o.Step(fmt.Sprintf("grouping %d alerts without Kafka", o.Alerts))
	if err := g.group(ctx, o); err != nil {
		return nil, err
	}
	o.Step(fmt.Sprintf("restoring the state of %d incidents without Kafka", o.Incidents))
	budget := &incident.Budget{}
	all, err := g.restore(ctx, o, budget)
	g.Incidents, g.IDs = budget.Size()
	runtime.GC()
	g.Live = liveMemory()
	runtime.KeepAlive(all)
	return g, err
}

// group measures grouping.
func (g *Grouping) group(ctx context.Context, o GroupingOptions) error {
	const batch = 1_000 // alerts of a transaction
	alerts := NewAlerts(1, o.Each, time.Now())
	grouper := incident.New(groupingOptions(&incident.Budget{}))
	var values [][]byte
	var spent time.Duration
	for done := 0; done < o.Alerts; done += len(values) {
		if err := ctx.Err(); err != nil {
			return err
		}
		values = values[:0]
		for range min(batch, o.Alerts-done) {
			_, value := alerts.Next()
			values = append(values, value)
		}
		before := cpuTime()
		for _, value := range values {
			f, err := alert.ReadFacts(value)
			if err != nil {
				return err
			}
			grouper.Add(&f, time.Now())
		}
		grouper.Flush()
		grouper.State()
		spent += cpuTime() - before
	}
	if c := grouper.Counts(); c.Counted != uint64(o.Alerts) {
		return fmt.Errorf("grouping alerts: %d of %d are counted", c.Counted, o.Alerts)
	}
	g.GroupCPU = perMillion(spent, o.Alerts)
	return nil
}

// restore restores all partitions, as many at once as there are cores. They have the same state, each its own copy.
func (g *Grouping) restore(ctx context.Context, o GroupingOptions, budget *incident.Budget) ([]*incident.Grouper, error) {
	state := stateOf(o)
	debug.FreeOSMemory()
	peak := watchMemory()
	defer func() { g.Memory = peak() }()
	all := make([]*incident.Grouper, groupingPartitions)
	defer o.Grow()()
	before, start := cpuTime(), time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(g.Cores)
	for p := range all {
		group.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				all[p], err = restoreOne(state, budget)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	g.Restored, g.Took = len(all)*len(state), time.Since(start)
	g.RestoreCPU = perMillion(cpuTime()-before, g.Restored)
	return all, nil
}

func restoreOne(state []incident.StateRecord, budget *incident.Budget) (*incident.Grouper, error) {
	r := incident.NewRestorer(groupingOptions(budget))
	for _, s := range state {
		if err := r.Record(s.Key, s.Value); err != nil {
			return nil, err
		}
	}
	return r.Finish()
}

// stateOf returns the state of a partition with its share of the remembered incidents. One in 2,000 has 400 times the
// mean, a fifth of all ids.
func stateOf(o GroupingOptions) []incident.StateRecord {
	alerts := NewAlerts(1, 1, time.Now())
	g := incident.New(groupingOptions(&incident.Budget{}))
	for i := range o.Incidents / groupingPartitions {
		_, value := alerts.of(i)
		f, err := alert.ReadFacts(value)
		if err != nil {
			panic("BUG: " + err.Error()) // it was made for this
		}
		count := 1 + int(alerts.r.ExpFloat64()*float64(o.Each-1)*4/5)
		if i%2_000 == 1_000 {
			count = 400 * o.Each
		}
		for range count {
			alerts.fill(f.ID[:])
			f.Action = fmt.Sprintf("Action%d", alerts.r.IntN(1+alerts.r.IntN(10)))
			g.Add(&f, time.Now())
		}
	}
	g.Flush()
	return g.State()
}

func groupingOptions(budget *incident.Budget) incident.Options {
	return incident.Options{
		Durable: true, Budget: budget,
		Settings: func(string) policy.Incidents { return policy.DefaultIncidents },
	}
}

func perMillion(spent time.Duration, n int) time.Duration {
	return time.Duration(float64(spent) / float64(max(n, 1)) * 1e6)
}

// Print writes the report as text.
func (g *Grouping) Print(w io.Writer) error {
	fmt.Fprintf(w, "grouping without Kafka, on %s\n\n", display.Plural(g.Cores, "core"))
	table := display.NewTable(w, "", "CPU s/million", "thousand/s", "MiB").AlignRight(0, 1, 2, 3)
	table.Row("reading and grouping alerts", seconds(g.GroupCPU), "-", "-")
	table.Row("restoring state records", seconds(g.RestoreCPU), fmt.Sprintf("%.0f", float64(g.Restored)/g.Took.Seconds()/1000), "-")
	table.Row(fmt.Sprintf("%s with %s, peak", display.Plural(g.Incidents, "incident"), display.Plural(g.IDs, "id")), "-", "-", g.Memory>>20)
	table.Row("of that in use", "-", "-", g.Live>>20)
	return table.Flush()
}

// seconds returns a CPU time as text.
func seconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", d.Seconds())
}
