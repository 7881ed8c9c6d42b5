package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// demoAccount holds what was made against what was read, written and read back.
type demoAccount struct {
	status                            processor.Status
	truth                             sample.Truth
	produced, alertsBack, lettersBack uint64
	unused                            []string
	ownPolicy                         bool // which the generator does not know
}

// print tells people.
func (a *demoAccount) print(w io.Writer) {
	c := &a.status.Counts
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(what, format string, args ...any) {
		fmt.Fprintf(table, "%s\t%s\n", what, fmt.Sprintf(format, args...))
	}
	line("records", "%s produced, %s read: %s done, %s with dead letters", display.Number(a.produced), display.Number(c.Records), display.Number(c.Done), display.Number(c.DeadLettered))
	line("events", "%s read: %s alerted, %s shadowed, %s exempted, %s passed", display.Number(c.Events),
		display.Number(c.Outcomes[policy.OutcomeAlerted]), display.Number(c.Outcomes[policy.OutcomeShadowed]), display.Number(c.Outcomes[policy.OutcomeExempted]), display.Number(c.Passed()))
	line("passed", "%s", display.List(passedReasons(c)))
	line("alerts", "%s acknowledged, %s read back from %s, %s of them partial", display.Number(a.status.Acked), display.Number(a.alertsBack), demoAlerts, display.Number(c.Partial))
	line("dead letters", "%s acknowledged, %s read back from %s: %s", display.Number(a.status.DeadLetter), display.Number(a.lettersBack), demoDeadLetters, display.List(faultReasons(c)))
	line("skipped", "%s", display.List(skipReasons(c)))
	verdict := "yes, to the last record and event"
	if err := a.check(); err != nil {
		verdict = "NO: " + strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	line("adds up", "%s", verdict)
	_ = table.Flush() // the output that it goes to is the only place to tell
}

// check returns what does not add up.
func (a *demoAccount) check() error {
	c, t := &a.status.Counts, &a.truth
	var faults []error
	same := func(what string, got, want uint64) {
		if got != want {
			faults = append(faults, fmt.Errorf("%s: %s, want %s", what, display.Number(got), display.Number(want)))
		}
	}
	var letters uint64
	for _, n := range c.Faults {
		letters += n
	}
	alerted := c.Outcomes[policy.OutcomeAlerted]
	same("records read", c.Records, a.produced)
	same("records done and dead-lettered", c.Done+c.DeadLettered, c.Records)
	same("records with dead letters", c.DeadLettered, t.DeadLettered)
	if !a.ownPolicy {
		same("events read", c.Events, t.Events+t.PartialAlerts(a.unused))
		same("events alerted", alerted, t.Alerts(a.unused))
		same("partial alerts", c.Partial, t.PartialAlerts(a.unused))
	}
	same("alerts acknowledged", a.status.Acked, alerted)
	same("alerts read back", a.alertsBack, alerted)
	same("dead letters acknowledged", a.status.DeadLetter, letters)
	same("dead letters read back", a.lettersBack, letters)
	return errors.Join(faults...)
}
