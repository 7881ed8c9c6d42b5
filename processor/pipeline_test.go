package processor

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// production makes a processor decide as in production, with the rule's own policy.
func production(t testing.TB, o *Options) func(*Processor) {
	t.Helper()
	compiled, err := policy.Compile(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o.Policy = func() *policy.Policy { return compiled }
	return func(p *Processor) { p.newDecider = p.o.newDetector }
}

// The whole pipeline on generated CloudTrail, including damaged records, compared with what the generator knows: every
// event has its outcome, every finding its alert, every damaged record its dead letter, and the scraped counters add up.
func TestPipeline(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			const partitions, n = 4, 4000
			c := newCluster(t, partitions)
			records, truth := sampleRecords(t, n, partitions, 0.02)
			c.Produce(records...)
			var log lines
			o := testOptions(c)
			o.Delivery, o.InstanceID, o.Logger = delivery, "one", log.logger()
			decide := production(t, &o)
			r := start(t, o, decide)
			c.Eventually("all decided", func() bool { return r.Status().Counts.Records >= n })
			r.mustStop()

			counts := r.Status().Counts
			if sum := counts.Outcomes[policy.OutcomeAlerted] + counts.Outcomes[policy.OutcomeExempted] + counts.Passed(); sum != counts.Events {
				t.Errorf("events %d != alerted + exempted + passed %d", counts.Events, sum)
			}
			s := processortest.Scrape(t, r.o.Registry)
			if s["regionwatch_events_total"] != float64(counts.Events) {
				t.Errorf("events_total sums to %v, want %d", s["regionwatch_events_total"], counts.Events)
			}
			if s["regionwatch_findings_acked_total{alerted}"] != float64(counts.Outcomes[policy.OutcomeAlerted]) || s["regionwatch_alert_delay_seconds{count}"] == 0 {
				t.Errorf("findings acknowledged: %v, delays %v", s["regionwatch_findings_acked_total"], s["regionwatch_alert_delay_seconds{count}"])
			}
			if s["regionwatch_batch_duration_seconds{count}"] == 0 {
				t.Error("no batch took any time")
			}
			if log.count("level=ERROR") > 0 {
				t.Errorf("an error was logged: %s", log.text.String())
			}
			alerts, letters := c.ReadAll(alertTopic), c.ReadAll(deadLetterTopic)
			if uint64(len(alerts)) != counts.Outcomes[policy.OutcomeAlerted] || len(alerts) == 0 {
				t.Errorf("%d alerts in the topic, %d counted", len(alerts), counts.Outcomes[policy.OutcomeAlerted])
			}
			if got := countOrigins(letters); got != counts.DeadLettered || got != truth.DeadLettered {
				t.Errorf("dead letters of %d records in the topic, %d counted, %d made", got, counts.DeadLettered, truth.DeadLettered)
			}
		})
	}
}

// countOrigins returns the number of records that have dead letters.
func countOrigins(letters []*kgo.Record) uint64 {
	origins := make(map[[2]string]struct{})
	for _, r := range letters {
		partition, _ := processortest.Header(r, deadletter.HeaderPartition)
		offset, _ := processortest.Header(r, deadletter.HeaderOffset)
		origins[[2]string{partition, offset}] = struct{}{}
	}
	return uint64(len(origins))
}

// sampleRecords returns generated records of single events, distributed over partitions, and what is known about them.
func sampleRecords(t testing.TB, n, partitions int, damaged float64) ([]*kgo.Record, sample.Truth) {
	t.Helper()
	g, err := sample.New(sample.Options{Seed: 1, MatchShare: 0.01, DamagedShare: damaged})
	if err != nil {
		t.Fatal(err)
	}
	records := make([]*kgo.Record, n)
	for i := range records {
		value := append([]byte(nil), g.Next().Value...)
		records[i] = &kgo.Record{Topic: inputTopic, Partition: int32(i / 50 % partitions), Value: value}
	}
	return records, g.Truth()
}
