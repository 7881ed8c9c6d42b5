package policies

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/learn"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// LearnFrom adds the events of files to l, reading them as scan does. It shows its progress on stderr, and calls
// onError for each file that could not be read. The summary says how far it came when ctx ends.
func LearnFrom(ctx context.Context, l *learn.Learner, sources []scan.Source, maxEventBytes int, stderr io.Writer, onError func(error)) (*scan.Summary, error) {
	view := scan.NewView(io.Discard, stderr, sources)
	defer view.Close()
	return scan.Run(ctx, scan.Options{
		Alerts: io.Discard, MaxEventBytes: maxEventBytes, OnProgress: view.Progress,
		OnError: func(err error) {
			view.Clear()
			onError(err)
		},
		Visit: func() func([]byte, *detection.Counts) {
			p := pupil{learner: l, decoder: cloudtrail.NewDecoder(maxEventBytes)}
			p.decoder.KnownRegion = func(code []byte) bool { return regions.Index(code) >= 0 }
			return p.read
		},
	}, sources)
}

// WriteEvidence writes a draft's evidence to a new file, in the format of its extension: .csv, or else NDJSON. An empty
// name writes nothing.
func WriteEvidence(d *learn.Draft, name string) error {
	if name == "" {
		return nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	write := d.WriteNDJSON
	if filepath.Ext(name) == ".csv" {
		write = d.WriteCSV
	}
	return errors.Join(write(file), file.Close())
}

// pupil passes the events of records to a learner. It belongs to one worker of a scan.
type pupil struct {
	learner *learn.Learner
	decoder *cloudtrail.Decoder
	counts  *detection.Counts
	faults  int
}

func (p *pupil) read(record []byte, counts *detection.Counts) {
	p.counts, p.faults = counts, 0
	if err := p.decoder.Decode(record, p); err != nil {
		panic("BUG: " + err.Error()) // the methods below return no errors
	}
	counts.Bytes += uint64(len(record))
	counts.Records++
	if p.faults > 0 {
		counts.DeadLettered++
	} else {
		counts.Done++
	}
}

// Event implements cloudtrail.Sink.
func (p *pupil) Event(e *cloudtrail.Event) error {
	p.counts.Events++
	p.learner.Add(e)
	return nil
}

// Skip implements cloudtrail.Sink.
func (p *pupil) Skip(k cloudtrail.Kind, _ cloudtrail.Chain) { p.counts.Skips[k]++ }

// Fault implements cloudtrail.Sink.
func (p *pupil) Fault(f *cloudtrail.Fault) error {
	p.faults++
	p.counts.Faults[f.Reason]++
	return nil
}

// ReportLearned writes what was read and what is left to do.
func ReportLearned(w io.Writer, s *scan.Summary, d *learn.Draft, took time.Duration) {
	fmt.Fprintf(w, "%s with %s of %s, in %s\n", display.Plural(s.Files, "file"), display.Plural(s.Counts.Events, "event"),
		display.Plural(len(d.Accounts), "account"), took.Round(time.Millisecond))
	if s.Counts.DeadLettered > 0 {
		fmt.Fprintf(w, "%s could not be read in full; regionwatch scan --dead-letters FILE writes them\n", display.Plural(s.Counts.DeadLettered, "record"))
	}
	fmt.Fprintf(w, "%s for review: search the policy for REVIEW\n", display.Plural(d.Review(), "line"))
}
