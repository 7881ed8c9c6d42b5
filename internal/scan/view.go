package scan

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/regionwatch/regionwatch/internal/display"
)

// View shows a scan to people while it runs: on a terminal, a progress bar. Make it with [NewView].
type View struct {
	// Alerts is where alerts go: standard output, with the bar out of the way.
	Alerts io.Writer

	bar   *progressbar.ProgressBar
	began time.Time
}

// NewView returns a view of a scan of the sources.
func NewView(stdout, stderr io.Writer, sources []Source) *View {
	total := int64(0)
	for _, s := range sources {
		if s.Size < 0 {
			total = -1
			break
		}
		total += s.Size
	}
	visible := display.IsTerminal(stderr)
	v := &View{Alerts: stdout, began: time.Now()}
	v.bar = display.NewBar(stderr, total, visible, progressbar.OptionShowBytes(true), progressbar.OptionShowTotalBytes(true))
	if visible && display.IsTerminal(stdout) {
		v.Alerts = besideBar{stdout, v.bar}
	}
	return v
}

// Progress redraws the bar.
func (v *View) Progress(p Progress) {
	rate := float64(p.Events) / max(time.Since(v.began).Seconds(), 0.001)
	v.bar.Describe(fmt.Sprintf("%s, %s/s", display.Plural(p.Alerts, "alert"), display.Plural(uint64(rate), "event")))
	_ = v.bar.Set64(p.Read) // a bar that cannot be drawn does not matter
}

// Clear takes the bar away. It comes back with the next progress.
func (v *View) Clear() { _ = v.bar.Clear() }

// Close takes the bar away for good.
func (v *View) Close() {
	_ = v.bar.Clear()
	_ = v.bar.Exit()
}

// besideBar writes to the terminal that the bar is drawn on.
type besideBar struct {
	out io.Writer
	bar *progressbar.ProgressBar
}

// Write clears the bar first. It comes back with the next progress.
func (b besideBar) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	_ = b.bar.Clear()
	return b.out.Write(p)
}
