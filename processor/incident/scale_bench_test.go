//go:build unix

package incident

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkMemoryAtScale reports what 200,000 incidents with 10 million ids take.
func BenchmarkMemoryAtScale(b *testing.B) {
	for b.Loop() {
		before := liveHeap()
		budget := &Budget{}
		start := cpuTime()
		all := atScale.group(budget, false)
		took := cpuTime() - start
		incidents, ids := budget.Size()
		b.ReportMetric(float64(incidents), "incidents")
		b.ReportMetric(float64(ids), "ids")
		b.ReportMetric(float64(ids)/took.Seconds(), "alerts/cpu-s")
		b.ReportMetric(float64(liveHeap()-before)/(1<<20), "heap-MiB")
		b.ReportMetric(float64(peakRSS())/(1<<20), "peak-rss-MiB")
		runtime.KeepAlive(all)
	}
}

// cpuTime returns the processor time of this process, because the machine may be busy with others.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakRSS returns the most memory that the process had, in bytes; 0 if the system does not say.
func peakRSS() int {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n << 10
		}
	}
	return 0
}

// BenchmarkRestore restores partitions one after another on one core.
func BenchmarkRestore(b *testing.B) {
	for name, p := range map[string]population{
		"large": {partitions: 12, incidents: 200_000, mean: 50},
		"tiny":  {partitions: 12, incidents: 200_000, mean: 1},
	} {
		b.Run(name, func(b *testing.B) { p.benchmarkRestore(b) })
	}
}

func (p population) benchmarkRestore(b *testing.B) {
	var states [][]StateRecord
	bytes := 0
	for partition := range p.partitions {
		g := New(Options{Settings: settings(), Durable: true})
		for f := range p.alerts(partition) {
			g.Add(f, day.Add(2*time.Hour))
		}
		g.Flush()
		state := g.State()
		for _, r := range state {
			bytes += len(r.Value)
		}
		states = append(states, state)
	}
	debug.FreeOSMemory()
	b.ResetTimer()
	records, start := 0, cpuTime()
	for b.Loop() {
		for _, state := range states {
			r := NewRestorer(Options{Settings: settings(), Durable: true})
			for _, s := range state {
				if err := r.Record(s.Key, s.Value); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := r.Finish(); err != nil {
				b.Fatal(err)
			}
			records += len(state)
		}
	}
	b.ReportMetric(float64(records)/(cpuTime()-start).Seconds(), "records/cpu-s")
	b.ReportMetric(float64(bytes)*float64(b.N)/float64(records), "bytes/record")
	b.ReportMetric(float64(records)/float64(b.N), "records")
}
