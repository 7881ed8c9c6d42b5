package generate

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// Truth is what must be found in the generated records, for tests and people. --truth writes its JSON.
type Truth struct {
	Records       uint64   `json:"records"` // made
	Written       uint64   `json:"written"` // written, or acknowledged by the broker
	Bytes         uint64   `json:"bytes"`
	Events        uint64   `json:"events"`        // whole ones
	Alerts        uint64   `json:"alerts"`        // that must be raised, including partial ones
	PartialAlerts uint64   `json:"partialAlerts"` // for events damaged after the decisive fields
	DeadLettered  uint64   `json:"deadLettered"`  // records with an unreadable part
	InvalidUTF8   uint64   `json:"invalidUTF8"`   // events with bytes that are not UTF-8
	UnusedRegions []string `json:"unusedRegions"`
}

// NewTruth returns what must be found in all records that g has made, of which the given number were written.
func NewTruth(g *sample.Generator, written uint64, unused []string) *Truth {
	t := g.Truth()
	return &Truth{
		Records: t.Records, Written: written, Bytes: t.Bytes, Events: t.Events,
		Alerts: t.Alerts(unused), PartialAlerts: t.PartialAlerts(unused),
		DeadLettered: t.DeadLettered, InvalidUTF8: t.InvalidUTF8, UnusedRegions: unused,
	}
}

// Print formats the truth for people.
func (t *Truth) Print(w io.Writer, where string, took time.Duration, stopped bool) {
	how := ""
	if stopped {
		how = ", stopped by a signal"
	}
	fmt.Fprintf(w, "%s, %s, to %s in %s%s\n", display.Plural(t.Written, "record"), display.Size(t.Bytes), display.Text(where), display.Duration(took), how)
	if t.Written < t.Records {
		fmt.Fprintf(w, "%s more were made but not written\n", display.Number(t.Records-t.Written))
	}
	fmt.Fprintf(w, "they hold %s and %s that cannot be read in full\n", display.Plural(t.Events, "whole event"), display.Plural(t.DeadLettered, "record"))
	fmt.Fprintf(w, "they must raise %s, %s of them partial, with %s unused\n",
		display.Plural(t.Alerts, "alert"), display.Number(t.PartialAlerts), strings.Join(t.UnusedRegions, ", "))
}

// Save writes the truth to a file.
func (t *Truth) Save(file string) error {
	text, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding truth: %w", err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing truth: %w", err)
	}
	return nil
}
