package policy

import (
	"slices"
	"testing"
	"time"
)

func TestGrouping(t *testing.T) {
	var none *Incidents
	standard := none.Grouping()
	const want = "window 24h; threshold 1 alerts; quiet 1h; grace 24h; update_interval 5m; escalations 10, 100, 1000, 10000, 100000, 1000000"
	if got := standard.Text(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	f := func(g Incidents, want ...string) {
		t.Helper()
		own := g.Grouping()
		if got := own.Differences(&standard); !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", g, got, want)
		}
	}
	f(Incidents{})
	f(DefaultIncidents)
	f(Incidents{Window: time.Hour}, "window 1h, was 24h")
	f(Incidents{ByAction: true}, "threshold 1 actions, was 1 alerts")
	f(Incidents{Threshold: 25}, "threshold 25 alerts, was 1 alerts")
	f(Incidents{Quiet: 90 * time.Minute, Grace: 10 * time.Second}, "quiet 1h30m, was 1h", "grace 10s, was 24h")
	f(Incidents{Update: time.Hour + 10*time.Second}, "update_interval 1h0m10s, was 5m")
	f(Incidents{Escalations: []uint64{7}}, "escalations 7, was 10, 100, 1000, 10000, 100000, 1000000")
}
