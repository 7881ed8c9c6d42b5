package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/report"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// scanDrain bounds how long a scan may take to stop after a signal.
const scanDrain = 30 * time.Second

// scanFlags are scan's own flags, apart from settings.
type scanFlags struct {
	format      *cli.Choice
	summary     *cli.Choice
	top         *cli.Parsed[int64]
	deadLetters string
	report      string
	incidents   bool
	failOn      []string
	stopped     error // why the scan was stopped, if it was
}

func newScanCommand() *cobra.Command {
	f := scanFlags{
		format: cli.NewChoice("auto", "ndjson", "table", "csv", "ocsf"), summary: cli.NewChoice("text", "json"),
		top: cli.NewNumber(strconv.Itoa(scan.DefaultTop), 0, 10_000),
	}
	cmd := &cobra.Command{
		Use:   "scan FILE...",
		Short: "Decide the events in files, folders or standard input (-)",
		Long: "Decide the events in files as run would on a topic, without Kafka. Folders are read recursively, - is standard\n" +
			"input, and a quoted pattern matches files and folders. A file may have any shape of a record, compressed or not;\n" +
			"one with several values, such as NDJSON, is read in pieces, whatever its size.\n\n" +
			"Alerts go to standard output in input order, or in a table by time; everything else goes to standard error. If a\n" +
			"file cannot be read, its name is reported, the others are read, and the exit status is 1, or 2 if it does not\n" +
			"exist. Alerts and dead letters do not change the status, unless --fail-on asks for it.",
		Example: "  regionwatch scan 'AWSLogs/*/CloudTrail/eu-*'\n" +
			"  regionwatch scan AWSLogs/ --dead-letters unreadable.ndjson > alerts.ndjson\n" +
			"  regionwatch scan AWSLogs/ --incidents --format table\n" +
			"  regionwatch scan AWSLogs/ --policy policy.yaml --report report.html > alerts.ndjson\n" +
			"  zcat trail.json.gz | regionwatch scan - --unused-regions ap-east-1,me-south-1 --fail-on alert",
		Args: scanArguments,
		RunE: func(cmd *cobra.Command, args []string) error { return scanFiles(cmd, args, &f) },
	}
	f.format.AddTo(cmd, "format", "format of the alerts; auto is table on a terminal, ndjson elsewhere; ocsf is a line of OCSF each")
	f.summary.AddTo(cmd, "summary", "format of the summary")
	cmd.Flags().Var(f.top, "top", "rows of each count in the summary")
	cmd.Flags().StringVar(&f.deadLetters, "dead-letters", "", "file for what could not be read, one JSON object a line")
	cmd.Flags().StringVar(&f.report, "report", "", "new file for a report in HTML: what was found, the evidence, and how it was made")
	cmd.Flags().BoolVar(&f.incidents, "incidents", false, "group the alerts into incidents as the policy says, and write those instead, the most important first")
	cmd.Flags().StringSliceVar(&f.failOn, "fail-on", nil, "exit with status 1 if there are any (alert, dead-letter, several with commas)")
	cli.CompleteList(cmd, "fail-on", ",", failures)
	cli.AddSettings(cmd, "config", "policy", "unused-regions", "missing-read-only", "policy-version", "no-event-copy", "max-event-bytes")
	return cmd
}

// failures are the values of --fail-on.
var failures = []string{"alert", "dead-letter"}

func scanArguments(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("no files given; name files or folders, or - for standard input")
	case len(slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a != scan.Stdin })) > 1:
		return errors.New("- is standard input and can be given once")
	}
	return nil
}

func scanFiles(cmd *cobra.Command, args []string, f *scanFlags) error {
	s, policy, err := loadPolicy(cmd)
	if err != nil {
		return err
	}
	for _, word := range f.failOn {
		if !slices.Contains(failures, word) {
			return cli.Mistake(fmt.Errorf("flag --fail-on: %q is not known; allowed: %s", word, strings.Join(failures, ", ")))
		}
	}
	if f.incidents && f.format.String() == "csv" {
		return cli.Mistake(fmt.Errorf("flag --format: csv is not a format for incidents; allowed: auto, table, ndjson, ocsf"))
	}
	sources, listErr := scan.List(args, cmd.InOrStdin())
	if err := f.checkOutputs(cmd, sources); err != nil {
		return cli.Mistake(err)
	}
	cli.Report(cmd.ErrOrStderr(), listErr)
	letters, err := scan.CreateLetterFile(f.deadLetters)
	if err != nil {
		return cli.Mistake(fmt.Errorf("flag --dead-letters: %w", err))
	}
	paper, sources, err := report.Create(f.report, sources)
	if err != nil {
		return cli.Mistake(errors.Join(fmt.Errorf("flag --report: %w", err), letters.Close()))
	}
	made := report.Source{At: time.Now(), Policy: policy, From: setup.PolicyOrigin(s), Program: thisBuild().String(), Command: cli.CommandLine(cmd, args)}
	summary, err := f.run(cmd, s, policy, sources, letters, paper)
	made.Summary, made.Took = summary, time.Since(made.At)
	if err = errors.Join(err, letters.Close(), paper.Close(&made)); err != nil {
		return err
	}
	if summary == nil {
		return f.unfinished()
	}
	return f.verdict(summary, listErr)
}

