package incident

import (
	"testing"
	"time"
)

// Instants are the nearest that there are, and 0 is none.
func TestInstants(t *testing.T) {
	for _, c := range []struct{ at, want time.Time }{
		{time.Time{}, leastInstant}, {leastInstant.Add(-1), leastInstant}, {leastInstant, leastInstant}, {leastInstant.Add(1), leastInstant.Add(1)},
		{mostInstant.Add(-1), mostInstant.Add(-1)}, {mostInstant, mostInstant}, {mostInstant.Add(1), mostInstant}, {day, day},
		{time.Unix(0, 0).UTC(), time.Unix(0, 1).UTC()}, {time.Unix(0, -1).UTC(), time.Unix(0, -1).UTC()},
	} {
		if got := instantOf(c.at).time(); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", c.at, got, c.want)
		}
	}
	if !instant(0).time().IsZero() {
		t.Error("none is a time")
	}
	if got := instantOf(day).add(time.Hour).time(); !got.Equal(day.Add(time.Hour)) {
		t.Errorf("%s", got)
	}
}
