package scan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// maxRows bounds how many rows are kept to sort them.
const maxRows = 10_000

// Rows writes alerts as a table in the order of their times, at the latest after maxRows of them. The rows of standard
// input are written as they come. Alerts reach it as JSON lines, made by Append. It is for [Options.Alerts].
type Rows struct {
	out    io.Writer
	stdout io.Writer // decides the width
	stream bool
	headed bool
	rows   []display.AlertRow
	part   []byte // of a line
}

// NewRows returns a table on stdout, which a view writes to through out.
func NewRows(out, stdout io.Writer, sources []Source) *Rows {
	r := &Rows{out: out, stdout: stdout}
	for i := range sources {
		r.stream = r.stream || sources[i].Name == Stdin
	}
	return r
}

// Append appends an alert as a line for Write.
func (r *Rows) Append(dst []byte, a *alert.Alert) []byte {
	line, err := json.Marshal(display.NewAlertRow(a))
	if err != nil {
		panic("BUG: encoding a row: " + err.Error()) // it is made of texts
	}
	return append(append(dst, line...), '\n')
}

// Write takes lines, or parts of them.
func (r *Rows) Write(lines []byte) (int, error) {
	for line := range bytes.Lines(lines) {
		if r.part = append(r.part, line...); !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		var row display.AlertRow
		if err := json.Unmarshal(r.part, &row); err != nil {
			return 0, fmt.Errorf("decoding a row: %w", err)
		}
		r.rows, r.part = append(r.rows, row), r.part[:0]
	}
	if r.stream || len(r.rows) >= maxRows {
		return len(lines), r.Flush()
	}
	return len(lines), nil
}

// Flush writes the rows, and before the first of them the header. The table fits the terminal as it is now.
func (r *Rows) Flush() error {
	table := display.NewAlertTable(r.stdout)
	var b bytes.Buffer
	if !r.headed {
		r.headed = true
		b.WriteString(table.Header() + "\n")
	}
	display.SortByTime(r.rows)
	for i := range r.rows {
		b.WriteString(table.Line(&r.rows[i]) + "\n")
	}
	r.rows = r.rows[:0]
	_, err := r.out.Write(b.Bytes())
	return err
}
