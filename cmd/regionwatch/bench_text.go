package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/regionwatch/regionwatch/internal/bench"
	"github.com/regionwatch/regionwatch/internal/display"
)

// printBench prints what was measured.
func printBench(w io.Writer, r *bench.Report, records, rounds int, where string) {
	fmt.Fprintf(w, "%s records of %s bytes on average, %d partitions, medians of %d rounds\non %s\n\n",
		display.Number(records), display.Number(uint64(r.Bytes)/uint64(records)), r.Partitions, rounds, where)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tCPU s/million\tof row above\tthousand/s\tpeak MiB\t")
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
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t\n", row.Name, cpu, ratio, rate, row.Memory>>20)
	}
	_ = table.Flush() // as with every line above, a reader that is gone is no fault of the measurement
}
