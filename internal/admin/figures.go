package admin

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
)

// timeText formats a time to the second, in UTC.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func isTime(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

// eventTime formats the time of an event like timeText if it can be parsed, and otherwise returns it verbatim.
func eventTime(text string) string {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return timeText(t)
	}
	return display.Cut(text, 40)
}

// ageText formats a duration in its two largest units.
func ageText(d time.Duration) string {
	d = max(d, 0)
	s, m, h, days := int(d/time.Second), int(d/time.Minute), int(d/time.Hour), int(d/(24*time.Hour))
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case m < 60:
		return fmt.Sprintf("%d min %d s", m, s%60)
	case h < 24:
		return fmt.Sprintf("%d h %d min", h, m%60)
	}
	return fmt.Sprintf("%d d %d h", days, h%24)
}

// count formats a whole number; negative numbers become 0.
func count(n int64) string { return display.Number(uint64(max(n, 0))) }

// rateText formats a number per second.
func rateText(perSecond float64) string {
	switch {
	case perSecond < 0.05:
		return "0"
	case perSecond < 9.95:
		return strconv.FormatFloat(perSecond, 'f', 1, 64)
	}
	return display.Number(uint64(math.Round(perSecond)))
}

// short formats a number in at most four characters and a unit.
func short(n uint64) string {
	v, units := float64(n), []string{"", "k", "M", "G", "T"}
	unit := 0
	for v >= 999.5 && unit < len(units)-1 {
		v, unit = v/1000, unit+1
	}
	if unit == 0 || v >= 99.95 {
		return strconv.FormatFloat(v, 'f', 0, 64) + units[unit]
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + units[unit]
}
