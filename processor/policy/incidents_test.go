package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The closest level says how alerts are grouped, whole: what it leaves out is the program's default, not another level's.
func TestIncidentsPerLevel(t *testing.T) {
	o := Options{
		Default:  Level{Incidents: &Incidents{Window: time.Hour, Threshold: 5}},
		Groups:   []Group{{Name: "g", Accounts: []string{"111111111111"}, Level: &Level{UnusedRegions: []string{"eu-west-3"}, Incidents: &Incidents{Quiet: time.Minute}}}},
		Accounts: []Account{{ID: "222222222222", Level: &Level{UnusedRegions: []string{"eu-west-3"}}}},
	}
	p, err := Compile(o)
	if err != nil {
		t.Fatal(err)
	}
	f := func(account string, window, quiet time.Duration, threshold uint64) {
		t.Helper()
		if g := p.Incidents(account); g.Window != window || g.Quiet != quiet || g.Threshold != threshold {
			t.Errorf("account %s: %+v", account, g)
		}
	}
	f("333333333333", time.Hour, time.Hour, 5)
	f("", time.Hour, time.Hour, 5)
	f("111111111111", 24*time.Hour, time.Minute, 1)
	f("222222222222", 24*time.Hour, time.Hour, 1)
}

// A duration has its bounds, and a threshold of actions is no higher than what an incident tells apart.
//
// Guard: MaxActions in checkIncidents.
func TestIncidentsBounds(t *testing.T) {
	f := func(g Incidents, want string) {
		t.Helper()
		_, err := Compile(Options{Default: Level{Incidents: &g}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if faults, ok := errors.AsType[Faults](err); ok {
			wantItems(t, faults)
		}
	}
	const day = 24 * time.Hour
	for name, x := range map[string]struct {
		of          func(d time.Duration) Incidents
		least, most time.Duration
	}{
		"window":          {func(d time.Duration) Incidents { return Incidents{Window: d} }, 5 * time.Minute, 31 * day},
		"quiet":           {func(d time.Duration) Incidents { return Incidents{Quiet: d} }, time.Second, 7 * day},
		"grace":           {func(d time.Duration) Incidents { return Incidents{Grace: d} }, time.Second, 31 * day},
		"update_interval": {func(d time.Duration) Incidents { return Incidents{Update: d} }, time.Second, day},
	} {
		allowed := fmt.Sprintf("; allowed: whole seconds from %s to %s", x.least, x.most)
		f(x.of(x.least), "")
		f(x.of(x.most), "")
		for _, d := range []time.Duration{-time.Second, x.least - time.Second/2, x.least + time.Second/2, x.most + time.Second} {
			f(x.of(d), name+" is "+d.String()+allowed)
		}
	}
	const ascending = "escalations must be alert counts of at least 1 in ascending order"
	f(Incidents{Escalations: []uint64{1, 2, 10}}, "")
	f(Incidents{Escalations: []uint64{0, 1}}, ascending)
	f(Incidents{Escalations: []uint64{2, 1}}, ascending)
	f(Incidents{Escalations: []uint64{1, 1}}, ascending)
	f(Incidents{Threshold: 1_000_000}, "")
	f(Incidents{Threshold: 1_000_001}, "threshold is 1000001; allowed: 1 to 1000000")
	f(Incidents{Threshold: MaxActions, ByAction: true}, "")
	f(Incidents{Threshold: MaxActions + 1, ByAction: true}, "threshold is 201; allowed: 1 to 200")
}

// A level that names no escalations has the program's; one that names none on purpose, or some, has those.
func TestIncidentsEscalations(t *testing.T) {
	f := func(given, want []uint64) {
		t.Helper()
		p, err := Compile(Options{Default: Level{Incidents: &Incidents{Threshold: 2, Escalations: given}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Incidents("").Escalations; !slices.Equal(got, want) {
			t.Errorf("%d: %d, want %d", given, got, want)
		}
	}
	f(nil, DefaultIncidents.Escalations)
	f([]uint64{}, nil)
	f(DefaultIncidents.Escalations[:1], DefaultIncidents.Escalations[:1])
}

// The hash of a policy that says nothing of incidents is what it was before there were any.
func TestIncidentsInTheHash(t *testing.T) {
	hash := func(g *Incidents) string {
		p, err := Compile(Options{Default: Level{Incidents: g}})
		if err != nil {
			t.Fatal(err)
		}
		return p.Hash()
	}
	const bare = "sha256:3dd7f48a2200"
	if got := hash(nil); got != bare {
		t.Errorf("without incidents: %s, want %s", got, bare)
	}
	if hash(&Incidents{}) == hash(&Incidents{Threshold: 2}) {
		t.Error("a threshold does not change the hash")
	}
}
