package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

func newPolicyDiffCommand() *cobra.Command {
	events := []string{}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Tell what a new policy changes, by account and region",
		Long: "Tell for which accounts a new policy makes which regions unused (+) or used (-), and what else it\n" +
			"changes for them. With --events, a file or folder of CloudTrail, also which of those events would\n" +
			"newly alert and which would fall silent. Exit status 0 whether there are changes or not.",
		Example: "  regionwatch policy diff policy.yaml policy.new.yaml --events AWSLogs/",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("two policies are needed, the old one and the new one")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return diffPolicies(cmd, args[0], args[1], events) },
	}
	cmd.Flags().StringSliceVar(&events, "events", nil, "files or folders of events to decide by both")
	cli.AddSettings(cmd, "max-event-bytes")
	return cmd
}

func diffPolicies(cmd *cobra.Command, oldName, newName string, events []string) error {
	s, err := cli.ReadSettings(cmd)
	before, oldErr := policyfile.Load(oldName, nil)
	after, newErr := policyfile.Load(newName, nil)
	if err := errors.Join(err, oldErr, newErr); err != nil {
		return cli.Mistake(err)
	}
	w, now := cmd.OutOrStdout(), time.Now()
	printDiff(w, before.Policy, after.Policy, now)
	if len(events) == 0 {
		return nil
	}
	return diffEvents(cmd, s, before.Policy, after.Policy, events, now)
}

// printDiff writes each change once, with all accounts that it is for.
func printDiff(w io.Writer, before, after *policy.Policy, now time.Time) {
	accounts := append([]string{""}, before.Accounts()...)
	accounts = append(accounts, after.Accounts()...)
	slices.Sort(accounts)
	changed := map[string][]string{} // accounts by change
	for _, id := range slices.Compact(accounts) {
		old, next := before.Effective(id, now), after.Effective(id, now)
		if change := changeText(&old, &next); change != "" {
			changed[change] = append(changed[change], id)
		}
	}
	if len(changed) == 0 {
		fmt.Fprintln(w, "no account is decided otherwise")
	}
	changes := slices.SortedFunc(maps.Keys(changed), func(a, b string) int { return strings.Compare(changed[a][0], changed[b][0]) })
	for _, change := range changes {
		names := changed[change]
		if names[0] == "" {
			names[0] = "all accounts that neither names"
		}
		fmt.Fprintf(w, "%s\n%s\n", strings.Join(names, ", "), change)
	}
}

// changeText tells what is other for an account; empty where nothing is.
func changeText(old, next *policy.Effective) string {
	var lines []string
	line := func(sign, what string) {
		if what != "" {
			lines = append(lines, "  "+sign+" "+display.Text(what))
		}
	}
	line("+ unused:", regionList(without(next.Unused, old.Unused)))
	line("- unused:", regionList(without(old.Unused, next.Unused)))
	line("+ exceptions:", strings.Join(without(next.Exceptions, old.Exceptions), ", "))
	line("- exceptions:", strings.Join(without(old.Exceptions, next.Exceptions), ", "))
	other := func(what, a, b string) {
		if a != b {
			lines = append(lines, fmt.Sprintf("  ~ %s: %s, was %s", what, display.Text(b), display.Text(a)))
		}
	}
	other("level", old.Level, next.Level)
	other("list", listKind(old), listKind(next))
	other("global services", fmt.Sprint(old.ExemptGlobalServices), fmt.Sprint(next.ExemptGlobalServices))
	other("missing readOnly", old.MissingReadOnly, next.MissingReadOnly)
	other("severity", old.Severity, next.Severity)
	other("severity of failed calls", old.FailedSeverity, next.FailedSeverity)
	other("shadow", fmt.Sprint(old.Shadow), fmt.Sprint(next.Shadow))
	return strings.Join(lines, "\n")
}

func listKind(e *policy.Effective) string {
	if e.AllowList {
		return "allowed regions, all new ones are unused"
	}
	return "unused regions, all new ones are used"
}

// without returns what stands in a and not in b.
func without(a, b []string) (list []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			list = append(list, s)
		}
	}
	return list
}

// maxListed bounds the events that are listed; all are counted.
const maxListed = 1000

// diffEvents decides events by both policies and writes those that come out otherwise.
func diffEvents(cmd *cobra.Command, s *config.Settings, before, after *policy.Policy, names []string, now time.Time) error {
	w := cmd.OutOrStdout()
	sources, listErr := scan.List(names, cmd.InOrStdin())
	cli.Report(cmd.ErrOrStderr(), listErr)
	total, fresh, silent := 0, 0, 0
	visit := func(p *scan.Part) error {
		if p.PassedOver != nil {
			return nil
		}
		p.Record.DecidedAt = now
		old, next := decideAll(before, s.MaxEventBytes, &p.Record), decideAll(after, s.MaxEventBytes, &p.Record)
		total += len(next)
		for i := range min(len(old), len(next)) {
			if old[i].alerts == next[i].alerts {
				continue
			}
			sign, why := "+ alerts:", next[i].text
			if next[i].alerts {
				fresh++
			} else {
				sign = "- silent:"
				silent++
			}
			if fresh+silent <= maxListed {
				fmt.Fprintf(w, "%s account %s, region %s, event %s: %s\n", sign, display.Text(next[i].account), display.Text(next[i].region), display.Text(next[i].id), display.Text(why))
			}
		}
		return nil
	}
	err := listErr
	for i := range sources {
		err = errors.Join(err, scan.Records(&sources[i], s.MaxEventBytes, visit))
	}
	fmt.Fprintf(w, "%s events: %s newly alert, %s fall silent\n", display.Number(total), display.Number(fresh), display.Number(silent))
	return err
}
