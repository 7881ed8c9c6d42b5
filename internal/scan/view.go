package scan

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/regionwatch/regionwatch/internal/display"
)

// View shows the progress of a scan as a bar on a terminal. Create it with [NewView].
type View struct {
	// Alerts receives the alerts. It is standard output, with the bar cleared before each write if both share a
	// terminal.
	Alerts io.Writer

	bar   *progressbar.ProgressBar
	began time.Time
}

// NewView returns a view of a scan of the sources.
func NewView(stdout, stderr io.Writer, sources []Source) *View {
	visible := display.IsTerminal(stderr)
	v := &View{Alerts: stdout, began: time.Now()}
	v.bar = display.NewBar(stderr, size(sources), visible, progressbar.OptionShowBytes(true), progressbar.OptionShowTotalBytes(true))
	if visible && display.IsTerminal(stdout) {
		v.Alerts = besideBar{stdout, v.bar}
	}
	return v
}

// size returns the size of all sources, or -1 if that of one is unknown.
func size(sources []Source) (total int64) {
	for _, s := range sources {
		if s.Size < 0 {
			return -1
		}
		total += s.Size
	}
	return total
}

// Progress redraws the bar.
func (v *View) Progress(p Progress) {
	rate := float64(p.Events) / max(time.Since(v.began).Seconds(), 0.001)
	v.bar.Describe(fmt.Sprintf("%s, %s/s", display.Plural(p.Alerts, "alert"), display.Plural(uint64(rate), "event")))
	_ = v.bar.Set64(p.Read) // an error in drawing does not matter
}

// Clear removes the bar until the next progress.
func (v *View) Clear() { _ = v.bar.Clear() }

// besideBar writes to the terminal that shows the bar.
type besideBar struct {
	out io.Writer
	bar *progressbar.ProgressBar
}

// Write clears the bar first. The next progress redraws it.
func (b besideBar) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	_ = b.bar.Clear()
	return b.out.Write(p)
}
