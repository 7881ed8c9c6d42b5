package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// scanView shows a scan to people: a progress bar on a terminal, errors as they come.
type scanView struct {
	stderr io.Writer
	bar    *progressbar.ProgressBar
	began  time.Time
	alerts io.Writer // standard output, with the bar out of the way
}

func newScanView(cmd *cobra.Command, sources []scan.Source) *scanView {
	total := int64(0)
	for _, s := range sources {
		if s.Size < 0 {
			total = -1
			break
		}
		total += s.Size
	}
	w := cmd.ErrOrStderr()
	v := &scanView{stderr: w, began: time.Now(), alerts: cmd.OutOrStdout()}
	v.bar = progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(display.IsTerminal(w)),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowTotalBytes(true),
		progressbar.OptionSetWidth(24),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
	)
	if display.IsTerminal(w) && display.IsTerminal(v.alerts) {
		v.alerts = besideBar{v.alerts, v.bar}
	}
	return v
}

// progress redraws the bar.
func (v *scanView) progress(p scan.Progress) {
	rate := float64(p.Events) / max(time.Since(v.began).Seconds(), 0.001)
	v.bar.Describe(fmt.Sprintf("%s alerts, %s events/s", display.Number(p.Alerts), display.Number(uint64(rate))))
	_ = v.bar.Set64(p.Read) // a bar that cannot be drawn does not matter
}

// fault tells of a file that could not be read.
func (v *scanView) fault(err error) {
	_ = v.bar.Clear()
	cli.Report(v.stderr, err)
}

func (v *scanView) close() {
	_ = v.bar.Clear()
	_ = v.bar.Exit()
}

// besideBar writes to the terminal that the bar is drawn on.
type besideBar struct {
	out io.Writer
	bar *progressbar.ProgressBar
}

// Write takes the bar away first. It comes back with the next progress.
func (b besideBar) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	_ = b.bar.Clear()
	return b.out.Write(p)
}

// printSummary tells what a scan found.
func printSummary(w io.Writer, s *scan.Summary, files int, took time.Duration) {
	c := &s.Counts
	seconds := max(took.Seconds(), 0.001)
	fmt.Fprintf(w, "%s of %s files, %s in %s: %s events, %s events/s\n", display.Number(s.Files), display.Number(files),
		display.Size(s.Bytes), display.Duration(took), display.Number(c.Events), display.Number(uint64(float64(c.Events)/seconds)))
	if s.Stopped != nil {
		fmt.Fprintf(w, "stopped in %s at byte %s of its text; what stands before is done\n", display.Text(s.Stopped.File), display.Number(s.Stopped.Offset))
	}
	fmt.Fprintf(w, "%s alerts, %s of them partial\n", display.Number(c.Outcomes[policy.OutcomeAlerted]), display.Number(c.Partial))
	if exempted, shadowed := c.Outcomes[policy.OutcomeExempted], c.Outcomes[policy.OutcomeShadowed]; exempted+shadowed > 0 {
		fmt.Fprintf(w, "%s events exempted by exceptions, %s findings in shadow mode\n", display.Number(exempted), display.Number(shadowed))
	}
	fmt.Fprintf(w, "%s events passed%s\n", display.Number(c.Passed()), inBrackets(passedReasons(c)))
	fmt.Fprintf(w, "%s records with dead letters%s\n", display.Number(c.DeadLettered), inBrackets(faultReasons(c)))
	if skipped := skipReasons(c); len(skipped) > 0 {
		fmt.Fprintf(w, "no events in: %s\n", strings.Join(skipped, ", "))
	}
	printTops(w, s)
}

func printTops(w io.Writer, s *scan.Summary) {
	const shown = 5
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, t := range []struct {
		name string
		tops *scan.Tops
	}{
		{"alerts by account", &s.Accounts},
		{"alerts by region", &s.Regions},
		{"alerts by event", &s.Events},
		{"alerts by principal", &s.Principals},
		{"alerts by shape", &s.Shapes},
		{"events by outer shape", &s.EventShapes},
	} {
		top, others := t.tops.Most(shown)
		for i, k := range top {
			name := ""
			if i == 0 {
				name = t.name
			}
			key := display.Text(k.Key)
			if key == "" {
				key = "(none)"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", name, display.Fit(key, min(utf8.RuneCountInString(key), 60)), display.Number(k.Count))
		}
		if others > 0 {
			fmt.Fprintf(table, "\tothers\t%s\n", display.Number(others))
		}
	}
	_ = table.Flush() // the terminal that it goes to is the only place to tell
}

// passedReasons returns why events passed, those that any did.
func passedReasons(c *detection.Counts) []string {
	var reasons []string
	for o := range policy.Outcome(policy.OutcomeCount) {
		switch o {
		case policy.OutcomeNone, policy.OutcomeAlerted, policy.OutcomeExempted, policy.OutcomeShadowed:
			continue
		}
		if c.Outcomes[o] > 0 {
			reasons = append(reasons, o.String()+" "+display.Number(c.Outcomes[o]))
		}
	}
	return reasons
}

func faultReasons(c *detection.Counts) []string {
	var reasons []string
	for r := range cloudtrail.Reason(cloudtrail.ReasonCount) {
		if c.Faults[r] > 0 {
			reasons = append(reasons, r.String()+" "+display.Number(c.Faults[r]))
		}
	}
	return reasons
}

func skipReasons(c *detection.Counts) []string {
	var reasons []string
	for k := range cloudtrail.Kind(cloudtrail.KindCount) {
		if c.Skips[k] > 0 {
			reasons = append(reasons, k.String()+" "+display.Number(c.Skips[k]))
		}
	}
	return reasons
}

func inBrackets(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return " (" + strings.Join(reasons, ", ") + ")"
}
