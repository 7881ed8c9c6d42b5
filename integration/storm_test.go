package integration

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// A storm's faults come one after the other, at a fixed pace.
const (
	stormFaults = 20
	stormPace   = 4 * time.Second
	freezeTime  = 9 * time.Second // longer than the session, which is 6 s
	guestTime   = 7 * time.Second
)

// TestStorm measures how long alerts stand still while the group finds no rest: three brokers, two instances, six partitions,
// a thousand records a second, sessions of six seconds, transactions of five, and twenty faults in eighty seconds, dealt by
// SEED: members removed from the group by an administrator, instances frozen for longer than their session, and guests that
// come and go. REGIONWATCH_STORM_PROGRAM names another program to run in place of ours, with the same arguments.
func TestStorm(t *testing.T) {
	c := startCluster(t, 3)
	modes := []string{atLeastOnce, exactlyOnce}
	if program := os.Getenv("REGIONWATCH_STORM_PROGRAM"); program != "" {
		ours := binary
		binary, modes = program, []string{exactlyOnce}
		t.Cleanup(func() { binary = ours })
	}
	seed, _ := strconv.ParseUint(cmp.Or(os.Getenv("SEED"), "1"), 10, 64)
	table := fmt.Sprintf("%-14s %5s %7s %8s %10s %14s %14s %11s %9s %9s", "delivery", "seed", "alerts", "missing", "duplicates", "longest stall", "of a partition", "median wait", "p99 wait", "worst")
	for _, delivery := range modes {
		d := startDrill(t, c, delivery, 6, 2, 1000, "--transaction-timeout", "5s", "--commit-interval", "100ms")
		time.Sleep(3 * time.Second)
		newStorm(d, seed).rage(t)
		a := d.finish(t)
		table += fmt.Sprintf("\n%-14s %5d %7d %8d %9.2f%% %14s %14s %11s %9s %9s", delivery, seed, a.alerts, a.missing,
			a.duplicateShare(), seconds(a.gap), seconds(a.partitionGap), seconds(a.wait.median), seconds(a.wait.p99), seconds(a.wait.worst))
	}
	fmt.Println(table)
}

// storm is a sequence of faults, the same for the same seed.
type storm struct {
	*drill
	dice   *rand.Rand
	frozen time.Time // until when one is
	ends   []stormEnd
}

// stormEnd is something to do later, such as to thaw what was frozen.
type stormEnd struct {
	at time.Time
	do func()
}

func newStorm(d *drill, seed uint64) *storm {
	return &storm{drill: d, dice: rand.New(rand.NewPCG(seed, 0))}
}

// rage returns when all faults have happened and all of them are over.
func (s *storm) rage(t *testing.T) {
	t.Helper()
	kinds := make([]int, stormFaults)
	for i := range kinds {
		kinds[i] = i % 3
	}
	s.dice.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for n, kind := range kinds {
		began, pick := time.Now(), s.dice.IntN(12)
		switch {
		case kind == 0 && began.After(s.frozen): // one at a time: somebody must be there to work
			s.freeze(t, pick)
		case kind == 1:
			s.visit(t, n)
		default:
			s.evict(t, pick)
		}
		s.until(began.Add(stormPace))
	}
	s.until(time.Now().Add(max(freezeTime, guestTime)))
}

// until waits, and ends what is due meanwhile.
func (s *storm) until(end time.Time) {
	for {
		i := slices.IndexFunc(s.ends, func(e stormEnd) bool { return e.at.Before(end) })
		if i < 0 {
			time.Sleep(time.Until(end))
			return
		}
		time.Sleep(time.Until(s.ends[i].at))
		s.ends[i].do()
		s.ends = slices.Delete(s.ends, i, i+1)
	}
}

// later does something at the end of a fault. Those of one kind are due in the order in which they began.
func (s *storm) later(after time.Duration, do func()) {
	s.ends = append(s.ends, stormEnd{time.Now().Add(after), do})
	slices.SortFunc(s.ends, func(a, b stormEnd) int { return a.at.Compare(b.at) })
}

func (s *storm) freeze(t *testing.T, pick int) {
	t.Helper()
	p := s.instances[pick%len(s.instances)].process()
	t.Logf("freezing instance %d", pick%len(s.instances))
	p.signal(t, syscall.SIGSTOP)
	s.frozen = time.Now().Add(freezeTime)
	s.later(freezeTime, func() { p.signal(t, syscall.SIGCONT) })
}

func (s *storm) visit(t *testing.T, n int) {
	t.Helper()
	t.Logf("a guest")
	guest := start(t, slices.Concat(s.arguments, []string{"--instance-id", fmt.Sprintf("%s-guest-%d", s.group, n)})...)
	s.later(guestTime, func() { guest.signal(t, syscall.SIGTERM) })
}
