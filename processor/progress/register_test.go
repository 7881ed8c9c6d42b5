package progress

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// registered returns a registry with the metrics of a tally. It refuses any that Describe does not name.
func registered(t *testing.T) (*prometheus.Registry, *Tally) {
	t.Helper()
	registry, tally := prometheus.NewPedanticRegistry(), new(Tally)
	_, err := Register(registry, Sources{
		Tally: tally, Lags: NewLags(), Ends: new(Ends), Health: NewHealth(1, 0, 0), Unacked: func() time.Duration { return 0 }, Group: "watchers",
	})
	if err != nil {
		t.Fatal(err)
	}
	return registry, tally
}

// Metrics whose names are taken are an error, not a processor without metrics.
func TestRegisterFailure(t *testing.T) {
	t.Parallel()
	sources := Sources{Tally: new(Tally), Lags: NewLags(), Ends: new(Ends), Health: NewHealth(1, 0, 0), Unacked: func() time.Duration { return 0 }}
	r := prometheus.NewRegistry()
	if m, err := Register(r, sources); m == nil || err != nil {
		t.Fatalf("%v, %v", m, err)
	}
	if m, err := Register(r, sources); m != nil || err == nil {
		t.Errorf("the second time: %v, %v", m, err)
	}
}

// Only clients that exist can be given up.
func TestGiveUp(t *testing.T) {
	t.Parallel()
	h, refused := NewHealth(1, 0, 0), errors.New("refused")
	h.GiveUp(refused)
	var got error
	h.Begin(func(err error) { got = err })
	if h.GiveUp(refused); !errors.Is(got, refused) {
		t.Errorf("given up because of %v", got)
	}
}

func TestConnected(t *testing.T) {
	t.Parallel()
	h := NewHealth(1, 0, 0)
	if h.Connected() {
		t.Error("connected before any answer")
	}
	h.OnBrokerRead(kgo.BrokerMetadata{}, int16(kmsg.Metadata), 0, 0, 0, nil)
	if !h.Connected() {
		t.Error("not connected after an answer")
	}
}

// Offsets that the broker drops between two fetches are counted; what it dropped before the first is not ours.
func TestFetchedDropped(t *testing.T) {
	t.Parallel()
	lags, tp := NewLags(), kadm.Partition{Topic: "t"}
	f := func(logStart, first, want int64) {
		t.Helper()
		p := &kgo.FetchPartition{LogStartOffset: logStart, HighWatermark: 100, Records: []*kgo.Record{{Offset: first}}}
		if got := lags.Fetched(tp, p); got != want {
			t.Errorf("log start %d, record %d: %d dropped, want %d", logStart, first, got, want)
		}
	}
	f(5, 5, 0)
	f(5, 6, 0)
	f(7, 7, 0)
	f(20, 20, 12)
}

// What was set aside as a whole is counted by its own reason.
func TestFaultsSetAside(t *testing.T) {
	t.Parallel()
	r, tally := registered(t)
	tally.Update(func(all *Totals) { all.Panics, all.LargeBatches = 2, 3 })
	got := processortest.Scrape(t, r)
	if panics, batches := got[Namespace+"_faults_total{panic}"], got[Namespace+"_faults_total{batch-too-large}"]; panics != 2 || batches != 3 {
		t.Errorf("%v panics and %v batches, want 2 and 3", panics, batches)
	}
}

// The partitions of all clients count, until a client has left the group.
func TestAssignment(t *testing.T) {
	t.Parallel()
	h, one, other := NewHealth(2, 0, 0), new(kgo.Client), new(kgo.Client)
	h.Assigned(one, slices.Values([]kadm.Partition{{Topic: "t"}, {Topic: "t", Partition: 1}}))
	h.Assigned(other, slices.Values([]kadm.Partition{{Topic: "t", Partition: 2}}))
	if got := len(h.Assignment()); got != 3 {
		t.Errorf("%d partitions, want 3", got)
	}
	if h.Lost(one); len(h.Assignment()) != 1 {
		t.Errorf("%v, want the other client's", h.Assignment())
	}
}

