package admin

import (
	"slices"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// Limits on what is kept.
const (
	keptAlerts  = 200
	keptLetters = 10
	// lateBytes bounds an alert that is kept encoded until the page is viewed. A larger one is decoded and cut
	// immediately.
	lateBytes = 32 << 10
)

// Recent keeps the latest alerts and dead letters for the page. It is safe for concurrent use.
type Recent struct {
	format alert.Format

	mu      sync.Mutex
	taken   uint64 // alerts and dead letters so far
	alerted uint64 // alerts so far
	late    ring[lateAlert]
	alerts  ring[alertRow]
	letters ring[letterRow]
}

// lateAlert is an alert not yet decoded.
type lateAlert struct {
	number  uint64
	at      time.Time
	encoded []byte
}

// NewRecent returns an empty Recent for alerts in the given format.
func NewRecent(format alert.Format) *Recent {
	return &Recent{
		format:  format,
		late:    ring[lateAlert]{limit: keptAlerts},
		alerts:  ring[alertRow]{limit: keptAlerts},
		letters: ring[letterRow]{limit: keptLetters},
	}
}

// Alert adds an encoded alert and keeps its bytes. Use it as processor.Options.OnAlert.
func (r *Recent) Alert(encoded []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken++
	r.alerted++
	r.late.add(lateAlert{r.taken, time.Now(), encoded})
	if len(encoded) > lateBytes {
		r.read()
	}
}

// DeadLetter adds a dead letter. See processor.Options.OnDeadLetter.
func (r *Recent) DeadLetter(d output.DeadLetter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken++
	r.letters.add(newLetterRow(r.taken, time.Now(), &d))
}

// latest returns the kept rows, newest first.
func (r *Recent) latest() (alerts []alertRow, letters []letterRow, total uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read()
	return r.alerts.newestFirst(), r.letters.newestFirst(), r.alerted
}

// read decodes the alerts that are still encoded.
func (r *Recent) read() {
	late := r.late.newestFirst()
	slices.Reverse(late)
	for _, l := range late {
		a, err := r.format.Decode(l.encoded)
		if err != nil {
			continue // impossible: we encoded it
		}
		r.alerts.add(newAlertRow(l.number, l.at, a))
	}
	r.late.clear()
}

// ring holds the last items added, up to limit.
type ring[T any] struct {
	limit int
	items []T
	first int // index of the oldest item, once the ring is full
}

func (r *ring[T]) add(item T) {
	if len(r.items) < r.limit {
		r.items = append(r.items, item)
		return
	}
	r.items[r.first] = item
	r.first = (r.first + 1) % r.limit
}

func (r *ring[T]) clear() {
	clear(r.items)
	r.items, r.first = r.items[:0], 0
}

func (r *ring[T]) newestFirst() []T {
	items := make([]T, 0, len(r.items))
	for i := range r.items {
		items = append(items, r.items[(r.first+len(r.items)-1-i)%len(r.items)])
	}
	return items
}
