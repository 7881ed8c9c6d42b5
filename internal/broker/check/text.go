package check

import (
	"fmt"
	"strings"

	"github.com/regionwatch/regionwatch/internal/display"
)

// statusMarks are the symbol a terminal shows before each step, with its color number (ECMA-48).
var statusMarks = map[Status]struct {
	mark  string
	color int
}{
	OK:       {"✓", 32},
	NotUsed:  {"-", 2},
	Warning:  {"!", 33},
	Refused:  {"✗", 31},
	NotTried: {"?", 2},
}

// Text formats the report for people, with a mark before each step on request. It escapes text, because brokers and certificates contribute to it.
func (r *Report) Text(marks, colors bool) string {
	var b strings.Builder
	for i := range r.Steps {
		step := &r.Steps[i]
		if marks {
			b.WriteString(statusMark(step.Status, colors) + " ")
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

func statusMark(status Status, colors bool) string {
	m := statusMarks[status]
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

// ACLText formats the least ACLs that a command needs as shell lines. What is the command.
func (o *Options) ACLText(what string, entries []Entry) string {
	var b strings.Builder
	b.WriteString("# What " + what + " needs with these settings, and no more. Describe comes with Read and Write.\n")
	if what == "run" && !o.ExactlyOnce {
		b.WriteString("# Brokers older than 2.8 want IdempotentWrite on the cluster too.\n")
	}
	if o.Principal == "" {
		b.WriteString("# " + Placeholder + " stands for the principal that the brokers see; set it with --principal.\n")
	}
	if o.Connection.Secured() || o.Connection.Mechanism() != "" {
		b.WriteString("# admin.properties is the client configuration of someone who may change ACLs.\n")
	}
	for _, entry := range entries {
		b.WriteString(display.Text(entry.Command) + "\n")
	}
	return b.String()
}
