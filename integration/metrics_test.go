package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// recordsMetric counts the records that are done for good.
const recordsMetric = "regionwatch_records_done_total"

// longest is what anything may take that is not measured.
const longest = 2 * time.Minute

// alertOffset returns the offset of the record that an alert comes from.
func alertOffset(t *testing.T, r *kgo.Record) int64 {
	t.Helper()
	var a struct{ Origin struct{ Offset int64 } }
	if err := json.Unmarshal(r.Value, &a); err != nil {
		t.Fatalf("alert %q: %v", r.Value, err)
	}
	return a.Origin.Offset
}

// TestKafkaMetrics expects the counters to add up to what went in and what came out.
func TestKafkaMetrics(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s, l := newScene(t, broker, 4), newLedger()
		p := start(t, s.run("--delivery", delivery)...)
		p.ready(t)
		if _, err := p.get("/livez"); err != nil {
			t.Error(err)
		}
		o := startLoad(t, s, l, 1000, nil)
		time.Sleep(3 * time.Second)
		o.stop(t)
		s.produce(t, &kgo.Record{}, &kgo.Record{Value: []byte(`{"Records":[]}`)})
		s.settle(t, longest, p.ended)

		a := l.account()
		records := float64(a.sent + 2)
		eventually(t, longest, func() error { // the commit is seen at the broker before its answer is at the client
			if m := p.metrics(t); sum(m, recordsMetric)+sum(m, "regionwatch_records_dead_lettered_total") < records {
				return fmt.Errorf("%v of %v records are done", sum(m, recordsMetric), records)
			}
			return nil
		})
		m := p.metrics(t)
		for name, want := range map[string]float64{
			"regionwatch_records_dead_lettered_total": float64(a.deadLetters),
			recordsMetric:                          records - float64(a.deadLetters),
			"regionwatch_records_read_total":       records + sum(m, "regionwatch_records_returned_total"),
			"regionwatch_events_total":             float64(a.sent - a.deadLetters),
			"regionwatch_alerts_acked_total":       float64(a.alerts),
			"regionwatch_dead_letters_acked_total": float64(a.deadLetters),
			"regionwatch_skipped_total":            2,
			"regionwatch_faults_total":             float64(a.deadLetters),
			"regionwatch_data_losses_total":        0,
			"regionwatch_lag_records":              0,
		} {
			if got := sum(m, name); got != want {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
		if got := m[`regionwatch_events_total{outcome="alerted"}`]; got != float64(a.alerts) {
			t.Errorf("events alerted: %v, want %d", got, a.alerts)
		}
		if got := m["regionwatch_assigned_partitions"]; got != 4 {
			t.Errorf("assigned partitions: %v, want 4", got)
		}
		p.stop(t)
		if got := len(s.readAll(t, s.alerts)); got != a.alerts {
			t.Errorf("%d alerts in the topic, want %d", got, a.alerts)
		}
	})
}

// TestKafkaReady expects an instance to be not ready while its broker hangs, and ready again after.
func TestKafkaReady(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 1)
		p := start(t, s.run("--delivery", delivery)...)
		p.ready(t)
		shared.cluster.Pause(t, 1)
		resume := sync.OnceFunc(func() { shared.cluster.Resume(t, 1) })
		defer resume()
		eventually(t, longest, func() error {
			if _, err := p.get("/livez"); err != nil {
				return fmt.Errorf("%w: %w", errStop, err)
			}
			if _, err := p.get("/readyz"); err == nil {
				return errors.New("ready although the broker hangs")
			}
			return nil
		})
		resume()
		p.ready(t)
		s.produce(t, &kgo.Record{Value: []byte(event(eventID(1), "eu-central-1", false))})
		s.settle(t, longest, p.ended)
		p.stop(t)
	})
}
