package learn

import (
	"time"
)

const secondsPerDay = 24 * 60 * 60

// maxAge is how old an event may be. It bounds the sets of days.
const maxAge = 20 * 366 * secondsPerDay

func dayOf(unix int64) int32 { return int32(unix / secondsPerDay) }

// clock reads event times. It remembers the last date, because events of a day follow each other.
type clock struct {
	oldest, newest int64 // what is believed, in Unix seconds
	date           [len(time.DateOnly)]byte
	midnight       int64 // the start of the date
}

func newClock(now time.Time) clock {
	return clock{oldest: max(now.Unix()-maxAge, 1), newest: now.Unix()}
}

// unix returns a time in Unix seconds, or 0 if it cannot be read or believed.
func (c *clock) unix(text []byte) int64 {
	at, ok := c.onDate(text)
	if !ok {
		var t time.Time
		if err := t.UnmarshalText(text); err != nil {
			return 0
		}
		at = t.Unix()
		if t.Location() == time.UTC && len(text) > len(c.date) {
			c.midnight = at - at%secondsPerDay
			copy(c.date[:], text)
		}
	}
	if at < c.oldest || at > c.newest {
		return 0
	}
	return at
}

// onDate reads a time as CloudTrail writes it, in UTC and whole seconds, if its date is the remembered one.
func (c *clock) onDate(text []byte) (unix int64, ok bool) {
	const form = "2006-01-02T15:04:05Z"
	if len(text) != len(form) || [len(time.DateOnly)]byte(text) != c.date || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z' {
		return 0, false
	}
	hour, minute, second := twoDigits(text[11:]), twoDigits(text[14:]), twoDigits(text[17:])
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return c.midnight + int64(hour*3600+minute*60+second), true
}

// twoDigits returns the number that b begins with, or one that is too large for a time.
func twoDigits(b []byte) uint {
	tens, ones := uint(b[0]-'0'), uint(b[1]-'0')
	if tens > 9 || ones > 9 {
		return 100
	}
	return tens*10 + ones
}
