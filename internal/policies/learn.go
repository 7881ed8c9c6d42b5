package policies

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/learn"
	"github.com/regionwatch/regionwatch/internal/organization"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// Learning is how a policy is drafted. Call Check, then Run.
type Learning struct {
	Files                  []string // as given, for the head of the policy
	MaxGroups              int
	Organization, Evidence string // names of files; empty for none
	Snapshot               string // name of the file that makes learning resumable; empty for none
	MaxEventBytes          int

	stage time.Duration // between two writings of the snapshot; 0 means stageTime

	accounts map[string]policy.Account
}

// Check reads the file of the organization and reports the mistakes in the options.
func (l *Learning) Check(stdin io.Reader) (err error) {
	if l.Organization != "" {
		if l.accounts, err = readOrganization(stdin, l.Organization); err != nil {
			err = fmt.Errorf("flag --organization: %w", err)
		}
	}
	if kind := filepath.Ext(l.Evidence); l.Evidence != "" && kind != ".csv" && kind != ".ndjson" {
		err = errors.Join(err, fmt.Errorf("flag --evidence: %q ends in neither .csv nor .ndjson", l.Evidence))
	}
	if _, statErr := os.Lstat(l.Evidence); l.Evidence != "" && statErr == nil {
		err = errors.Join(err, fmt.Errorf("flag --evidence: %s exists already; name a new file", l.Evidence))
	}
	return err
}

// readOrganization reads the accounts of an organization from a file or a folder, by id.
func readOrganization(stdin io.Reader, name string) (map[string]policy.Account, error) {
	var list []policy.Account
	var err error
	if info, statErr := os.Stat(name); statErr == nil && info.IsDir() {
		if list, err = organization.ReadFolder(os.DirFS(name)); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	} else {
		var text []byte
		if text, err = ReadInput(stdin, name); err == nil {
			list, err = organization.Parse(name, text)
		}
	}
	accounts := make(map[string]policy.Account, len(list))
	for _, a := range list {
		accounts[a.ID] = a
	}
	return accounts, err
}

// Run learns from the sources and writes the draft to stdout. If the summary says that it was stopped, it wrote none.
func (l *Learning) Run(ctx context.Context, sources []scan.Source, stdout, stderr io.Writer) (*scan.Summary, error) {
	began := time.Now()
	learner := learn.NewLearner(began)
	view := scan.NewView(io.Discard, stderr, sources)
	lesson := lesson{options: l, class: class{into: learner}, view: view, stderr: stderr}
	summary, err := lesson.run(ctx, sources)
	view.Clear()
	if err != nil || summary.Stopped != nil {
		return summary, err
	}
	read := display.Plural(summary.Files, "file")
	return summary, l.write(learner, strings.Join(l.Files, " "), &lessonReport{read, &summary.Counts, time.Since(began)}, stdout, stderr)
}

// write drafts the policy and writes it and its evidence.
func (l *Learning) write(learner *learn.Learner, source string, report *lessonReport, stdout, stderr io.Writer) error {
	draft := learner.Draft(learn.Options{MaxGroups: l.MaxGroups, Accounts: l.accounts, Source: source})
	report.print(stderr, draft)
	if err := WriteEvidence(draft, l.Evidence); err != nil {
		return cli.Mistake(fmt.Errorf("flag --evidence: %w", err))
	}
	return draft.Write(stdout)
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

// lessonReport is what a lesson says at its end.
type lessonReport struct {
	read   string // what was read, for people
	counts *detection.Counts
	took   time.Duration
}

// print writes what was read and what is left to do.
func (r *lessonReport) print(w io.Writer, d *learn.Draft) {
	fmt.Fprintf(w, "%s with %s of %s, in %s\n", r.read, display.Plural(r.counts.Events, "event"), display.Plural(len(d.Accounts), "account"), r.took.Round(time.Millisecond))
	if n := r.counts.DeadLettered; n > 0 {
		fmt.Fprintf(w, "%s could not be read in full; regionwatch scan --dead-letters FILE writes them\n", display.Plural(n, "record"))
	}
	fmt.Fprintf(w, "%s for review: search the policy for REVIEW\n", display.Plural(d.Review(), "line"))
}
