package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// A bar is as long as it takes for at most maxBars of them, and they start and end with the alerts.
func TestTimelineSteps(t *testing.T) {
	f := func(hours int64, wantEach string, wantBars int) {
		t.Helper()
		c := NewCollector()
		const first = 30 * 24 * 600 // a multiple of each step but the longest
		c.hours[first], c.hours[first+hours] = 2, 1
		if hours == 0 {
			c.hours[first] = 3
		}
		got := c.timeline()
		if got.Each != wantEach || got.Width != wantBars*barWidth || got.Timed != 3 || got.First != "2019-04-14 00:00" {
			t.Errorf("%d hours: %s each, width %d, %d timed, from %s; want %s, %d bars", hours, got.Each, got.Width, got.Timed, got.First, wantEach, wantBars)
		}
		if want := time.Unix((first+hours+1)*3600, 0).UTC().Format("2006-01-02 15:04"); got.Last != want {
			t.Errorf("%d hours: to %s, want %s", hours, got.Last, want)
		}
		if hours == 0 {
			return
		}
		last := got.Bars[len(got.Bars)-1]
		if len(got.Bars) != 2 || got.Most != 2 || got.Bars[0] != (bar{0, 0, chartHeight, 2, got.First}) ||
			last.Height != chartHeight/2 || last.Y != chartHeight/2 || last.X != (wantBars-1)*barWidth || last.Count != 1 {
			t.Errorf("%d hours: most %d, bars %+v", hours, got.Most, got.Bars)
		}
	}
	f(0, "1 hour", 1)
	f(1, "1 hour", 2)
	f(89, "1 hour", 90)
	f(90, "6 hours", 16)
	f(90*6-1, "6 hours", 90)
	f(90*6, "1 day", 23)
	f(90*24-1, "1 day", 90)
	if got := NewCollector().timeline(); got.Bars != nil || got.First != "" {
		t.Errorf("without alerts: %+v", got)
	}
}

// The height of a bar is never zero.
func TestTimelineShowsOneOfMany(t *testing.T) {
	c := NewCollector()
	c.hours[1], c.hours[2] = 1_000_000, 1
	if got := c.timeline(); len(got.Bars) != 2 || got.Bars[1].Height != 1 || got.Bars[1].Y != chartHeight-1 {
		t.Errorf("%+v", got.Bars)
	}
}

func TestShade(t *testing.T) {
	for _, test := range []struct {
		n, most uint64
		want    int
	}{{0, 9, 0}, {9, 9, 5}, {4, 9, 5}, {3, 9, 4}, {1, 9, 3}, {1, 81, 1}, {1, 1_000_000, 1}, {1, 1, 5}} {
		if got := shade(test.n, test.most); got != test.want {
			t.Errorf("%d of %d: %d, want %d", test.n, test.most, got, test.want)
		}
	}
}

// The accounts and regions with the most alerts are shown, and the rest counted.
func TestHeatMap(t *testing.T) {
	c := NewCollector()
	for i := range maxRows + 1 {
		account := "account " + string(rune('A'+i))
		c.cells[cell{account, "b"}] = uint64(i + 2)
		c.alerts += uint64(i + 2)
	}
	c.cells[cell{"account Z", "a"}], c.alerts = 1, c.alerts+1
	m := c.heatMap(strings.ToUpper)
	if len(m.Rows) != maxRows || m.Accounts != maxRows+1 || !m.MoreAccounts || m.MoreRegions || m.AllRegions != 2 || m.More != "" ||
		!slices.Equal(m.Regions, []string{"a", "b"}) || m.Hidden != 2 || m.Shown != c.alerts-2 {
		t.Errorf("%+v", m)
	}
	row := m.Rows[0]
	if row.Account != "account i" || row.Name != "ACCOUNT I" || row.Total != maxRows+2 || !slices.Equal(row.Cells, []heatCell{{0, 0}, {maxRows + 2, shades}}) {
		t.Errorf("%+v", row)
	}
	c.others.cells = 1
	if m := c.heatMap(strings.ToUpper); m.More != "more than " {
		t.Errorf("more: %q", m.More)
	}
}

// A heat map of exactly so many accounts and regions hides none.
func TestHeatMapBounds(t *testing.T) {
	for extra, more := range map[int]bool{0: false, 1: true} {
		c := NewCollector()
		for i := range maxRows + extra {
			c.cells[cell{fmt.Sprint(i), "a"}] = 1
		}
		for i := range maxCols + extra - 1 {
			c.cells[cell{"0", fmt.Sprint(i)}] = 1
		}
		if m := c.heatMap(strings.ToUpper); m.MoreAccounts != more || m.MoreRegions != more || len(m.Rows) != maxRows || len(m.Regions) != maxCols {
			t.Errorf("%d more: %d accounts, %t, %d regions, %t", extra, len(m.Rows), m.MoreAccounts, len(m.Regions), m.MoreRegions)
		}
	}
}

