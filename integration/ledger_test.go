//go:build integration

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

// ledger writes down what a load sent and what came of it, by number.
type ledger struct {
	mu    sync.Mutex
	sent  []time.Time // by number: when it was handed to the producer
	fates []fate      // by number: what should become of it
	acked int
	seen  map[int]arrivals // alerts and dead letters
	odd   []string         // what should not be there at all
	at    []time.Time      // when alerts came for the first time
}

// arrivals are the copies of one alert or dead letter.
type arrivals struct {
	first  time.Time
	copies int
	id     string
}

func newLedger() *ledger { return &ledger{seen: map[int]arrivals{}} }

// next returns the number of the next event, with the fate that it should have.
func (l *ledger) next(f fate) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, time.Now())
	l.fates = append(l.fates, f)
	return len(l.sent) - 1
}

func (l *ledger) acknowledged() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked++
}

// see takes an alert or a dead letter, whichever has a number in it.
func (l *ledger) see(r *kgo.Record, now time.Time) {
	want, n, id := deadLetter, -1, ""
	if alertID := header(r, "alert-id"); alertID != "" {
		var a struct {
			ID      string `json:"id"`
			EventID string `json:"eventID"`
		}
		if err := json.Unmarshal(r.Value, &a); err != nil || a.ID != alertID {
			l.note("alert %s at %d/%d: id %q, error %v", alertID, r.Partition, r.Offset, a.ID, err)
		}
		want, n, id = alerts, eventNumber(a.EventID), alertID
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
		a.first, a.id = now, id
		if want == alerts {
			l.at = append(l.at, now)
		}
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
	return len(l.at)
}

// account is what the ledger comes to.
type account struct {
	sent, alerts, deadLetters int // different ones that should be there
	missing, duplicates       int
	odd                       []string
	gap                       time.Duration // the longest time without a new alert
	median, p99, worst        time.Duration // from the producer to the reader
}

func (l *ledger) account() account {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := account{sent: len(l.sent), odd: l.odd}
	var waits []time.Duration
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
			if other, taken := ids[got.id]; taken {
				a.odd = append(a.odd, fmt.Sprintf("numbers %d and %d have the same id %s", other, n, got.id))
			}
			ids[got.id] = n
		}
	}
	for i := 1; i < len(l.at); i++ {
		a.gap = max(a.gap, l.at[i].Sub(l.at[i-1]))
	}
	if len(waits) > 0 {
		slices.Sort(waits)
		a.median, a.p99, a.worst = waits[len(waits)/2], waits[len(waits)*99/100], waits[len(waits)-1]
	}
	return a
}

// String is one line of figures.
func (a account) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
	return fmt.Sprintf("%d sent, %d alerts and %d dead letters due, %d missing, %d duplicates (%.2f%%); longest stall %v; wait of an alert: median %v, p99 %v, worst %v",
		a.sent, a.alerts, a.deadLetters, a.missing, a.duplicates, 100*float64(a.duplicates)/float64(max(1, a.alerts+a.deadLetters)),
		round(a.gap), round(a.median), round(a.p99), round(a.worst))
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
