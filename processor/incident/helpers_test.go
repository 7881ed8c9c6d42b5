package incident

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

var day = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

func alertID(n int) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// fact returns an alert of one principal, region and account; change makes it another.
func fact(n int, at time.Time, change ...func(*alert.Facts)) *alert.Facts {
	f := &alert.Facts{
		ID: alertID(n), RuleID: "AWS.UnusedRegion", Severity: "High", Level: "default", Time: at, Stamp: at,
		Account: "111122223333", Region: "eu-west-3", Source: "ec2.amazonaws.com", Action: "RunInstances",
		Address: "192.0.2.1", Agent: "aws-cli", Principal: alert.Principal{Type: "AssumedRole", Name: "dev"},
		Actor: "arn:aws:iam::111122223333:role/dev",
	}
	for _, c := range change {
		c(f)
	}
	return f
}

func settings(change ...func(*policy.Incidents)) func(string) policy.Incidents {
	g := policy.DefaultIncidents
	for _, c := range change {
		c(&g)
	}
	return func(string) policy.Incidents { return g }
}

// traffic returns random alerts of few principals over three days, ids from 1.
func traffic(r *rand.Rand, n int) []*alert.Facts {
	list := make([]*alert.Facts, n)
	for i := range list {
		list[i] = fact(i+1, day.Add(time.Duration(r.IntN(3*24*3600))*time.Second), func(f *alert.Facts) {
			f.Account = []string{"111122223333", "444455556666", ""}[r.IntN(3)]
			f.Region = []string{"eu-west-3", "ap-east-1"}[r.IntN(2)]
			f.Actor = fmt.Sprintf("actor %d", r.IntN(4))
			f.Action = fmt.Sprintf("Action%d", r.IntN(6))
			f.Failed, f.Partial = r.IntN(2) == 0, r.IntN(9) == 0
			f.Severity = alert.Severities[r.IntN(5)]
			f.AccountFacts = fmt.Appendf(nil, `{"name":%q}`, f.Account+strings.Repeat("x", i%3))
			switch r.IntN(20) {
			case 0:
				f.Time = time.Time{}
			case 1:
				f.Time = day.AddDate(80, 0, 0)
			case 2:
				f.Time = time.Unix(0, 0).UTC()
			}
		})
	}
	return list
}

// truth is the slow oracle: it knows all alerts at once and groups them by what is written on them.
func truth(list []*alert.Facts, window time.Duration) map[string]string {
	members := map[string]map[uuid.UUID]*alert.Facts{}
	for _, f := range list {
		at := f.Time
		if at.IsZero() {
			at = f.Stamp
		}
		if limit := f.Stamp.Add(time.Hour); at.After(limit) {
			at = limit
		}
		k := incident.Key{Rule: f.RuleID, Account: f.Account, Region: f.Region, Actor: f.Actor}
		if f.Account == "" {
			k.Partition = 7
		}
		seconds := int64(window / time.Second)
		id := incident.ID(&k, time.Unix(at.Unix()/seconds*seconds, 0)).String()
		if members[id] == nil {
			members[id] = map[uuid.UUID]*alert.Facts{}
		}
		members[id][f.ID] = f
	}
	told := map[string]string{}
	for id, m := range members {
		var c incident.Counts
		var worst int
		actions := map[string]bool{}
		for _, f := range m {
			c.Alerts++
			if f.Failed {
				c.Failed++
			}
			if f.Partial {
				c.Partial++
			}
			worst = max(worst, int(severityOf(f.Severity)))
			actions[f.Action] = true
		}
		c.Succeeded, c.Actions = c.Alerts-c.Failed, uint64(len(actions))
		told[id] = fmt.Sprintf("%+v %s", c, alert.Severities[worst])
	}
	return told
}

// tell returns what a Grouper knows in the words of truth.
func tell(g *Grouper) map[string]string {
	told := map[string]string{}
	for _, i := range g.All() {
		told[i.ID] = fmt.Sprintf("%+v %s", i.Counts, i.Severity)
	}
	return told
}

