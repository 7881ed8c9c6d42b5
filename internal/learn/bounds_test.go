package learn

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// write is a write of a role.
func write(account uint64, region, role string, at time.Time) *cloudtrail.Event {
	text := func(s string) cloudtrail.Value { return cloudtrail.Value(`"` + s + `"`) }
	return &cloudtrail.Event{
		AWSRegion: text(region), EventSource: text("ec2.amazonaws.com"), EventName: text("RunInstances"), ReadOnly: cloudtrail.Value("false"),
		RecipientAccountID: text(fmt.Sprintf("%012d", account)), EventTime: text(at.Format(time.RFC3339)),
		UserIdentity: cloudtrail.Value(fmt.Sprintf(`{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::%012d:role/%s"}}}`, account, role)),
	}
}

// Several workers add at a time, to the same places and to others, and nothing is lost.
func TestConcurrentAdds(t *testing.T) {
	const workers, each = 4, 2000
	l := NewLearner(end)
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			for i := range each {
				e := write(uint64(i%3), catalogue[i%5].Code, fmt.Sprintf("r%d", worker), end.Add(-time.Duration(i)*time.Hour))
				if i%100 == 0 {
					e.RecipientAccountID = cloudtrail.Value(`""`)
				}
				l.Add(e)
			}
		})
	}
	running.Wait()
	writes := uint64(0)
	for _, a := range l.Accounts() {
		for i := range a.Regions {
			writes += a.Regions[i].Usage.Writes
			if n := a.Regions[i].Usage.Principals(); n != workers {
				t.Errorf("%s %s: %d principals, want %d", a.ID, a.Regions[i].Code, n, workers)
			}
		}
	}
	if skipped := l.Skipped().NoAccount; writes != workers*each*99/100 || skipped != workers*each/100 {
		t.Errorf("%d writes and %d skipped, want %d in all", writes, skipped, workers*each)
	}
}

// Many principals who take turns for months are a team at work, though none of them is counted often.
func TestManyPrincipals(t *testing.T) {
	l, random := NewLearner(end), rand.New(rand.NewPCG(1, 1))
	for i := range 400 {
		l.Add(write(1, "us-east-1", fmt.Sprintf("r%d", random.IntN(16)), end.Add(-90*24*time.Hour+time.Duration(i)*5*time.Hour)))
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
				l.Add(write(account, catalogue[region].Code, fmt.Sprintf("role-with-a-name-%d", i%2), end.AddDate(0, 0, -15*i)))
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
