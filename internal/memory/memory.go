// Package memory finds the process's memory limit, tunes the garbage collector for it, and gives up what only the start needed. It
// starts no goroutines.
package memory

import (
	"math"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ContainerLimit returns the lowest memory limit of the process's control groups, in bytes; 0 if there is none. root is
// the root of the file system, "/" outside of tests.
func ContainerLimit(root string) int64 {
	groups, _ := os.ReadFile(path.Join(root, "proc/self/cgroup"))
	limit := int64(math.MaxInt64)
	for line := range strings.Lines(string(groups)) {
		// HIERARCHY:CONTROLLERS:PATH, see cgroups(7). The path may be the host's: then only the root is visible.
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		switch {
		case fields[1] == "": // version 2
			limit = min(limit, leastLimit(path.Join(root, "sys/fs/cgroup"), fields[2], "memory.max"))
		case strings.Contains(","+fields[1]+",", ",memory,"):
			limit = min(limit, leastLimit(path.Join(root, "sys/fs/cgroup/memory"), fields[2], "memory.limit_in_bytes"))
		}
	}
	if limit >= math.MaxInt64>>1 { // version 1 expresses no limit as a very large number
		return 0
	}
	return limit
}

// leastLimit returns the lowest limit of a group and its parents.
func leastLimit(mount, group, file string) int64 {
	limit := int64(math.MaxInt64)
	for group = path.Join("/", group); ; group = path.Dir(group) {
		text, _ := os.ReadFile(path.Join(mount, group, file))
		if n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); n > 0 { // what is no number is no limit
			limit = min(limit, n)
		}
		if group == "/" {
			return limit
		}
	}
}

// Garbage collector settings: until the process has usualBytes, garbage may grow to three times the live heap. That saves a
// tenth of the processor time compared to Go's default of one. While the heap grows, it may grow to three times what was
// live, because little of it is garbage.
const (
	usualBytes     = 112 << 20
	garbagePercent = 300
	growingPercent = 200
)

// Tune sets the garbage percentage unless GOGC is set, and the memory limit unless GOMEMLIMIT is set. The process usually
// stays within 112 MiB. If the live heap needs more, the memory limit grows with it, up to nine tenths of limit, and
// shrinks again. A limit of 0 means no limit. lookup is [os.LookupEnv].
func Tune(limit int64, lookup func(string) (string, bool)) {
	c := &collector{sample: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}, release: releaseFile, began: time.Now()}
	if _, set := lookup("GOGC"); !set {
		c.ours = true
		debug.SetGCPercent(garbagePercent)
	}
	if _, set := lookup("GOMEMLIMIT"); set {
		return
	}
	if limit <= 0 {
		limit = math.MaxInt64
	}
	c.most = limit - limit/10
	c.adjust()
	c.watch()
	tuned.Store(c)
}

// tuned is what Tune made, nil if it leaves the memory limit alone.
var tuned atomic.Pointer[collector]

// Grow lets the heap grow until done is called, and then sees to its garbage. It is for a restore, most of whose memory
// stays: collecting it again and again as it grows takes half of the processor time. Several may grow at once.
func Grow() (done func()) {
	c := tuned.Load()
	if c == nil {
		return func() {}
	}
	c.grow(1)
	return sync.OnceFunc(func() { c.grow(-1) })
}

// collector adjusts the memory limit after each garbage collection cycle, on the runtime's own goroutine.
type collector struct {
	most  int64
	ours  bool // the garbage percentage is
	began time.Time

	mu      sync.Mutex
	growing int
	set     int64
	sample  []metrics.Sample
	release func() // nil once called
}

// grow notes that one more grows, or one less.
func (c *collector) grow(n int) {
	c.mu.Lock()
	was := c.growing
	c.growing += n
	switch {
	case !c.ours:
	case was == 0:
		debug.SetGCPercent(growingPercent)
	case c.growing == 0:
		debug.SetGCPercent(garbagePercent)
	}
	c.mu.Unlock()
	c.adjust()
}

// watch arranges a call when the next collection cycle has ended.
func (c *collector) watch() { runtime.SetFinalizer(&cycle{c}, (*cycle).over) }

// cycle is an unreferenced object, so that its finalizer runs in the next collection cycle.
type cycle struct{ c *collector }

func (e *cycle) over() {
	e.c.adjust()
	e.c.endStart()
	e.c.watch()
}

// starting is how long a start takes at most, usually.
const starting = 10 * time.Second

// endStart gives up the pages of the program's file, once: many are needed only to start.
func (c *collector) endStart() {
	if time.Since(c.began) < starting {
		return
	}
	c.mu.Lock()
	release := c.release
	c.release = nil
	c.mu.Unlock()
	if release != nil {
		release()
	}
}

// adjust sets the limit for the current live heap.
func (c *collector) adjust() {
	c.mu.Lock()
	defer c.mu.Unlock()
	want := c.most
	if c.growing == 0 {
		metrics.Read(c.sample)
		want = limitFor(int64(c.sample[0].Value.Uint64()), c.most)
	}
	if want != c.set {
		c.set = want
		debug.SetMemoryLimit(want)
	}
}

// limitFor adds room for memory outside the heap and for garbage: a quarter, and half of what is beyond the usual, because
// a large heap takes long to collect.
func limitFor(live, most int64) int64 {
	const step = 16 << 20 // setting the limit briefly stops the world
	want := live + live/4 + max(live-usualBytes, 0)/2 + 32<<20
	return min(max((want+step-1)/step*step, usualBytes), most)
}
