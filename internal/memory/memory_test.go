package memory

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestContainerLimit(t *testing.T) {
	f := func(want int64, files map[string]string) {
		t.Helper()
		root := t.TempDir()
		for name, text := range files {
			name = filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := ContainerLimit(root); got != want {
			t.Errorf("%v: %d, want %d", files, got, want)
		}
	}
	f(0, nil)
	f(0, map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"})
	f(512, map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "512\n"})
	// The lowest limit of a group and its parents applies.
	f(256, map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "256\n", "sys/fs/cgroup/a/b/memory.max": "512\n"})
	f(128, map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "256\n", "sys/fs/cgroup/a/b/memory.max": "128\n"})
	// In a container the path may be the host's.
	f(512, map[string]string{"proc/self/cgroup": "0::/kubepods/pod1\n", "sys/fs/cgroup/memory.max": "512\n"})
	f(300, map[string]string{"proc/self/cgroup": "4:cpu,memory:/docker/x\n2:cpu:/\n", "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "300\n"})
	f(0, map[string]string{"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"})
	f(0, map[string]string{"proc/self/cgroup": "nonsense\n"})
	f(256, map[string]string{"proc/self/cgroup": "0::/a:b\n", "sys/fs/cgroup/a:b/memory.max": "256\n"})
	f(512, map[string]string{"proc/self/cgroup": "0::/../x\n", "sys/fs/cgroup/memory.max": "512\n", "sys/fs/x/memory.max": "1\n"})
	f(512, map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/memory.max": "512\n", "sys/fs/cgroup/a/memory.max": "0\n"})
	f(1, map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1\n"})
	f(1<<62-2, map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "4611686018427387902\n"})
	f(0, map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "4611686018427387903\n"})
}

func TestLimitFor(t *testing.T) {
	const mib = 1 << 20
	f := func(live, most, want int64) {
		t.Helper()
		if got := limitFor(live*mib, most*mib); got != want*mib {
			t.Errorf("%d MiB live of %d: %d, want %d MiB", live, most, got>>20, want)
		}
	}
	f(0, 1000, 112)
	f(60, 1000, 112) // ordinary: the usual limit
	f(64, 1000, 112)
	f(65, 1000, 128)
	f(200, 1000, 336)
	f(900, 1000, 1000)
	f(0, 90, 90)
	if got := limitFor(64*mib+1, 1000*mib); got != 128*mib {
		t.Errorf("a byte more than fits is rounded to %d MiB, want 128", got>>20)
	}
}

// The memory limit follows the live heap, up and down, and stays below its bound.
//
// Guard: cycle.over adjusts and watches again.
func TestTune(t *testing.T) {
	before, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(-1)
	defer debug.SetMemoryLimit(before)
	defer debug.SetGCPercent(percent)
	Tune(1<<30, func(string) (string, bool) { return "", false })
	if limit := debug.SetMemoryLimit(-1); limit > 1<<30 {
		t.Errorf("at first the limit is %d MiB", limit>>20)
	}
	c := tuned.Load()
	c.mu.Lock()
	if c.release == nil {
		t.Error("the program's file stays")
	}
	c.mu.Unlock()
	eventually := func(what string, condition func(limit int64) bool) {
		t.Helper()
		for range 1000 {
			runtime.GC()
			if condition(debug.SetMemoryLimit(-1)) {
				return
			}
		}
		t.Errorf("the limit is %d MiB: %s", debug.SetMemoryLimit(-1)>>20, what)
	}
	eventually("want the usual one", func(limit int64) bool { return limit == usualBytes })
	func() {
		live := make([]byte, 300<<20)
		defer runtime.KeepAlive(live)
		eventually("want more than is live", func(limit int64) bool { return limit > 300<<20 && limit < 1<<30 })
	}()
	eventually("want the usual one again", func(limit int64) bool { return limit == usualBytes })
}

// Without a limit the heap may grow as it needs.
func TestTuneWithoutALimit(t *testing.T) {
	before, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(-1)
	defer debug.SetMemoryLimit(before)
	defer debug.SetGCPercent(percent)
	defer tuned.Store(nil)
	for _, limit := range []int64{0, -1} {
		Tune(limit, func(string) (string, bool) { return "", false })
		if most := tuned.Load().most; most < 1<<62 {
			t.Errorf("limit %d: at most %d bytes", limit, most)
		}
	}
}

// While something grows, the limit is the highest and little is collected; after the last one all is as it was.
//
// Guards: growing in adjust, SetGCPercent in grow, OnceFunc.
func TestGrow(t *testing.T) {
	before, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	defer debug.SetMemoryLimit(before)
	defer debug.SetGCPercent(percent)
	defer tuned.Store(nil)
	is := func(what string, wantPercent int, usual bool) {
		t.Helper()
		got := debug.SetGCPercent(100)
		debug.SetGCPercent(got)
		if limit := debug.SetMemoryLimit(-1); got != wantPercent || (limit == 1<<30-1<<30/10) == usual {
			t.Errorf("%s: %d%%, limit %d MiB", what, got, limit>>20)
		}
	}
	f := func(gogc string, usual, growing int) {
		t.Helper()
		Tune(1<<30, func(name string) (string, bool) { return gogc, name == "GOGC" && gogc != "" })
		is("before", usual, true)
		first, second := Grow(), Grow()
		is("two grow", growing, false)
		first()
		first()
		is("one grows", growing, false)
		second()
		is("after", usual, true)
	}
	f("", garbagePercent, growingPercent)
	debug.SetGCPercent(70)
	f("70", 70, 70)
	Tune(1<<30, func(name string) (string, bool) { return "", name == "GOMEMLIMIT" })
	tuned.Store(nil)
	Grow()()
}

// The program's file is given up once, when the start is over.
//
// Guard: cycle.over calls endStart, which looks at the time.
func TestEndOfStart(t *testing.T) {
	limit := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(limit)
	for age, want := range map[time.Duration]int{starting - time.Minute: 0, starting + time.Minute: 1} {
		calls := 0
		c := &collector{most: limit, sample: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}, release: func() { calls++ }, began: time.Now().Add(-age)}
		(&cycle{c}).over()
		(&cycle{c}).over()
		if calls != want {
			t.Errorf("%d calls after %v, want %d", calls, age, want)
		}
	}
}
