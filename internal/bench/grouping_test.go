package bench

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// Generated alerts can be grouped, each in the incident that it is of, and the state of many incidents is restored.
func TestMeasureGrouping(t *testing.T) {
	t.Parallel()
	grown, done := 0, 0
	grow := func() func() {
		grown++
		return func() { done++ }
	}
	o := GroupingOptions{Alerts: 2_500, Incidents: 3_000, Each: 50, Step: func(string) {}, Grow: grow}
	g, err := MeasureGrouping(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if g.Incidents != 3_000 || g.IDs < 100_000 || g.Restored < 6_000 || g.GroupCPU <= 0 || g.RestoreCPU <= 0 || g.Took <= 0 || g.Memory < g.Live || g.Live == 0 {
		t.Errorf("%+v", g)
	}
	if grown != 1 || done != 1 {
		t.Errorf("the heap grows %d times, and is done %d times", grown, done)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := MeasureGrouping(ctx, o); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The same seed gives the same alerts, which are all different.
func TestAlerts(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	a, b := NewAlerts(1, 50, day), NewAlerts(1, 50, day)
	ids, accounts := map[uuid.UUID]bool{}, map[string]bool{}
	for range 20_000 {
		key, value := a.Next()
		if _, again := b.Next(); !bytes.Equal(value, again) {
			t.Fatalf("%s\n%s", value, again)
		}
		f, err := alert.ReadFacts(value)
		if err != nil || f.Account != string(key) || f.Time.Truncate(24*time.Hour) != day || !strings.HasPrefix(f.Actor, "arn:aws:iam::"+f.Account+":role/team-") {
			t.Fatalf("%+v, %v", f, err)
		}
		ids[f.ID], accounts[f.Account] = true, true
	}
	if len(ids) != 20_000 || len(accounts) != 2 {
		t.Errorf("%d ids and %d accounts", len(ids), len(accounts))
	}
}
