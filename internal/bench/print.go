package bench

import (
	"fmt"
	"io"

	"github.com/regionwatch/regionwatch/internal/display"
)

// Print writes the report as text. where describes the brokers.
func (r *Report) Print(w io.Writer, records, rounds int, where string) error {
	fmt.Fprintf(w, "%s of %s bytes on average, %s, medians of %s\non %s\n\n",
		display.Plural(records, "record"), display.Number(r.Bytes/int64(records)), display.Plural(r.Partitions, "partition"), display.Plural(rounds, "round"), where)
	table := display.NewTable(w, "", "CPU s/million", "of row above", "thousand/s", "peak MiB").AlignRight(0, 1, 2, 3, 4)
	for i, row := range r.Rows {
		cpu, ratio, rate := "-", "-", "-"
		if row.Rate > 0 {
			rate = fmt.Sprintf("%.0f", row.Rate/1000)
		}
		if row.CPU > 0 {
			cpu = fmt.Sprintf("%.2f", row.CPU.Seconds())
			if i > 0 {
				ratio = fmt.Sprintf("%.2fx", row.CPU.Seconds()/r.Rows[i-1].CPU.Seconds())
			}
		}
		table.Row(row.Name, cpu, ratio, rate, row.Memory>>20)
	}
	return table.Flush()
}
