// Package progress knows what was counted, how far each partition got, and whether the instance is ready, and exposes
// it as metrics.
//
// Its types are safe for concurrent use and start no goroutines.
package progress

import (
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Namespace is the first part of our metrics' names. Those of the Kafka client begin with kafka_.
const Namespace = "regionwatch"

// Sources is what metrics show. All fields are required.
type Sources struct {
	Delivery, Group string
	Tally           *Tally
	Lags            *Lags
	Ends            *Ends
	Health          *Health
	Unacked         func() time.Duration // age of the oldest unacknowledged record
}

// Metrics exposes one consistent snapshot at each scrape:
//
//	records_read = records_done + records_dead_lettered + records_returned + what is in flight
//	the sum of events over outcomes = events decided
type Metrics struct {
	Sources
	batchSeconds prometheus.Histogram
}

// Register registers the metrics of s.
func Register(r *prometheus.Registry, s Sources) (*Metrics, error) {
	m := &Metrics{Sources: s, batchSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: Namespace,
		Name:      "batch_duration_seconds",
		Help:      "From taking a batch to the acknowledgement of all its alerts and dead letters.",
		Buckets:   prometheus.ExponentialBuckets(0.001, 4, 9), // 1 ms to 65 s
	})}
	for _, c := range []prometheus.Collector{m, m.batchSeconds} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// ObserveBatch records how long a batch took.
func (m *Metrics) ObserveBatch(d time.Duration) { m.batchSeconds.Observe(d.Seconds()) }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(Namespace, "", name), help, labels, nil)
}

var (
	eventsDesc   = desc("events_total", "Events decided, by outcome.", "outcome")
	exemptedDesc = desc("exempted_total", "Events that an exception exempts, by its name.", "exception")
	faultsDesc   = desc("faults_total", "Parts of records that could not be read, by reason.", "reason")
	skippedDesc  = desc("skipped_total", "Parts of records that were recognized and hold no events, by kind.", "kind")
	shapesDesc   = desc("shapes_total", "Events by the outermost envelope of their record.", "shape")
	alertedDesc  = desc("alerted_total", "Events that alerted, by region and severity; regions that are not in the catalogue are other.", "region", "severity")
	readyDesc    = desc("ready", "1 while the instance is ready, as at /readyz, else 0.")
	assignedDesc = desc("assigned_partitions", "Partitions assigned to this instance.")
	lagDesc      = desc("lag_records", "Records of the partition that are not done, as of the last fetch or look.", "topic", "partition")
	behindDesc   = desc("lag_seconds", "Age of the oldest record of the partition that is not done, 0 if none waits.", "topic", "partition")
	groupDesc    = desc("group_info", "1, with the consumer group and the delivery guarantee.", "delivery", "group")
	stalledDesc  = desc("stalled_seconds", "Seconds since a record of the partition was last done, 0 if no record waits.", "topic", "partition")
	unackedDesc  = desc("unacked_seconds", "Age of the oldest unacknowledged alert or dead letter, 0 if none waits.")
	limitedDesc  = desc("limited_seconds_total", "Seconds in which fetched records waited because of max-records-per-second.")
	foreignDesc  = desc("foreign_members", "Members of the consumer group that are not regionwatch: partitions assigned to them are not watched.")
	inputDesc    = desc("input_partitions", "Partitions of an input topic, assigned to this instance or not.", "topic")
	endsDesc     = desc("input_end_offsets_total", "Sum of the end offsets of an input topic: grows as records are produced, consumed or not.", "topic")
)

// counter is one counter of totals.
type counter struct {
	desc *prometheus.Desc
	of   func(*Totals) uint64
}