// same reports every difference, and whether the alerts add up.
func same(t *testing.T, g *Grouper, want map[string]string, distinct int) {
	t.Helper()
	got := tell(g)
	for id, w := range want {
		if got[id] != w {
			t.Errorf("incident %s: %s, want %s", id, got[id], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d incidents, want %d", len(got), len(want))
	}
	addsUp(t, g)
	if c := g.Counts(); c.Counted+c.Late+c.Below != uint64(distinct) {
		t.Errorf("%+v: want %d distinct alerts", c, distinct)
	}
}

func addsUp(t *testing.T, g *Grouper) {
	t.Helper()
	c := g.Counts()
	if c.Read != c.Counted+c.Repeated+c.Below+c.Late {
		t.Errorf("%+v does not add up", c)
	}
	var sum uint64
	for _, i := range g.All() {
		sum += i.Counts.Alerts
	}
	if sum > c.Counted+c.Late {
		t.Errorf("%d alerts in incidents, %d counted and %d late", sum, c.Counted, c.Late)
	}
	chargedRight(t, g)
	indexedRight(t, g)
}

// charged returns the memory that everything is charged with.
func (b *Budget) charged() int64 {
	return b.incidents.Load()*incidentBytes + b.ids.Load()*idBytes + b.sketches.Load() + b.gone.Load()*goneBytes + b.detail.Load()
}

// chargedRight reports what a Grouper is charged with too much or too little.
func chargedRight(t *testing.T, g *Grouper) {
	t.Helper()
	want := share{of: g.share.of, incidents: int64(len(g.entries)), gone: int64(len(g.gone.order)), due: g.share.due}
	facts := map[*account]map[string]bool{}
	for _, e := range g.entries {
		if e.detail != e.size() {
			t.Errorf("incident %s: %d bytes are charged, it has %d", e.id, e.detail, e.size())
		}
		want.ids += int64(e.ids.len())
		want.sketches += int64(e.ids.sketchSize())
		want.detail += int64(e.size())
		if facts[e.account] == nil {
			facts[e.account] = map[string]bool{}
		}
		facts[e.account][e.facts] = true
	}
	for _, a := range g.accounts {
		want.detail += int64(a.size() + a.detail)
		least := 0
		for f := range facts[a] {
			least += len(f)
		}
		if a.detail < least || least == 0 && a.detail > 0 && a.entries == 0 {
			t.Errorf("account %q: %d bytes are charged for facts, it has %d", a.id, a.detail, least)
		}
	}
	if g.share != want {
		t.Errorf("charged %+v, want %+v", g.share, want)
	}
}

// indexedRight reports entries that an index lacks, or has too many of.
func indexedRight(t *testing.T, g *Grouper) {
	t.Helper()
	entries, ended, windows, actors := map[*account]int{}, map[*account]int{}, map[*bucket]int{}, 0
	for id, e := range g.entries {
		entries[e.account]++
		if e.inWindow() {
			b := e.account.buckets[e.start]
			if windows[b]++; e.storm != (b.storm == e) {
				t.Errorf("incident %s: storm %t, its window has %v", id, e.storm, b.storm)
			}
		}
		if e.timer == 0 || g.timers[e.timer-1] != e {
			t.Errorf("incident %s has no timer", id)
		}
		found := 0
		for o := range g.of(e.actorKey()) {
			if o == e {
				found++
			}
		}
		if actors += found; found > 1 || (found == 1) != e.hasActor() {
			t.Errorf("incident %s is %d times among those of its principal", id, found)
		}
	}
	chained := 0
	for _, e := range g.actors {
		for ; e != nil; e = e.sibling {
			chained++
		}
	}
	for _, e := range g.gone.ended {
		ended[e.account]++
	}
	buckets := 0
	for _, a := range g.accounts {
		buckets += len(a.buckets)
		if a.entries != entries[a] || a.ended != ended[a] || a.entries+a.ended == 0 {
			t.Errorf("account %q: %d incidents and %d ended, want %d and %d", a.id, a.entries, a.ended, entries[a], ended[a])
		}
	}
	for b, n := range windows {
		if b.entries != n {
			t.Errorf("a window has %d incidents, want %d", b.entries, n)
		}
	}
	if len(g.timers) != len(g.entries) || chained != actors || buckets != len(windows) || len(g.gone.ended) != len(g.gone.order) {
		t.Errorf("%d timers of %d incidents, %d of %d actors, %d of %d windows, %d of %d ended",
			len(g.timers), len(g.entries), chained, actors, buckets, len(windows), len(g.gone.order), len(g.gone.ended))
	}
}

// written returns what was written: activity, revision and reasons of each incident.
func written(list []*incident.Incident) string {
	var told []string
	for _, i := range list {
		s := fmt.Sprintf("%s %d", i.Activity, i.Counts.Alerts)
		if len(i.Escalations) > 0 {
			s += " " + i.Escalations[len(i.Escalations)-1].Reason
		}
		told = append(told, s)
	}
	return strings.Join(told, ", ")
}
