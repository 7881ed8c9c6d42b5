package main

import (
	"fmt"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
)

// grouped writes a number with commas between thousands.
func grouped(n uint64) string { return display.Number(n) }

// bytesText writes a number of bytes in the unit that suits it.
func bytesText(n uint64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v, unit := float64(n), 0
	for v >= 1000 && unit < len(units)-1 {
		v, unit = v/1000, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %s", v, units[unit])
}

// roundTime writes a duration with as many digits as people read.
func roundTime(d time.Duration) string {
	switch {
	case d >= time.Minute:
		d = d.Round(time.Second)
	case d >= time.Second:
		d = d.Round(10 * time.Millisecond)
	default:
		d = d.Round(10 * time.Microsecond)
	}
	return d.String()
}
