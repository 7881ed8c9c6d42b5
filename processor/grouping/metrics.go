package grouping

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/progress"
	incidents "github.com/regionwatch/regionwatch/schema/incident"
)

// totals count what was taken and written: read = counted + repeated + below + late + unreadable. Each alert has the
// result that it had when it was read.
type totals struct {
	read, counted, repeated, below, late, unreadable uint64

	written map[string]uint64 // incidents, by activity
	state   uint64            // state records
}

// count counts an alert by what it changed in a Grouper's counts.
func (t *totals) count(before, after *incident.Counts) {
	switch {
	case after.Repeated > before.Repeated:
		t.repeated++
	case after.Late > before.Late:
		t.late++
	case after.Counted > before.Counted:
		t.counted++
	default:
		t.below++
	}
}

func (t *totals) add(o *totals) {
	t.read += o.read
	t.counted += o.counted
	t.repeated += o.repeated
	t.below += o.below
	t.late += o.late
	t.unreadable += o.unreadable
	t.state += o.state
	if t.written == nil {
		t.written = make(map[string]uint64)
	}
	for activity, n := range o.written {
		t.written[activity] += n
	}
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(progress.Namespace, "", name), help, labels, nil)
}

var (
	alertsDesc     = desc("incident_alerts_total", "Alerts read, by how they counted at that time.", "result")
	writtenDesc    = desc("incidents_written_total", "Incident records written, by activity.", "activity")
	openDesc       = desc("incidents_open", "Open incidents in the assigned partitions, storms included.")
	stormsDesc     = desc("incident_storms_open", "Open storms in the assigned partitions.")
	rememberedDesc = desc("incidents_remembered", "Incidents in memory: open ones, closed ones in their grace, and those below their threshold.")
	idsDesc        = desc("incident_ids_remembered", "Alert ids in memory, by which an alert that comes again is recognized.")
	estimatesDesc  = desc("incident_estimates", "Incidents in memory whose counts are estimates.")
	restoresDesc   = desc("incident_restores_total", "Partitions whose state was restored.")
	restoringDesc  = desc("incident_restoring", "Partitions whose state is being restored.")
	restoreDesc    = desc("incident_restore_seconds", "How long the last restore of a partition took.")
	stateDesc      = desc("incident_state_records_total", "Records written to the state topic.")
)

// Describe implements prometheus.Collector.
func (s *Stage) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{alertsDesc, writtenDesc, openDesc, stormsDesc, rememberedDesc, idsDesc, estimatesDesc, stateDesc, restoresDesc, restoringDesc, restoreDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *Stage) Collect(ch chan<- prometheus.Metric) {
	t := s.snapshot()
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n int) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n))
	}
	count(alertsDesc, t.counted, "counted")
	count(alertsDesc, t.repeated, "repeated")
	count(alertsDesc, t.below, "below")
	count(alertsDesc, t.late, "late")
	count(alertsDesc, t.unreadable, "unreadable")
	count(writtenDesc, t.written[incidents.Create], "create")
	count(writtenDesc, t.written[incidents.Update], "update")
	count(writtenDesc, t.written[incidents.Close], "close")
	count(stateDesc, t.state)
	sizes := s.sizes()
	gauge(openDesc, sizes.Open)
	gauge(stormsDesc, sizes.Storms)
	gauge(rememberedDesc, sizes.Remembered)
	gauge(idsDesc, sizes.IDs)
	gauge(estimatesDesc, sizes.Estimates)
	s.restores.collect(ch)
}

// restores count restores.
type restores struct {
	mu     sync.Mutex
	done   uint64
	now    int
	lasted time.Duration
}

// begin records that a restore begins; the returned function records its end.
func (r *restores) begin() (end func(ok bool)) {
	began := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now++
	return func(ok bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.now--
		if ok {
			r.done++
			r.lasted = time.Since(began)
		}
	}
}

func (r *restores) collect(ch chan<- prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(restoresDesc, prometheus.CounterValue, float64(r.done))
	ch <- prometheus.MustNewConstMetric(restoringDesc, prometheus.GaugeValue, float64(r.now))
	ch <- prometheus.MustNewConstMetric(restoreDesc, prometheus.GaugeValue, r.lasted.Seconds())
}

// Counts implements processor.Stage.
func (s *Stage) Counts() []processor.StageCount {
	t := s.snapshot()
	return []processor.StageCount{
		{Name: "counted", N: t.counted}, {Name: "repeated", N: t.repeated}, {Name: "below_threshold", N: t.below},
		{Name: "late", N: t.late}, {Name: "unreadable", N: t.unreadable},
		{Name: "created", N: t.written[incidents.Create]}, {Name: "updated", N: t.written[incidents.Update]},
		{Name: "closed", N: t.written[incidents.Close]},
	}
}

// snapshot returns the totals of all that is committed.
func (s *Stage) snapshot() (t totals) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.add(&s.totals)
	return t
}

// sizes returns how much the assigned partitions remember.
func (s *Stage) sizes() (sum incident.Sizes) {
	for _, p := range s.all() {
		p.mu.Lock()
		sum.Add(p.grouper.Sizes())
		p.mu.Unlock()
	}
	return sum
}
