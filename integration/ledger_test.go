package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ledger records what a load sent and its outcome, by number.
type ledger struct {
	mu    sync.Mutex
	sent  []time.Time      // by number: when it was handed to the producer
	acked []time.Time      // by number: when the broker had taken it
	fates []fate           // by number: what should become of it
	seen  map[int]arrivals // alerts and dead letters
	odd   []string         // what should not be there at all
	new   int              // alerts that came for the first time
	gaps  gaps             // between them, by input partition
}

// gaps are the longest times between two things that came, by partition and of all.
type gaps struct {
	last    map[int32]time.Time
	longest map[int32]time.Duration
}

// ofAll stands for all partitions.
const ofAll = -1

func newGaps() gaps { return gaps{map[int32]time.Time{}, map[int32]time.Duration{}} }

// note records that something came.
func (g *gaps) note(partition int32, now time.Time) {
	for _, p := range []int32{ofAll, partition} {
		if last, found := g.last[p]; found {
			g.longest[p] = max(g.longest[p], now.Sub(last))
		}
		g.last[p] = now
	}
}

// ofOne is the longest gap of a partition.
func (g *gaps) ofOne() (longest time.Duration) {
	for p, gap := range g.longest {
		if p != ofAll {
			longest = max(longest, gap)
		}
	}
	return longest
}

// arrivals are the copies of one alert or dead letter.
type arrivals struct {
	first  time.Time
	copies int
	id     string
	origin string // partition and offset of the event's record
}

func newLedger() *ledger {
	return &ledger{seen: map[int]arrivals{}, gaps: newGaps()}
}

// next returns the number of the next event, with the fate that it should have.
func (l *ledger) next(f fate) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, time.Now())
	l.acked = append(l.acked, time.Time{})
	l.fates = append(l.fates, f)
	return len(l.sent) - 1
}

func (l *ledger) acknowledged(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[n] = time.Now()
}

// see takes an alert or a dead letter, whichever has a number in it.
func (l *ledger) see(r *kgo.Record, now time.Time) {
	want, n, id, partition, origin := deadLetter, -1, "", int32(-1), header(r, "dead-letter-partition")+"/"+header(r, "dead-letter-offset")
	if alertID := header(r, "alert-id"); alertID != "" {
		var a struct {
			ID      string `json:"id"`
			EventID string `json:"eventID"`
			Origin  struct {
				Partition int32 `json:"partition"`
				Offset    int64 `json:"offset"`
			} `json:"origin"`
		}
		if err := json.Unmarshal(r.Value, &a); err != nil || a.ID != alertID {
			l.note("alert %s at %d/%d: id %q, error %v", alertID, r.Partition, r.Offset, a.ID, err)
		}
		want, n, id, partition = alerts, eventNumber(a.EventID), alertID, a.Origin.Partition
		origin = fmt.Sprintf("%d/%d", partition, a.Origin.Offset)
	} else if number, err := strconv.Atoi(string(r.Key)); err == nil {
		n = number
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 0 || n >= len(l.fates) || l.fates[n] != want {
		l.odd = append(l.odd, fmt.Sprintf("%s %d/%d holds number %d, which should not be there", r.Topic, r.Partition, r.Offset, n))
		return
	}
	a, again := l.seen[n]
	if !again {
		a.first, a.id, a.origin = now, id, origin
		if want == alerts {
			l.new++
			l.gaps.note(partition, now)
		}
	}
	if a.origin != origin { // the load's fault, and no duplicate
		l.odd = append(l.odd, fmt.Sprintf("number %d is in the input twice, at %s and %s", n, a.origin, origin))
		return
	}
	if a.id != id {
		l.odd = append(l.odd, fmt.Sprintf("number %d has the ids %s and %s", n, a.id, id))
	}
	a.copies++
	l.seen[n] = a
}

func (l *ledger) note(format string, arguments ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.odd = append(l.odd, fmt.Sprintf(format, arguments...))
}

// alertsSeen is how many different alerts have come.
func (l *ledger) alertsSeen() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.new
}

// account is what the ledger comes to.
type account struct {
	sent, alerts, deadLetters int // different ones that should be there
	missing, duplicates       int
	odd                       []string
	gap                       time.Duration // the longest time without a new alert
	partitionGap              time.Duration // the same of one input partition
	wait, waitAfterAck        spread        // from the producer to the reader; from the broker's having it to the reader
}

// spread is how long things took.
type spread struct{ median, p99, worst time.Duration }

func spreadOf(d []time.Duration) spread {
	if len(d) == 0 {
		return spread{}
	}
	slices.Sort(d)
	return spread{d[len(d)/2], d[len(d)*99/100], d[len(d)-1]}
}

// String is for a line of figures.
func (s spread) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
	return fmt.Sprintf("median %v, p99 %v, worst %v", round(s.median), round(s.p99), round(s.worst))
}

func (l *ledger) account() account {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := account{sent: len(l.sent), odd: l.odd}
	var waits, afterAck []time.Duration
	ids := map[string]int{}
	for n, at := range l.sent {
		switch l.fates[n] {
		case passes:
			continue
		case alerts:
			a.alerts++
		case deadLetter:
			a.deadLetters++
		}
		got, found := l.seen[n]
		if !found {
			a.missing++
			continue
		}
		a.duplicates += got.copies - 1
		if l.fates[n] == alerts {
			waits = append(waits, got.first.Sub(at))
			if acked := l.acked[n]; !acked.IsZero() {
				afterAck = append(afterAck, max(0, got.first.Sub(acked)))
			}
			if other, taken := ids[got.id]; taken {
				a.odd = append(a.odd, fmt.Sprintf("numbers %d and %d have the same id %s", other, n, got.id))
			}
			ids[got.id] = n
		}
	}
	a.gap, a.partitionGap = l.gaps.longest[ofAll], l.gaps.ofOne()
	a.wait, a.waitAfterAck = spreadOf(waits), spreadOf(afterAck)
	return a
}

// String is one line of figures.
func (a account) String() string {
	return fmt.Sprintf("%d sent, %d alerts and %d dead letters due, %d missing, %d duplicates (%.2f%%); longest stall %v, of one partition %v; wait of an alert: %v; after the broker had its event: %v",
		a.sent, a.alerts, a.deadLetters, a.missing, a.duplicates, a.duplicateShare(), a.gap.Round(10*time.Millisecond), a.partitionGap.Round(10*time.Millisecond), a.wait, a.waitAfterAck)
}

// duplicateShare is in hundredths of what was due.
func (a account) duplicateShare() float64 {
	return 100 * float64(a.duplicates) / float64(max(1, a.alerts+a.deadLetters))
}

// check fails the test where the promise of the delivery mode is broken.
func (a account) check(t *testing.T, delivery string) {
	t.Helper()
	t.Logf("%s: %s", delivery, a)
	if a.alerts == 0 || a.deadLetters == 0 {
		t.Errorf("the load was too small to tell anything")
	}
	if a.missing > 0 {
		t.Errorf("%s: %d alerts or dead letters are missing", delivery, a.missing)
	}
	if delivery == exactlyOnce && a.duplicates > 0 {
		t.Errorf("%s: %d duplicates", delivery, a.duplicates)
	}
	for i, odd := range a.odd {
		if i == 10 {
			t.Errorf("%d more", len(a.odd)-i)
			break
		}
		t.Error(odd)
	}
}

// header returns the value of a record's header, empty if it has none.
func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
