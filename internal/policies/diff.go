package policies

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// Diff is the changes from one policy to another.
type Diff struct {
	Levels []LevelDiff `json:"levels"`
	Events *EventDiff  `json:"events,omitempty"` // if both policies decided events
}

// LevelDiff is a change for all accounts under a level of the new policy.
type LevelDiff struct {
	Level    string   `json:"level"`
	Accounts []string `json:"accounts"` // ids that either policy names
	Others   bool     `json:"others"`   // also for accounts that neither policy names
	Changes  []string `json:"changes"`

	name string // name of the account, for the level of a single account
}

// Compare returns the changes between two policies at a point in time.
func Compare(before, after *policy.Policy, now time.Time) *Diff {
	ids := append([]string{""}, before.Accounts()...)
	ids = append(ids, after.Accounts()...)
	slices.Sort(ids)
	byChange := map[string]*LevelDiff{}
	for _, id := range slices.Compact(ids) {
		old, next := before.Effective(id, now), after.Effective(id, now)
		changes := changesOf(&old, &next)
		if len(changes) == 0 {
			continue
		}
		key := next.Level + "\x00" + strings.Join(changes, "\x00")
		d := byChange[key]
		if d == nil {
			d = &LevelDiff{Level: next.Level, Accounts: []string{}, Changes: changes, name: display.NewAccountFacts(next.Account).Name}
			byChange[key] = d
		}
		if id == "" {
			d.Others = true
		} else {
			d.Accounts = append(d.Accounts, id)
		}
	}
	diff := &Diff{Levels: []LevelDiff{}}
	for _, key := range slices.Sorted(maps.Keys(byChange)) {
		diff.Levels = append(diff.Levels, *byChange[key])
	}
	slices.SortStableFunc(diff.Levels, func(a, b LevelDiff) int { return b.size() - a.size() })
	return diff
}

// size orders the changes: those for all other accounts first, then by number of accounts.
func (d *LevelDiff) size() int {
	if d.Others {
		return 1 << 30
	}
	return len(d.Accounts)
}

// AccountWords returns the id of each account that the policy names, with its name and owner after a tab, for
// completion in shells.
func AccountWords(p *policy.Policy) (words []string) {
	for _, id := range p.Accounts() {
		words = append(words, id+"\t"+display.NewAccountFacts(p.Effective(id, time.Time{}).Account).Text())
	}
	return words
}

// changesOf describes the changes for an account.
func changesOf(old, next *policy.Effective) (changes []string) {
	line := func(list []string, join func([]string) string, text string) {
		if len(list) > 0 {
			changes = append(changes, fmt.Sprintf(text, join(list)))
		}
	}
	names := func(list []string) string { return strings.Join(list, ", ") }
	line(without(next.Unused, old.Unused), RegionList, "%s now unused")
	line(without(old.Unused, next.Unused), RegionList, "%s no longer unused")
	line(without(next.Exceptions, old.Exceptions), names, "exceptions added: %s")
	line(without(old.Exceptions, next.Exceptions), names, "exceptions removed: %s")
	other := func(what, a, b string) {
		if a != b {
			changes = append(changes, fmt.Sprintf("%s: %s, was %s", what, b, a))
		}
	}
	mode := map[bool]string{true: "shadow", false: "alert"}
	other("level", old.Level, next.Level)
	other("list", listKind(old), listKind(next))
	other("global services", fmt.Sprint(old.ExemptGlobalServices), fmt.Sprint(next.ExemptGlobalServices))
	other("missing readOnly", old.MissingReadOnly, next.MissingReadOnly)
	other("severity", old.Severity, next.Severity)
	other("severity of failed calls", old.FailedSeverity, next.FailedSeverity)
	other("mode", mode[old.Shadow], mode[next.Shadow])
	for _, change := range next.Incidents.Differences(&old.Incidents) {
		changes = append(changes, "incidents: "+change)
	}
	return changes
}

func listKind(e *policy.Effective) string {
	if e.AllowList {
		return "allowed regions, so new regions are unused"
	}
	return "unused regions, so new regions are in use"
}

// without returns the elements of a that are not in b.
func without(a, b []string) (list []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			list = append(list, s)
		}
	}
	return list
}

// Empty reports whether nothing changes.
func (d *Diff) Empty() bool {
	return len(d.Levels) == 0 && (d.Events == nil || len(d.Events.Groups) == 0)
}

// Write writes the changes in a format, "text" or "json".
func (d *Diff) Write(w io.Writer, format string) error {
	if format == "json" {
		return display.NewEncoder(w).Encode(d)
	}
	if len(d.Levels) == 0 {
		fmt.Fprintln(w, "no level changes for any account")
	}
	for i := range d.Levels {
		d.Levels[i].print(w)
	}
	if d.Events == nil {
		return nil
	}
	return d.Events.print(w)
}

func (d *LevelDiff) print(w io.Writer) {
	title := d.Level
	switch n := len(d.Accounts); {
	case d.Others && n > 0:
		title += ", " + display.Plural(n, "named account") + " and all that neither policy names"
	case d.Others:
		title += ", all accounts that neither policy names"
	case strings.HasPrefix(d.Level, "account "):
		if d.name != "" {
			title += " (" + d.name + ")"
		}
	default:
		title += ", " + display.Plural(n, "account")
	}
	if len(d.Changes) == 1 {
		fmt.Fprintln(w, display.Text(title+": "+d.Changes[0]))
		return
	}
	fmt.Fprintln(w, display.Text(title)+":")
	for _, change := range d.Changes {
		fmt.Fprintln(w, "  "+display.Text(change))
	}
}
