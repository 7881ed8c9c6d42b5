package incident

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// load is alerts that take memory.
type load struct {
	limits *Budget
	alerts int
	hours  int // that pass after them
	change func(n int, f *alert.Facts)
}

// group groups them and passes on the state records.
func (l load) group(o Options, write func([]StateRecord)) *Grouper {
	g := New(o)
	flush := func() {
		g.Flush()
		write(g.State())
	}
	for n := range l.alerts {
		f := fact(n, day)
		l.change(n, f)
		if g.Add(f, day); n%1_000 == 0 {
			flush()
		}
	}
	flush()
	for hour := range l.hours {
		g.Advance(day.Add(time.Duration(hour) * time.Hour))
		flush()
	}
	return g
}

// fits reports whether the heap has grown by no more than the budget is charged with. No limit counts a megabyte of
// each Grouper: the names that its incidents share, and containers that are nearly empty.
func fits(t *testing.T, what string, before uint64, b *Budget) {
	t.Helper()
	used, charged := int64(liveHeap())-int64(before), b.charged()
	t.Logf("%s: %d KiB used, %d charged", what, used>>10, charged>>10)
	if used > charged+1<<20 {
		t.Errorf("%s: %d KiB used, %d charged", what, used>>10, charged>>10)
	}
}

// measure measures the alerts, and the restore of their state before and after its end.
func (l load) measure(t *testing.T, what string) {
	t.Helper()
	o := Options{Settings: settings(), Budget: l.limits, Durable: true}
	before := liveHeap()
	g := l.group(o, func([]StateRecord) {})
	fits(t, what, before, o.Budget)
	if c := g.Counts(); c.Counted != uint64(l.alerts) {
		t.Errorf("%s: %+v", what, c)
	}
	g.Release()
	if o.Budget.charged() != 0 {
		t.Errorf("%s: %d bytes are charged after all", what, o.Budget.charged())
	}
	if l.alerts > 50_000 {
		return
	}
	state := topic{}
	l.group(o, state.write).Release()
	before = liveHeap()
	r := NewRestorer(o)
	for k, v := range state {
		if err := r.Record([]byte(k), v); err != nil {
			t.Fatal(err)
		}
	}
	reading := liveHeap()
	g, err := r.Finish()
	if err != nil {
		t.Fatal(err)
	}
	fits(t, what+", restored", before, o.Budget)
	if used := int64(reading) - int64(before); used > o.Budget.charged()+1<<20 {
		t.Errorf("%s, before the end of its restore: %d KiB used, %d charged", what, used>>10, o.Budget.charged()>>10)
	}
	runtime.KeepAlive(g)
	runtime.KeepAlive(state)
	g.Release()
}

// Whatever comes, it takes no more memory than what the budget is charged with, so that its limits bound the memory.
//
// TestStorm and TestMemoryOfHostileAlerts do the same with a million alerts.
//
// Guards: the constants of Budget, addSketch, smallPrecision, and each grow.
func TestChargedMemory(t *testing.T) {
	by := func(accounts int) func(int, *alert.Facts) {
		return func(n int, f *alert.Facts) { f.Account = fmt.Sprint("account ", n%accounts) }
	}
	load{&Budget{}, 20_000, 0, func(n int, f *alert.Facts) { f.Account, f.Actor = fmt.Sprint(n/500), fmt.Sprint("role ", n) }}.measure(t, "small incidents")
	load{&Budget{}, 20_000, 0, by(20_000)}.measure(t, "small incidents of many accounts")
	load{&Budget{}, 20_000, 0, func(n int, f *alert.Facts) { f.Region, f.Actor = fmt.Sprint("region ", n%40), fmt.Sprint(n/40) }}.measure(t, "regions")
	load{&Budget{MaxIDs: 1}, 50_000, 0, by(1_000)}.measure(t, "incidents of 64 alerts")
	load{&Budget{MaxIDs: 1}, 40_000, 0, by(570)}.measure(t, "small estimates")
	load{&Budget{MaxIDs: 30_000}, 45_000, 0, by(30)}.measure(t, "large estimates")
	load{&Budget{}, 20_000, 100, by(20_000)}.measure(t, "ended incidents")
}
