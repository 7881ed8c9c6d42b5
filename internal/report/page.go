package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

const (
	maxGroups = 100 // principals on the page
	maxListed = 200 // files, exceptions and reasons on the page
	maxNames  = 8   // regions and events of a principal
)

// Source is how a report was made.
type Source struct {
	Command string // the command line
	Program string // the program and its version
	At      time.Time
	Took    time.Duration
	Policy  *policy.Policy
	From    string // where the policy comes from
	Files   *Files
	Given   int // files given to the scan
	Summary *scan.Summary
}

//go:embed page.html
var pageText string

//go:embed page.css
var style string

//go:embed page.js
var script string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"number": display.Number[uint64], "count": display.Number[int], "plural": display.Plural[uint64], "size": func(n int64) string { return display.Size(uint64(n)) },
}).Parse(pageText))

// view is what the page shows.
type view struct {
	Source

	Style      template.CSS
	Script     template.JS
	Security   string
	Words      []string
	Heat       *heatMap
	Time       *timeline
	Groups     []group
	Principals int

	MorePrincipals string // "more than " if there are more
	GroupsHidden   uint64 // alerts of principals that are not shown
	Exceptions     []exemption
	Faults         []string
	LetterFiles    []display.Count
	LettersHidden  uint64
	Listed         []file
	FilesHidden    int
	FilesHash      string
	Events         []line
	Records        []line
	FileCounts     []line
	Alerts         uint64
}

// line is a number of a sum.
type line struct {
	Name  string
	Count uint64
	Sum   bool
}

// group is a principal.
type group struct {
	Name, Severity            string
	Alerts, Failed            uint64
	Regions, Events, Accounts string
	Examples                  []example
	More                      uint64 // alerts beyond Examples
}

// exemption is an exception that applied.
type exemption struct {
	Name, Reason, Owner string
	Count               uint64
}

// Write writes the page.
func (c *Collector) Write(w io.Writer, s *Source) error {
	v := view{
		Source: *s, Style: template.CSS(style), Script: template.JS(script), Alerts: c.alerts,
		Security: "default-src 'none'; style-src " + sourceOf(style) + "; script-src " + sourceOf(script) + "; base-uri 'none'; form-action 'none'",
		Heat:     c.heatMap(func(id string) string { return display.Cut(display.NewAccountFacts(s.Summary.Facts[id]).Name, maxText) }),
		Time:     c.timeline(), Principals: len(c.principals), MorePrincipals: moreThan(c.others.principals), FilesHash: s.Files.sum(),
		Faults: scan.FaultReasons(&s.Summary.Counts), Listed: s.Files.files[:min(len(s.Files.files), maxListed)],
	}
	v.Command, v.From = display.Cut(s.Command, 20*maxText), display.Text(s.From)
	v.FilesHidden = len(s.Files.files) - len(v.Listed)
	v.LetterFiles, v.LettersHidden = s.Summary.DeadLetters.Top(maxListed)
	for i := range v.LetterFiles {
		v.LetterFiles[i].Name = display.Cut(v.LetterFiles[i].Name, maxText)
	}
	v.GroupsHidden = c.alerts
	for _, p := range c.worst()[:min(len(c.principals), maxGroups)] {
		v.Groups = append(v.Groups, p.group())
		v.GroupsHidden -= p.alerts
	}
	v.addExceptions()
	v.addSums()
	v.Words = v.words()
	if err := page.Execute(w, &v); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// sourceOf allows a text of the page in its Content-Security-Policy, and no other.
func sourceOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (p *principal) group() group {
	names := func(c *display.Counter) string {
		top, others := c.Top(maxNames)
		var list []string
		for _, n := range top {
			list = append(list, n.Name+" "+display.Number(n.Count))
		}
		if others > 0 {
			list = append(list, "others "+display.Number(others))
		}
		return strings.Join(list, ", ")
	}
	return group{
		Name: p.name, Severity: alert.Severities[p.severity], Alerts: p.alerts, Failed: p.failed, Regions: names(&p.regions), Events: names(&p.events),
		Accounts: names(&p.accounts), Examples: p.examples, More: p.alerts - uint64(len(p.examples)),
	}
}

// addExceptions adds the exceptions that exempted events, in the policy's order.
func (v *view) addExceptions() {
	for _, x := range v.Policy.Exceptions() {
		if n := v.Summary.Counts.Exempted[x.Name]; n > 0 && len(v.Exceptions) < maxListed {
			v.Exceptions = append(v.Exceptions, exemption{display.Cut(x.Name, maxText), display.Cut(x.Reason, 2*maxText), display.Cut(x.Owner, maxText), n})
		}
	}
}

// addSums adds the counts, each with the sum that they make.
func (v *view) addSums() {
	c := &v.Summary.Counts
	for o := range policy.Outcome(policy.OutcomeCount) {
		if c.Outcomes[o] > 0 {
			v.Events = append(v.Events, line{Name: o.String(), Count: c.Outcomes[o]})
		}
	}
	v.Events = append(v.Events, line{"events decided", c.Events, true})
	v.Records = []line{{Name: "read in full", Count: c.Done}, {Name: "with dead letters", Count: c.DeadLettered}, {"records", c.Records, true}}
	whole := v.Summary.Files - v.Summary.Unreadable
	v.FileCounts = []line{
		{Name: "read to their end", Count: uint64(whole)}, {Name: "read in part", Count: uint64(v.Summary.Unreadable)},
		{Name: "not opened", Count: uint64(v.Summary.Unopened)}, {"files given", uint64(v.Given), true},
	}
}

// words is the summary.
func (v *view) words() (list []string) {
	c := &v.Summary.Counts
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	say("%s in %s were decided by policy %s. %s alerted.", display.Plural(c.Events, "event"), display.Plural(v.Given, "file"), display.Cut(v.Policy.Version(), maxText),
		cmp.Or(map[uint64]string{0: "None", 1: "One"}[v.Alerts], display.Number(v.Alerts)))
	if v.Alerts > 0 {
		first := v.Groups[0]
		say("The alerts are by %s%s in %s%s of %s%s. %s of them are for calls that failed.", v.MorePrincipals, display.Plural(v.Principals, "principal"),
			v.Heat.More, display.Plural(v.Heat.AllRegions, "region"), v.Heat.More, display.Plural(v.Heat.Accounts, "account"), display.Number(v.Summary.Failed))
		say("First in the list is %s, with %s up to severity %s.", first.Name, display.Plural(first.Alerts, "alert"), first.Severity)
	}
	if v.Summary.First != "" {
		say("The first alerted event is of %s, the last of %s.", v.Summary.First, v.Summary.Last)
	}
	if n := c.Outcomes[policy.OutcomeExempted]; n > 0 {
		say("Exceptions exempted %s.", display.Plural(n, "event"))
	}
	if n := c.Outcomes[policy.OutcomeShadowed]; n > 0 {
		say("%s in shadow mode did not alert.", display.Plural(n, "finding"))
	}
	if c.DeadLettered > 0 {
		say("%s could not be read in full, so this report may lack something.", display.Plural(c.DeadLettered, "record"))
	}
	if v.Summary.Unopened+v.Summary.Unreadable > 0 {
		say("%s could not be read.", display.Plural(v.Summary.Unopened+v.Summary.Unreadable, "file"))
	}
	return list
}