// run scans and reports on standard error. It returns nil if the reader of the alerts has closed the pipe.
func (f *scanFlags) run(cmd *cobra.Command, s *config.Settings, p *policy.Policy, sources []scan.Source, letters *scan.LetterFile, paper *report.File) (*scan.Summary, error) {
	ctx, stop := cli.StopOnSignal(cmd.Context(), scanDrain, nil)
	defer stop()
	broken := make(chan os.Signal, 1) // makes writing to a closed pipe an error instead of killing the process
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)

	view := scan.NewView(cmd.OutOrStdout(), cmd.ErrOrStderr(), sources)
	o := scan.Options{
		Policy: p, DecidedAt: time.Now(), MaxEventBytes: s.MaxEventBytes, NoEventCopy: s.NoEventCopy,
		Append: appendLine(f.alertFormat()), Alerts: view.Alerts,
		OnProgress: view.Progress, OnError: func(err error) {
			view.Clear()
			cli.Report(cmd.ErrOrStderr(), err)
		},
	}
	o.DeadLetters = letters.Writer()
	grouped := scan.NewIncidents(p, o.DecidedAt)
	flush := f.setOutput(&o, cmd.OutOrStdout(), sources, grouped)
	o.Append = paper.Tap(o.Append)
	began := time.Now()
	summary, err := scan.Run(ctx, o, sources)
	view.Clear()
	if err == nil {
		err = flush()
	}
	f.stopped = cli.Stopped(ctx)
	switch {
	case errors.Is(err, syscall.EPIPE):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if f.incidents {
		summary.Incidents = grouped.Grouped()
	}
	if f.summary.String() == "json" {
		_, err = cmd.ErrOrStderr().Write(summary.AppendJSON(nil, len(sources), time.Since(began), int(f.top.Value)))
		return summary, err
	}
	summary.Print(cmd.ErrOrStderr(), len(sources), time.Since(began), int(f.top.Value))
	if summary.Counts.DeadLettered > 0 && f.deadLetters == "" {
		fmt.Fprintln(cmd.ErrOrStderr(), "--dead-letters FILE writes what could not be read, with the reasons")
	}
	return summary, nil
}

// setOutput sets the format of the alerts, and where they go. The returned function writes what waits for the end.
func (f *scanFlags) setOutput(o *scan.Options, stdout io.Writer, sources []scan.Source, grouped *scan.Incidents) (flush func() error) {
	switch {
	case f.incidents:
		o.Append, o.Alerts, o.NoEventCopy = appendLine(alert.Native), grouped, true
		return func() error { return scan.WriteIncidents(stdout, f.format.String(), grouped.List()) }
	case f.table(stdout):
		rows := scan.NewRows(o.Alerts, stdout, sources)
		o.Append, o.Alerts = rows.Append, rows
		return rows.Flush
	case f.format.String() == "csv":
		o.Append = scan.AppendCSV
		_, err := io.WriteString(o.Alerts, scan.CSVHeader)
		return func() error { return err }
	case display.IsTerminal(stdout):
		o.Alerts = display.EscapeJSON(o.Alerts) // JSON may contain terminal control sequences
	}
	return func() error { return nil }
}

// table reports whether the alerts are printed as a table for people.
func (f *scanFlags) table(stdout io.Writer) bool {
	return f.format.String() == "table" || f.format.String() == "auto" && display.IsTerminal(stdout)
}

// unfinished returns the error for the exit status after the reader of the alerts closed the pipe: what --fail-on looks
// for may be in a part that was no longer scanned or shown.
func (f *scanFlags) unfinished() error {
	if len(f.failOn) == 0 {
		return nil
	}
	return fmt.Errorf("--fail-on %s: the scan did not finish, because the reader of its output has gone", strings.Join(f.failOn, ","))
}

// verdict returns the error for the exit status, or nil for success.
func (f *scanFlags) verdict(s *scan.Summary, listErr error) error {
	alerts, letters := s.Counts.Outcomes[policy.OutcomeAlerted], s.Counts.DeadLettered
	switch {
	case s.Stopped != nil:
		return f.stopped
	case errors.Is(listErr, scan.ErrNoFile):
		return cli.Mistake(errors.New("not all files exist"))
	case s.Unreadable+s.Unopened > 0 || listErr != nil:
		return errors.New("not all files could be read")
	case slices.Contains(f.failOn, "alert") && alerts > 0:
		return fmt.Errorf("--fail-on alert: there are %s", display.Number(alerts))
	case slices.Contains(f.failOn, "dead-letter") && letters > 0:
		return fmt.Errorf("--fail-on dead-letter: %s records could not be read in full", display.Number(letters))
	}
	return nil
}

// checkOutputs refuses to read a file that the scan writes: dead letters would overwrite the input, and reading alerts or
// dead letters again would produce more without end.
func (f *scanFlags) checkOutputs(cmd *cobra.Command, sources []scan.Source) error {
	var faults []error
	if out, ok := cmd.OutOrStdout().(*os.File); ok {
		if info, err := out.Stat(); err == nil {
			faults = append(faults, scan.CheckOutput("standard output", info, sources))
		}
	}
	if info, err := os.Stat(f.deadLetters); err == nil {
		faults = append(faults, scan.CheckOutput("flag --dead-letters", info, sources))
	}
	return errors.Join(faults...)
}

// alertFormat returns the format of the lines when the alerts are not a table.
func (f *scanFlags) alertFormat() alert.Format {
	if f.format.String() == "ocsf" {
		return alert.OCSF
	}
	return alert.Native
}

// appendLine returns a function that appends an alert as a line in the format.
func appendLine(format alert.Format) func(dst []byte, a *alert.Alert) []byte {
	return func(dst []byte, a *alert.Alert) []byte { return append(format.Append(dst, a), '\n') }
}
