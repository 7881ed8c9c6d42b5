package main

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

// truth is what must come of generated records, for tests and people. Its JSON is what --truth writes.
type truth struct {
	Records       uint64   `json:"records"` // made
	Written       uint64   `json:"written"` // and written, or acknowledged by the broker
	Bytes         uint64   `json:"bytes"`
	Events        uint64   `json:"events"`        // whole ones
	Alerts        uint64   `json:"alerts"`        // that must be raised, partial ones among them
	PartialAlerts uint64   `json:"partialAlerts"` // of events damaged after the decisive fields
	DeadLettered  uint64   `json:"deadLettered"`  // records with a part that cannot be read
	InvalidUTF8   uint64   `json:"invalidUTF8"`   // events with bytes that are not UTF-8
	UnusedRegions []string `json:"unusedRegions"`
}

func newTruth(g *sample.Generator, written uint64, unused []string) *truth {
	t := g.Truth()
	return &truth{
		Records: t.Records, Written: written, Bytes: t.Bytes, Events: t.Events,
		Alerts: t.Alerts(unused), PartialAlerts: t.PartialAlerts(unused),
		DeadLettered: t.DeadLettered, InvalidUTF8: t.InvalidUTF8, UnusedRegions: unused,
	}
}

// print tells people.
func (t *truth) print(w io.Writer, where string, took time.Duration, stopped bool) {
	how := ""
	if stopped {
		how = ", stopped by a signal"
	}
	fmt.Fprintf(w, "%s records, %s, to %s in %s%s\n", display.Number(t.Written), display.Size(t.Bytes), display.Text(where), display.Duration(took), how)
	if t.Written < t.Records {
		fmt.Fprintf(w, "%s more were made and not written\n", display.Number(t.Records-t.Written))
	}
	fmt.Fprintf(w, "in them: %s whole events, %s records that cannot be read in full\n", display.Number(t.Events), display.Number(t.DeadLettered))
	fmt.Fprintf(w, "alerts that they must raise: %s, %s of them partial, with %s unused\n",
		display.Number(t.Alerts), display.Number(t.PartialAlerts), strings.Join(t.UnusedRegions, ", "))
}

// save writes the truth to a file.
func (t *truth) save(file string) error {
	text, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding truth: %w", err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing truth: %w", err)
	}
	return nil
}
