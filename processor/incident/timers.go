package incident

import "container/heap"

// timers are entries by when they are due, the earliest first.
type timers []*entry

// set makes the entry due at a time.
func (t *timers) set(e *entry, at instant) {
	if e.due = at; e.timer > 0 {
		heap.Fix(t, e.timer-1)
	} else {
		heap.Push(t, e)
	}
}

// remove removes an entry that is due some time.
func (t *timers) remove(e *entry) { heap.Remove(t, e.timer-1) }

// init puts all entries in order, whose times may have changed.
func (t *timers) init() { heap.Init(t) }

// next returns the first entry that is due, or nil.
func (t timers) next(clock instant) *entry {
	if len(t) == 0 || clock <= t[0].due {
		return nil
	}
	return t[0]
}

// Len implements heap.Interface.
func (t timers) Len() int { return len(t) }

// Less implements heap.Interface.
func (t timers) Less(i, j int) bool { return t[i].due < t[j].due }

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
	return e
}
