package incident

import (
	"fmt"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// A window is that of its segment, cut where another segment begins.
//
// Guards: each line of window.
func TestWindow(t *testing.T) {
	const hour = int64(3600)
	at := func(hours float64) time.Time { return day.Add(time.Duration(hours * float64(time.Hour))) }
	s := schedule{{Window: 24 * hour}, {day.Unix(), hour}, {day.Unix() + 10*hour + 1800, 24 * hour}}
	for _, c := range []struct{ at, start, end time.Time }{
		{time.Unix(-1, 0), time.Unix(-24*hour, 0), time.Unix(0, 0)}, {time.Unix(0, 0), time.Unix(0, 0), time.Unix(24*hour, 0)},
		{at(-24), at(-24), at(0)}, {at(0).Add(-time.Second), at(-24), at(0)}, {at(0), at(0), at(1)}, {at(1).Add(-time.Second), at(0), at(1)},
		{at(1), at(1), at(2)}, {at(10), at(10), at(10.5)}, {at(10.5), at(10.5), at(24)}, {at(24), at(24), at(48)},
	} {
		if got := s.window(c.at); !got.Start.Equal(c.start) || !got.End.Equal(c.end) {
			t.Errorf("%s: %v, want %s to %s", c.at, got, c.start, c.end)
		}
	}
	if got := (schedule{{Window: 24 * hour}, {day.Unix() + 1800, hour}}).window(at(0.75)); !got.Start.Equal(at(0.5)) {
		t.Errorf("%v begins before its segment", got)
	}
}

// A schedule changes after every window that can have alerts, forgets what had not begun, and remembers so many changes.
//
// Guards: each line of change.
func TestChange(t *testing.T) {
	const hour = int64(3600)
	var s schedule
	change := func(hours int64, clock time.Time, differs bool, want schedule) {
		t.Helper()
		if got := s.change(time.Duration(hours)*time.Hour, clock); got != differs || fmt.Sprint(s) != fmt.Sprint(want) {
			t.Errorf("%d hours at %s: %t, %v, want %t, %v", hours, clock, got, s, differs, want)
		}
	}
	next := day.Unix() + 24*hour
	change(24, day, true, schedule{{0, 24 * hour}})
	change(24, day, false, schedule{{0, 24 * hour}})
	change(1, day.Add(21*time.Hour), true, schedule{{0, 24 * hour}, {next, hour}})
	change(2, day.Add(21*time.Hour), true, schedule{{0, 24 * hour}, {next, 2 * hour}})
	change(24, day.Add(21*time.Hour), true, schedule{{0, 24 * hour}})
	change(1, day.Add(22*time.Hour), true, schedule{{0, 24 * hour}, {next + 24*hour, hour}}) // an alert may be two hours ahead
	clock := day.AddDate(0, 0, 9)
	for n := range int64(maxSegments - 2) {
		s.change(time.Duration(2+n)*time.Hour, clock)
		clock = clock.AddDate(0, 0, 9)
	}
	if len(s) != maxSegments || s[0].Window != 24*hour {
		t.Fatalf("%d segments: %v", len(s), s)
	}
	whole := s
	s.change(30*time.Hour, clock)
	if len(s) != maxSegments || s[0] != (segment{0, hour}) || s[1] != whole[2] || s[maxSegments-1].Window != 30*hour {
		t.Errorf("%v after one more, before it %v", s, whole)
	}
}

// An alert as far ahead as any may be counts once, although the windows change before it is repeated.
//
// Guard: 2 in change.
func TestChangeAfterAnAlertAhead(t *testing.T) {
	now := policy.DefaultIncidents
	now.Window = 15 * time.Minute
	g := New(Options{Settings: func(string) policy.Incidents { return now }})
	clock := day.Add(10*time.Hour + 30*time.Minute)
	ahead := fact(1, clock.Add(115*time.Minute), func(f *alert.Facts) { f.Stamp = clock.Add(59 * time.Minute) })
	g.Add(ahead, clock)
	now.Window = time.Hour
	g.Add(fact(2, clock), clock)
	g.Add(ahead, clock)
	if c := g.Counts(); c != (Counts{Read: 3, Counted: 2, Repeated: 1}) {
		t.Errorf("%+v", c)
	}
}

// The time of an alert is its event's, and no further ahead than its record may be of the clock.
//
// Guards: each line of eventTime.
func TestEventTime(t *testing.T) {
	noon := day.Add(12 * time.Hour)
	for name, c := range map[string]struct{ time, stamp, want time.Time }{
		"event":                    {noon.Add(-time.Hour), noon, noon.Add(-time.Hour)},
		"no event time":            {time.Time{}, noon.Add(-time.Minute), noon.Add(-time.Minute)},
		"neither":                  {time.Time{}, time.Time{}, noon},
		"an hour ahead":            {noon.Add(time.Hour), noon, noon.Add(time.Hour)},
		"more":                     {noon.Add(time.Hour + 1), noon, noon.Add(time.Hour)},
		"more than its record":     {noon.Add(time.Hour), noon.Add(-time.Minute), noon.Add(59 * time.Minute)},
		"a record ahead":           {time.Time{}, noon.Add(time.Hour - 1), noon.Add(time.Hour - 1)},
		"a record an hour ahead":   {time.Time{}, noon.Add(time.Hour), noon},
		"both far ahead":           {noon.AddDate(9, 0, 0), noon.AddDate(9, 0, 0), noon.Add(time.Hour)},
		"a record and its event":   {noon.Add(90 * time.Minute), noon.Add(59 * time.Minute), noon.Add(90 * time.Minute)},
		"before there were clouds": {time.Unix(1, 0), noon, time.Unix(1, 0)},
	} {
		f := &alert.Facts{Time: c.time, Stamp: c.stamp}
		if got := eventTime(f, noon); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Where an alert belongs is where a Grouper puts it.
func TestPlace(t *testing.T) {
	hourly := policy.DefaultIncidents
	hourly.Window = time.Hour
	at := day.Add(90 * time.Minute)
	k, w := Place(fact(1, at), 7, at, &hourly)
	want := incident.Key{Rule: "AWS.UnusedRegion", Account: "111122223333", Region: "eu-west-3", Actor: "arn:aws:iam::111122223333:role/dev"}
	if k != want || !w.Start.Equal(day.Add(time.Hour)) || !w.End.Equal(day.Add(2*time.Hour)) {
		t.Errorf("%+v in %v", k, w)
	}
	g := New(Options{Partition: 7, Settings: func(string) policy.Incidents { return hourly }})
	g.Add(fact(1, at), at)
	if all := g.All(); len(all) != 1 || all[0].ID != incident.ID(&k, w.Start).String() {
		t.Errorf("%+v", all)
	}
	if k, _ = Place(fact(1, at, unnamed), 7, at, &hourly); k.Partition != 7 || k.Account != "" {
		t.Errorf("without an account: %+v", k)
	}
	if k = KeyOf(fact(1, at, unnamed), 7); k.Partition != 7 {
		t.Errorf("without an account, in partition 7: %+v", k)
	}
	if k = KeyOf(fact(1, at), 7); k.Partition != 0 {
		t.Errorf("with an account, in partition 7: %+v", k)
	}
}
