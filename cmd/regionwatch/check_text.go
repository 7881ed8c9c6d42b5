package main

import (
	"fmt"
	"strings"

	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/display"
)

// checkMarks are the symbol a terminal shows before each step, with its color number (ECMA-48).
var checkMarks = map[check.Status]struct {
	mark  string
	color int
}{
	check.OK:       {"✓", 32},
	check.NotUsed:  {"-", 2},
	check.Warning:  {"!", 33},
	check.Refused:  {"✗", 31},
	check.NotTried: {"?", 2},
}

// checkText formats a report for people. It escapes text, because brokers and certificates contribute to it.
func checkText(r *check.Report, marks, colors bool) string {
	var b strings.Builder
	for i := range r.Steps {
		step := &r.Steps[i]
		if marks {
			b.WriteString(checkMark(step.Status, colors) + " ")
		}
		line := fmt.Sprintf("%-22s %-9s %s", step.Name, step.Status, joined(step.Of, step.Detail))
		b.WriteString(display.Text(strings.TrimRight(line, " ")) + "\n")
		indent := strings.Repeat(" ", 33)
		if marks {
			indent += "  "
		}
		for _, more := range []string{step.Error, step.Remedy} {
			if more != "" {
				b.WriteString(indent + display.Text(more) + "\n")
			}
		}
		for _, entry := range step.ACLs {
			b.WriteString(indent + display.Text(entry.Command) + "\n")
		}
	}
	return b.String()
}

func checkMark(status check.Status, colors bool) string {
	m := checkMarks[status]
	if !colors {
		return m.mark
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", m.color, m.mark)
}

// joined returns the subject of a step and its result.
func joined(of, detail string) string {
	if of == "" || detail == "" {
		return of + detail
	}
	return of + ": " + detail
}
