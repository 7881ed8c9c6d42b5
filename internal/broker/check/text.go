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

// Text formats the report for people. A width other than 0 is that of a terminal: then each step has a mark, and texts
// wrap, except commands to copy. It escapes text, because brokers and certificates contribute to it.
func (r *Report) Text(width int, colors bool) string {
	var b strings.Builder
	for i := range r.Steps {
		r.Steps[i].write(&b, width, colors)
	}
	return b.String()
}

// narrow is the width below which there is no room for errors and remedies in the last column.
const narrow = 100

func (s *Step) write(b *strings.Builder, width int, colors bool) {
	start := fmt.Sprintf("%-22s %-9s ", s.Name, s.Status)
	indent := strings.Repeat(" ", len(start))
	if width > 0 {
		indent += "  "
		b.WriteString(statusMark(s.Status, colors) + " ")
	}
	text := display.Hang(display.Text(joined(s.Of, s.Detail)), width, indent)
	b.WriteString(strings.TrimRight(start+text, " ") + "\n")
	if 0 < width && width < narrow {
		indent = strings.Repeat(" ", 6)
	}
	for _, more := range []string{s.Error, s.Remedy} {
		if more != "" {
			b.WriteString(indent + display.Hang(display.Text(more), width, indent) + "\n")
		}
	}
	for _, entry := range s.ACLs {
		b.WriteString(indent + display.Text(entry.Command) + "\n")
	}
	for _, command := range s.Commands {
		b.WriteString(indent + display.Text(command) + "\n")
	}
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
	b.WriteString("# What " + what + " needs with these settings, and no more. Describe comes with Read, Write and Delete.\n")
	if what == "run" && !o.exactlyOnce() {
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