var counters = []counter{
	{desc("records_read_total", "Records read."), func(t *Totals) uint64 { return t.Read }},
	{desc("records_done_total", "Records read without a fault and done: acknowledged, or committed."), func(t *Totals) uint64 { return t.Done }},
	{desc("records_dead_lettered_total", "Records with at least one dead letter."), func(t *Totals) uint64 { return t.DeadLettered }},
	{desc("records_returned_total", "Records given up before they were done; they are read again."), func(t *Totals) uint64 { return t.Abandoned }},
	{desc("record_bytes_total", "Bytes of the records that are done, as fetched."), func(t *Totals) uint64 { return t.Bytes }},
	{desc("alerts_acked_total", "Alerts that the broker has acknowledged."), func(t *Totals) uint64 { return t.AlertsAcked }},
	{desc("alerts_partial_total", "Alerts of damaged events."), func(t *Totals) uint64 { return t.Partial }},
	{desc("alerts_salvaged_total", "Partial alerts whose fields were found by a lenient search."), func(t *Totals) uint64 { return t.Salvaged }},
	{desc("alerts_shrunk_total", "Alerts made smaller to fit the record limit of their topic."), func(t *Totals) uint64 { return t.AlertsShrunk }},
	{desc("headers_omitted_total", "Headers of records, by name one of copy-headers, that were too large to be copied into alerts."), func(t *Totals) uint64 { return t.HeadersOmitted }},
	{desc("marked_findings_acked_total", "Findings in shadow mode and exempted events acknowledged in their own topics."), func(t *Totals) uint64 { return t.UnpublishedAcked }},
	{desc("dead_letters_acked_total", "Dead-letter records that the broker has acknowledged."), func(t *Totals) uint64 { return t.DeadLettersAcked }},
	{desc("redelivered_total", "Alerts and dead letters tried again after their delivery timed out."), func(t *Totals) uint64 { return t.Redelivered }},
	{desc("event_copies_total", "Events that were in their record more than once; each is decided once."), func(t *Totals) uint64 { return t.Copies }},
	{desc("events_invalid_utf8_total", "Events with bytes that are not UTF-8, or lone surrogates."), func(t *Totals) uint64 { return t.BadUTF8 }},
	{desc("events_read_only_missing_total", "Events without readOnly."), func(t *Totals) uint64 { return t.ReadOnlyMissing }},
	{desc("events_read_only_odd_total", "Events whose readOnly is neither true nor false."), func(t *Totals) uint64 { return t.ReadOnlyOdd }},
	{desc("commits_total", "Commits of marked offsets."), func(t *Totals) uint64 { return t.Commits }},
	{desc("commit_failures_total", "Commits that failed; they are tried again or their records are read again."), func(t *Totals) uint64 { return t.CommitFailures }},
	{desc("transactions_committed_total", "Transactions committed."), func(t *Totals) uint64 { return t.Committed }},
	{desc("transactions_aborted_total", "Transactions aborted; their records are read again."), func(t *Totals) uint64 { return t.Aborted }},
	{desc("records_dropped_total", "Offsets that the broker dropped, by retention or by hand, before they were read."), func(t *Totals) uint64 { return t.Dropped }},
	{desc("topics_recreated_total", "Topics found to be deleted and created again; their records are read from the first."), func(t *Totals) uint64 { return t.Recreated }},
	{desc("start_skipped_records_total", "Records before the start position of a group that was new to the topic."), func(t *Totals) uint64 { return t.StartSkipped }},
	{desc("data_losses_total", "Times the broker lost records that had not been read."), func(t *Totals) uint64 { return t.DataLosses }},
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range counters {
		ch <- c.desc
	}
	for _, d := range []*prometheus.Desc{
		eventsDesc, exemptedDesc, alertedDesc, faultsDesc, skippedDesc, shapesDesc, groupDesc, readyDesc, assignedDesc, lagDesc, behindDesc, stalledDesc, unackedDesc, foreignDesc, limitedDesc, inputDesc, endsDesc,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	t := m.Tally.Snapshot()
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for _, c := range counters {
		count(c.desc, c.of(&t))
	}
	for i := 1; i < policy.OutcomeCount; i++ { // 0 is not an outcome
		count(eventsDesc, t.Outcomes[i], policy.Outcome(i).String())
	}
	for name, n := range t.Exempted {
		count(exemptedDesc, n, strings.ToValidUTF8(name, "\uFFFD"))
	}
	for i := 1; i < cloudtrail.ReasonCount; i++ {
		count(faultsDesc, t.Faults[i], cloudtrail.Reason(i).String())
	}
	count(faultsDesc, t.Panics, deadletter.ReasonPanic)
	count(faultsDesc, t.LargeBatches, deadletter.ReasonBatchTooLarge)
	for i := range cloudtrail.KindCount {
		count(skippedDesc, t.Skips[i], cloudtrail.Kind(i).String())
	}
	for i := 1; i < cloudtrail.ShapeCount; i++ {
		count(shapesDesc, t.Shapes[i], cloudtrail.Shape(i).String())
	}
	for kind, n := range t.Alerted {
		count(alertedDesc, n, kind.Region, kind.Severity)
	}
	m.collectHealth(ch)
	ch <- prometheus.MustNewConstMetric(foreignDesc, prometheus.GaugeValue, float64(t.Foreign))
	ch <- prometheus.MustNewConstMetric(limitedDesc, prometheus.CounterValue, t.Limited.Seconds())
	m.collectLag(ch)
	m.collectInput(ch)
}

func (m *Metrics) collectHealth(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(groupDesc, prometheus.GaugeValue, 1, m.Delivery, strings.ToValidUTF8(m.Group, "\uFFFD"))
	ready := 0.
	if m.Health.Ready() == nil {
		ready = 1
	}
	ch <- prometheus.MustNewConstMetric(readyDesc, prometheus.GaugeValue, ready)
	ch <- prometheus.MustNewConstMetric(assignedDesc, prometheus.GaugeValue, float64(m.Health.Partitions()))
	ch <- prometheus.MustNewConstMetric(unackedDesc, prometheus.GaugeValue, m.Unacked().Seconds())
}

// The limits on series for topics and partitions. Those beyond share one series: partition "other", which no partition
// is called, or topic "(other)", an impossible name.
const (
	maxLagSeries   = 500
	maxInputSeries = 100
)

func (m *Metrics) collectLag(ch chan<- prometheus.Metric) {
	lag := func(l Lag, partition string) {
		ch <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, float64(l.Records), l.Partition.Topic, partition)
		ch <- prometheus.MustNewConstMetric(behindDesc, prometheus.GaugeValue, l.Behind.Seconds(), l.Partition.Topic, partition)
		ch <- prometheus.MustNewConstMetric(stalledDesc, prometheus.GaugeValue, l.Stalled.Seconds(), l.Partition.Topic, partition)
	}
	others := make(map[string]Lag)
	for i, l := range m.Lags.All() {
		if i < maxLagSeries {
			lag(l, strconv.Itoa(int(l.Partition.Partition)))
			continue
		}
		other := others[l.Partition.Topic]
		others[l.Partition.Topic] = Lag{Partition: l.Partition, Records: other.Records + l.Records, Behind: max(other.Behind, l.Behind), Stalled: max(other.Stalled, l.Stalled)}
	}
	for _, l := range others {
		lag(l, "other")
	}
}

func (m *Metrics) collectInput(ch chan<- prometheus.Metric) {
	input := func(e TopicEnd) {
		ch <- prometheus.MustNewConstMetric(inputDesc, prometheus.GaugeValue, float64(e.Partitions), e.Topic)
		ch <- prometheus.MustNewConstMetric(endsDesc, prometheus.CounterValue, float64(e.Offsets), e.Topic)
	}
	other := TopicEnd{Topic: "(other)"}
	for i, e := range m.Ends.All() {
		if i < maxInputSeries {
			input(e)
			continue
		}
		other.Partitions += e.Partitions
		other.Offsets += e.Offsets
	}
	if other.Partitions > 0 {
		input(other)
	}
}
