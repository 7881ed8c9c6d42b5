package bench

import (
	"fmt"
	"io"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
)

// Print writes the report as text.
func (g *Grouping) Print(w io.Writer) error {
	fmt.Fprintf(w, "grouping without Kafka, on %s\n\n", display.Plural(g.Cores, "core"))
	table := display.NewTable(w, "", "CPU s/million", "thousand/s", "MiB").AlignRight(0, 1, 2, 3)
	table.Row("reading and grouping alerts", seconds(g.GroupCPU), "-", "-")
	table.Row("restoring state records", seconds(g.RestoreCPU), fmt.Sprintf("%.0f", float64(g.Restored)/g.Took.Seconds()/1000), "-")
	table.Row(fmt.Sprintf("%s with %s, peak", display.Plural(g.Incidents, "incident"), display.Plural(g.IDs, "id")), "-", "-", g.Memory>>20)
	table.Row("of that in use", "-", "-", g.Live>>20)
	return table.Flush()
}

// seconds returns a CPU time as text.
func seconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", d.Seconds())
}
