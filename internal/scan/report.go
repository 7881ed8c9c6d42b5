package scan

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Print writes what a scan of so many files found, for people.
func (s *Summary) Print(w io.Writer, files int, took time.Duration) {
	c := &s.Counts
	seconds := max(took.Seconds(), 0.001)
	fmt.Fprintf(w, "%s of %s, %s in %s: %s, %s/s\n", display.Number(s.Files), display.Plural(files, "file"),
		display.Size(s.Bytes), display.Duration(took), display.Plural(c.Events, "event"), display.Plural(uint64(float64(c.Events)/seconds), "event"))
	if s.Stopped != nil {
		fmt.Fprintf(w, "stopped in %s at byte %s of its text; everything before that is done\n", display.Text(s.Stopped.File), display.Number(s.Stopped.Offset))
	}
	fmt.Fprintf(w, "%s, %s of them partial\n", display.Plural(c.Outcomes[policy.OutcomeAlerted], "alert"), display.Number(c.Partial))
	if exempted, shadowed := c.Outcomes[policy.OutcomeExempted], c.Outcomes[policy.OutcomeShadowed]; exempted+shadowed > 0 {
		fmt.Fprintf(w, "%s exempted by exceptions, %s in shadow mode\n", display.Plural(exempted, "event"), display.Plural(shadowed, "finding"))
	}
	fmt.Fprintf(w, "%s passed%s\n", display.Plural(c.Passed(), "event"), inBrackets(PassedReasons(c)))
	fmt.Fprintf(w, "%s with dead letters%s\n", display.Plural(c.DeadLettered, "record"), inBrackets(FaultReasons(c)))
	if skipped := SkipReasons(c); len(skipped) > 0 {
		fmt.Fprintf(w, "no events in: %s\n", strings.Join(skipped, ", "))
	}
	s.printTop(w)
}

func (s *Summary) printTop(w io.Writer) {
	const shown = 5
	table := display.NewTable(w)
	for _, t := range []struct {
		name    string
		counter *display.Counter
	}{
		{"alerts by account", &s.Accounts},
		{"alerts by region", &s.Regions},
		{"alerts by event", &s.Events},
		{"alerts by principal", &s.Principals},
		{"alerts by shape", &s.Shapes},
		{"events by outer shape", &s.EventShapes},
	} {
		table.Counts(t.name, t.counter, shown)
	}
	_ = table.Flush() // nobody could be told
}

// PassedReasons returns why events passed and how many, for the reasons that apply.
func PassedReasons(c *detection.Counts) (reasons []string) {
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

// FaultReasons returns the reasons of dead letters and how many there are of each.
func FaultReasons(c *detection.Counts) (reasons []string) {
	for r := range cloudtrail.Reason(cloudtrail.ReasonCount) {
		if c.Faults[r] > 0 {
			reasons = append(reasons, r.String()+" "+display.Number(c.Faults[r]))
		}
	}
	return reasons
}

// SkipReasons returns the kinds of records without events and how many there are of each.
func SkipReasons(c *detection.Counts) (reasons []string) {
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
