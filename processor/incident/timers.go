package incident

import (
	"container/heap"
	"time"
)

// timers are entries by when they are due, the earliest first.
type timers []*entry

// set makes the entry due at a time; the zero time removes it.
func (t *timers) set(e *entry, at time.Time) {
	switch {
	case at.IsZero() && e.timer > 0:
		heap.Remove(t, e.timer-1)
	case at.IsZero():
	case e.timer > 0:
		e.due = at
		heap.Fix(t, e.timer-1)
	default:
		e.due = at
		heap.Push(t, e)
	}
}

// push makes a new entry due at a time, before init.
func (t *timers) push(e *entry, at time.Time) {
	e.due = at
	t.Push(e)
}

// init puts pushed entries in order.
func (t *timers) init() { heap.Init(t) }

// next returns the first entry that is due, or nil.
func (t timers) next(clock time.Time) *entry {
	if len(t) == 0 || !clock.After(t[0].due) {
		return nil
	}
	return t[0]
}

// Len implements heap.Interface.
func (t timers) Len() int { return len(t) }

// Less implements heap.Interface.
func (t timers) Less(i, j int) bool { return t[i].due.Before(t[j].due) }

// Swap implements heap.Interface.
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].timer, t[j].timer = i+1, j+1
}

// Push implements heap.Interface.
func (t *timers) Push(x any) {
	e := x.(*entry)
	*t = append(*t, e)
	e.timer = len(*t)
}

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	last := len(*t) - 1
	e := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	e.timer = 0
	return e
}
