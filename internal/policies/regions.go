package policies

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// listedRegion is the JSON form of a region.
type listedRegion struct {
	Code      string `json:"code"`
	Partition string `json:"partition"`
	Name      string `json:"name"`
	OptIn     bool   `json:"optIn"`
}

// WriteRegions writes regions as a table, or in the format json as a line each.
func WriteRegions(w io.Writer, format string, list []regions.Region) error {
	if format == "json" {
		lines := json.NewEncoder(w)
		for _, r := range list {
			if err := lines.Encode(listedRegion(r)); err != nil {
				return err
			}
		}
		return nil
	}
	table := display.NewTable(w, "REGION", "PARTITION", "NAME", "ENABLED")
	enabled := map[bool]string{false: "by default", true: "opt-in"}
	for _, r := range list {
		table.Row(r.Code, r.Partition, r.Name, enabled[r.OptIn])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nfrom %s of %s\n", regions.Source, regions.Date)
	return err
}
