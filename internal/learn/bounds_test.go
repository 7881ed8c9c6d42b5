package learn

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// written is a write of a role.
func written(account uint64, region, role string, at time.Time) *cloudtrail.Event {
	text := func(s string) cloudtrail.Value { return cloudtrail.Value(`"` + s + `"`) }
	return &cloudtrail.Event{
		AWSRegion: text(region), EventSource: text("ec2.amazonaws.com"), EventName: text("RunInstances"), ReadOnly: cloudtrail.Value("false"),
		RecipientAccountID: text(fmt.Sprintf("%012d", account)), EventTime: text(at.Format(time.RFC3339)),
		UserIdentity: cloudtrail.Value(fmt.Sprintf(`{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::%012d:role/%s"}}}`, account, role)),
	}
}

// Whatever the order of the events, and whichever learners they go to, the draft and its evidence are the same, byte for
// byte, beyond every limit too.
func TestOrderMakesNoDifference(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var events [][]byte
	for range 12000 {
		c := call{
			account: fmt.Sprintf("%012d", random.IntN(8)), region: catalogue[random.IntN(3)].Code, role: fmt.Sprint("r", random.IntN(300)),
			day: random.IntN(400), failed: random.IntN(5) == 0, read: random.IntN(5) == 0, root: random.IntN(50) == 0,
			source: fmt.Sprintf("s%d.amazonaws.com", random.IntN(100)),
		}
		if random.IntN(10) == 0 {
			c.service = "cloudformation.amazonaws.com"
		}
		events = append(events, c.event())
	}
	want := ""
	for round := range 8 {
		got := learnApart(t, events, 1+round)
		if want == "" {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d: %s", round, diff)
		}
		random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	}
}

// learnApart learns with several learners that meet now and then, and returns the policy and the evidence.
func learnApart(t *testing.T, events [][]byte, learners int) string {
	t.Helper()
	all := NewLearner(end)
	all.limit = 10
	apart := make([]*Learner, learners)
	for i := range apart {
		apart[i] = all.Apart()
	}
	decoder := cloudtrail.NewDecoder(0)
	for i, e := range events {
		if err := decoder.Decode(e, sink{t, apart[i%learners]}); err != nil {
			t.Fatal(err)
		}
		if i%997 == 0 {
			all.Merge(apart[i%learners])
		}
	}
	for _, l := range apart {
		all.Merge(l)
	}
	draft := all.Draft(Options{})
	if s := draft.Skipped; s.TooMany == 0 || all.Len() != 10 {
		t.Fatalf("%+v, %d places: no limit was reached", s, all.Len())
	}
	var out bytes.Buffer
	if err := errors.Join(draft.Write(&out), draft.WriteNDJSON(&out), draft.WriteCSV(&out)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A time is read as the standard library does, or not believed, with and without the shortcut for the same date.
func TestClock(t *testing.T) {
	c := newClock(end)
	for _, text := range []string{
		"2026-11-28T11:59:59Z", "2026-11-28T00:00:00Z", "2026-11-28T24:00:00Z", "2026-11-28T10:60:00Z", "2026-11-28T10:00:60Z",
		"2026-11-28t10:00:00Z", "2026-11-28T1:000:00Z", "2026-11-28T10:00:00z", "2026-11-28T10:00:00.5Z", "2026-11-28T23:59:59+14:00",
		"2026-11-27T10:00:0:Z", "2026-11-27T10:00:00Z", "2026-11-28T10:00:00Z", "2026-11-28T10 00:00Z", "2026-11-28T13:00:00Z",
		"1970-01-02T00:00:00Z", "2026-02-30T00:00:00Z", "", "yesterday", "9999-12-31T23:59:59Z",
	} {
		var want time.Time
		if err := want.UnmarshalText([]byte(text)); err != nil || want.After(end) || want.Year() < 2000 {
			want = time.Unix(0, 0)
		}
		for range 2 {
			if got := c.unix([]byte(text)); got != want.Unix() {
				t.Errorf("%q: %d, want %d", text, got, want.Unix())
			}
		}
	}
}

// An event of a place, a source and a principal that were seen before allocates nothing.
func TestAddAllocatesNothing(t *testing.T) {
	l, e := NewLearner(end), written(1, "us-east-1", "deploy", end.Add(-time.Hour))
	other := written(2, "eu-west-1", "admin", end.Add(-time.Hour))
	if n := testing.AllocsPerRun(100, func() { l.Add(e); l.Add(other) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Many principals who take turns for months are a team at work, though none of them is counted often.
func TestManyPrincipals(t *testing.T) {
	l, random := NewLearner(end), rand.New(rand.NewPCG(1, 1))
	for i := range 400 {
		l.Add(written(1, "us-east-1", fmt.Sprintf("r%d", random.IntN(16)), end.Add(-90*24*time.Hour+time.Duration(i)*5*time.Hour)))
	}
	if r := l.Accounts()[0].Regions[0]; !r.Allowed {
		t.Errorf("not allowed: %v", r.Reasons)
	}
}

// 10,000 accounts in 34 regions, each with two principals over three months, take at most 400 MB. A part of them is
// measured, because every place takes the same.
func TestMemory(t *testing.T) {
	const accounts, regions, part, most = 10_000, 34, 20, 400 << 20
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	l := NewLearner(end)
	for account := range uint64(accounts / part) {
		for region := range regions {
			for i := range 6 {
				l.Add(written(account, catalogue[region].Code, fmt.Sprintf("role-with-a-name-%d", i%2), end.AddDate(0, 0, -15*i)))
			}
		}
	}
	taken := (heap() - before) * part
	t.Logf("%d places take %d MB", accounts*regions, taken>>20)
	if taken > most || taken < 1<<20 {
		t.Errorf("%d MB, want at most %d", taken>>20, most>>20)
	}
	runtime.KeepAlive(l)
}
