package incident

import "time"

// instant is a time in nanoseconds since 1970, a third of the size of a [time.Time]. 0 means none.
type instant int64

// The limits of an instant leave room for adding settings.
var (
	leastInstant = time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)
	mostInstant  = time.Date(2250, 1, 1, 0, 0, 0, 0, time.UTC)
)

// instantOf returns the instant of a time, or the nearest that there is.
func instantOf(t time.Time) instant {
	switch {
	case t.Before(leastInstant):
		t = leastInstant
	case t.After(mostInstant):
		t = mostInstant
	}
	if n := t.UnixNano(); n != 0 {
		return instant(n)
	}
	return 1
}

// time returns the time; for none the zero one.
func (i instant) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}

// add returns the instant that is d later; of none it is a time long past.
func (i instant) add(d time.Duration) instant { return i + instant(d) }
