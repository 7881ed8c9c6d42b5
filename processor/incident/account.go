package incident

import (
	"time"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// account is the state of one account: how its time is divided into windows, and what is in each.
type account struct {
	id       string
	schedule schedule
	buckets  map[int64]*bucket // by the start of the window
	entries  int               // in all windows
	ended    int               // in Grouper.gone
	facts    string            // the last that the policy knew of it, as JSON
	detail   int               // bytes that all facts of its entries have of the Budget
}

// size returns its memory without facts, in bytes.
func (a *account) size() int { return accountBytes + len(a.id) }

// bucket is one window of an account.
type bucket struct {
	entries int
	storm   *entry
}

// schedule says how long windows are, and from when. It is never empty, and its first segment begins before all time.
type schedule []segment

// segment is a span of time in which windows have one length, in seconds.
type segment struct {
	From   int64 `json:"from"`
	Window int64 `json:"window"`
}

// maxSegments limits how many changes of the window length are remembered. Beyond it the two oldest become one, with the
// length of the younger: an alert from before that, if it comes again or late, is in another window than it was. Changes are
// at least two hours apart, because an alert may be that far ahead, and a whole window. So that takes 16 changes within a grace.
// Not to change the length instead would be worse: alerts would have a length that the policy does not say, perhaps for long.
const maxSegments = 16

// window returns the window that contains a time.
func (s schedule) window(at time.Time) incident.Window {
	t, last := at.Unix(), len(s)-1
	i := last
	for i > 0 && s[i].From > t {
		i--
	}
	length := s[i].Window
	start := t - ((t%length)+length)%length
	end := start + length
	if i > 0 {
		start = max(start, s[i].From)
	}
	if i < last {
		end = min(end, s[i+1].From)
	}
	return incident.Window{Start: time.Unix(start, 0).UTC(), End: time.Unix(end, 0).UTC()}
}

// change sets the length of windows, from the first one that cannot have alerts yet. It reports whether the length
// differs.
func (s *schedule) change(window time.Duration, clock time.Time) bool {
	length := int64(window / time.Second)
	if len(*s) == 0 {
		*s = schedule{{Window: length}}
		return true
	}
	if (*s)[len(*s)-1].Window == length {
		return false
	}
	from := s.window(clock.Add(2 * maxAhead)).End.Unix() // see eventTime
	for len(*s) > 1 && (*s)[len(*s)-1].From >= from {
		*s = (*s)[:len(*s)-1] // it had not begun
	}
	if (*s)[len(*s)-1].Window != length {
		*s = append(*s, segment{from, length})
	}
	if len(*s) > maxSegments {
		*s = append(schedule{{Window: (*s)[1].Window}}, (*s)[2:]...)
	}
	return true
}