// Each total is shown under its own name, and under no other.
func TestCounterNames(t *testing.T) {
	t.Parallel()
	totals := map[string]func(*Totals) *uint64{
		"records_read_total":             func(t *Totals) *uint64 { return &t.Read },
		"records_done_total":             func(t *Totals) *uint64 { return &t.Done },
		"records_dead_lettered_total":    func(t *Totals) *uint64 { return &t.DeadLettered },
		"records_returned_total":         func(t *Totals) *uint64 { return &t.Abandoned },
		"record_bytes_total":             func(t *Totals) *uint64 { return &t.Bytes },
		"alerts_acked_total":             func(t *Totals) *uint64 { return &t.AlertsAcked },
		"alerts_partial_total":           func(t *Totals) *uint64 { return &t.Partial },
		"alerts_salvaged_total":          func(t *Totals) *uint64 { return &t.Salvaged },
		"alerts_shrunk_total":            func(t *Totals) *uint64 { return &t.AlertsShrunk },
		"headers_omitted_total":          func(t *Totals) *uint64 { return &t.HeadersOmitted },
		"marked_findings_acked_total":    func(t *Totals) *uint64 { return &t.UnpublishedAcked },
		"dead_letters_acked_total":       func(t *Totals) *uint64 { return &t.DeadLettersAcked },
		"redelivered_total":              func(t *Totals) *uint64 { return &t.Redelivered },
		"event_copies_total":             func(t *Totals) *uint64 { return &t.Copies },
		"events_invalid_utf8_total":      func(t *Totals) *uint64 { return &t.BadUTF8 },
		"events_read_only_missing_total": func(t *Totals) *uint64 { return &t.ReadOnlyMissing },
		"events_read_only_odd_total":     func(t *Totals) *uint64 { return &t.ReadOnlyOdd },
		"commits_total":                  func(t *Totals) *uint64 { return &t.Commits },
		"commit_failures_total":          func(t *Totals) *uint64 { return &t.CommitFailures },
		"transactions_committed_total":   func(t *Totals) *uint64 { return &t.Committed },
		"transactions_aborted_total":     func(t *Totals) *uint64 { return &t.Aborted },
		"records_dropped_total":          func(t *Totals) *uint64 { return &t.Dropped },
		"topics_recreated_total":         func(t *Totals) *uint64 { return &t.Recreated },
		"start_skipped_records_total":    func(t *Totals) *uint64 { return &t.StartSkipped },
		"data_losses_total":              func(t *Totals) *uint64 { return &t.DataLosses },
		"foreign_members":                func(t *Totals) *uint64 { return &t.Foreign },
	}
	if len(totals) != len(counters)+1 {
		t.Errorf("%d counters are tested, want all %d and the gauge", len(totals), len(counters))
	}
	r, tally := registered(t)
	before := processortest.Scrape(t, r)
	for name, total := range totals {
		tally.Update(func(all *Totals) { *total(all) += 7 })
		after := processortest.Scrape(t, r)
		if after[Namespace+"_"+name] != before[Namespace+"_"+name]+7 {
			t.Errorf("%s is not shown", name)
		}
		for metric, v := range after {
			if want := before[metric]; metric == Namespace+"_"+name && v != want+7 || metric != Namespace+"_"+name && v != want {
				t.Errorf("%s grows by 7: %s is %v after %v", name, metric, v, want)
			}
		}
		before = after
	}
}

// A snapshot stays as it is while the counts go on.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	var tally Tally
	count := func(all *Totals) {
		if all.Exempted == nil {
			all.Exempted = make(map[string]uint64)
		}
		all.Exempted["x"]++
	}
	tally.Update(count)
	before := tally.Snapshot()
	tally.Update(count)
	if before.Exempted["x"] != 1 || tally.Snapshot().Exempted["x"] != 2 {
		t.Errorf("%v and %v", before.Exempted, tally.Snapshot().Exempted)
	}
}