// Of the exceptions that exempted events, up to a bound are listed.
func TestListedExceptions(t *testing.T) {
	var o policy.Options
	exempted := make(map[string]uint64)
	for i := range maxListed + 1 {
		x := policy.Exception{Name: fmt.Sprint(i), EventNames: []string{"Put*"}}
		o.Exceptions = append(o.Exceptions, x)
		exempted[x.Name] = 1
	}
	p, err := policy.Compile(o)
	if err != nil {
		t.Fatal(err)
	}
	v := view{Source: Source{Policy: p, Summary: new(scan.Summary)}}
	v.Summary.Counts.Exempted = exempted
	if v.addExceptions(); len(v.Exceptions) != maxListed {
		t.Errorf("%d are listed", len(v.Exceptions))
	}
}

// alertAt is an alert with an id and a time, of which either may be missing.
func alertAt(id, at, region, severity string) *alert.Alert {
	a := &alert.Alert{ID: id, Severity: severity, Principal: alert.Principal{Name: "n"}, AWSRegion: []byte(`"` + region + `"`), EventSource: []byte(`"ec2.amazonaws.com"`), EventName: []byte(`"x"`)}
	if at != "" {
		a.EventTime = []byte(`"` + at + `"`)
	}
	return a
}

// The evidence is the earliest alerts, in whatever order they come; those without a time are last.
func TestExamples(t *testing.T) {
	alerts := []*alert.Alert{
		alertAt("d", "2026-03-01T08:30:02Z", "r", "Low"), alertAt("b", "2026-03-01T08:30:00Z", "r", "High"), alertAt("f", "", "r", "Low"),
		alertAt("e", "1969-12-31T23:59:59Z", "r", "Low"), alertAt("c", "2026-03-01T08:30:01Z", "r", "Low"), alertAt("a", "2026-03-01T08:30:00Z", "s", "Low"),
	}
	alerts[0].ErrorCode = []byte(`"AccessDenied"`)
	alerts[1].ErrorCode = []byte(`null`)
	for range 2 {
		c := NewCollector()
		for _, a := range alerts {
			c.Add(a)
		}
		p := c.principals["n"]
		var got []string
		for _, x := range p.examples {
			got = append(got, x.ID)
		}
		if !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) || p.alerts != 6 || p.failed != 1 || alert.Severities[p.severity] != "High" || c.others.times != 2 {
			t.Errorf("%q of %d, %d failed, severity %d, %d without a time", got, p.alerts, p.failed, p.severity, c.others.times)
		}
		if p.regions.Len() != 2 || c.cells[cell{"unknown", "r"}] != 5 || p.examples[0].Event != "ec2 x" {
			t.Errorf("%d regions, cells %v, %q", p.regions.Len(), c.cells, p.examples[0].Event)
		}
		slices.Reverse(alerts)
	}
}

// What a principal has of one kind is counted apart up to a bound.
func TestNamesOfAPrincipal(t *testing.T) {
	c := NewCollector()
	for i := range 42 {
		c.Add(alertAt("", "", "r"+string(rune('A'+i)), "Low"))
	}
	c.Add(alertAt("", "", "rA", "Low"))
	if p := c.principals["n"]; p.regions.Len() != 40 || p.regions.Others != 2 || p.events.Len() != 1 || p.events.Others != 0 {
		t.Errorf("%d regions and %d others, %d events", p.regions.Len(), p.regions.Others, p.events.Len())
	}
}

// The words say what could not be read and what did not alert, each only where there is something to say.
func TestWords(t *testing.T) {
	v := view{Source: Source{Policy: compiled(t), Given: 3, Summary: &scan.Summary{}}}
	if got := v.words(); len(got) != 1 || !strings.Contains(got[0], "None alerted.") {
		t.Errorf("%q", got)
	}
	s := v.Summary
	s.Counts.Outcomes[policy.OutcomeExempted], s.Counts.Outcomes[policy.OutcomeShadowed], s.Counts.DeadLettered = 1, 1, 1
	want := []string{"Exceptions exempted 1 event.", "1 finding in shadow mode did not alert.", "1 record could not be read in full, so this report may lack something."}
	if got := v.words(); !slices.Equal(got[1:], want) {
		t.Errorf("%q", got)
	}
	s.Unopened, s.Unreadable = 2, 1
	if got := v.words(); got[len(got)-1] != "3 files could not be read." {
		t.Errorf("%q", got)
	}
	s.Unopened = 0
	if got := v.words(); got[len(got)-1] != "1 file could not be read." {
		t.Errorf("%q", got)
	}
}
