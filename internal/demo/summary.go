package demo

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor"
	incidents "github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// summary compares what was produced with what was read, written and read back.
type summary struct {
	status                            processor.Status
	truth                             sample.Truth
	produced, alertsBack, lettersBack uint64
	incidents                         []*incident.Incident // of the alerts read back
	grouped                           incidents.Counts
	unused                            []string
	attacks                           int  // calls of the attack; all but the first alert
	ownPolicy                         bool // a policy that the generator does not know
}

// print formats the summary for people.
func (s *summary) print(w io.Writer) {
	c, n := &s.status.Counts, display.Number[uint64]
	const column = 14
	width, _, _ := display.TerminalSize(w)
	line := func(what, format string, args ...any) {
		text := display.Text(fmt.Sprintf(format, args...))
		fmt.Fprintf(w, "%-*s%s\n", column, what, display.Hang(text, width, strings.Repeat(" ", column)))
	}
	line("records", "%s produced, %s read: %s done, %s with dead letters", n(s.produced), n(c.Records), n(c.Done), n(c.DeadLettered))
	line("events", "%s read: %s alerted, %s shadowed, %s exempted, %s passed", n(c.Events),
		n(c.Outcomes[policy.OutcomeAlerted]), n(c.Outcomes[policy.OutcomeShadowed]), n(c.Outcomes[policy.OutcomeExempted]), n(c.Passed()))
	line("passed", "%s", display.List(scan.PassedReasons(c)))
	line("alerts", "%s acknowledged, %s read back from %s, %s of them partial", n(s.status.Acked), n(s.alertsBack), alertTopic, n(c.Partial))
	line("incidents", "%s, which group %s alerts%s", display.Number(len(s.incidents)), n(s.grouped.Counted), s.first())
	line("dead letters", "%s acknowledged, %s read back from %s: %s", n(s.status.DeadLetter), n(s.lettersBack), deadLetterTopic, display.List(scan.FaultReasons(c)))
	line("skipped", "%s", display.List(scan.SkipReasons(c)))
	verdict := "yes, to the last record and event"
	if err := s.check(); err != nil {
		verdict = "NO: " + strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	line("adds up", "%s", verdict)
}

// first names the most important incident.
func (s *summary) first() string {
	if len(s.incidents) == 0 {
		return ""
	}
	i := s.incidents[0]
	return fmt.Sprintf("; the most important: %s, %s, %s", i.Severity, display.Plural(i.Counts.Alerts, "alert"), i.Title)
}

// check returns an error for counts that do not add up.
func (s *summary) check() error {
	c, t := &s.status.Counts, &s.truth
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
	same("records read", c.Records, s.produced)
	same("records done and dead-lettered", c.Done+c.DeadLettered, c.Records)
	same("records with dead letters", c.DeadLettered, t.DeadLettered)
	if !s.ownPolicy {
		same("events read", c.Events, t.Events+t.PartialAlerts(s.unused)+uint64(s.attacks))
		same("events alerted", alerted, t.Alerts(s.unused)+uint64(max(s.attacks-1, 0)))
		same("partial alerts", c.Partial, t.PartialAlerts(s.unused))
	}
	same("alerts acknowledged", s.status.Acked, alerted)
	same("alerts read back", s.alertsBack, alerted)
	g := &s.grouped
	same("alerts grouped", g.Counted+g.Repeated+g.Below+g.Late, s.alertsBack)
	same("dead letters acknowledged", s.status.DeadLetter, letters)
	same("dead letters read back", s.lettersBack, letters)
	return errors.Join(faults...)
}
