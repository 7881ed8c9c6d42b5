package policies

import (
	"fmt"
	"io"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// Result is a policy's decision about a test case.
type Result struct {
	Case    *policyfile.Case
	Passed  bool
	Want    string
	Got     string
	Outcome string // of the event, or of the first one that alerts
}

// Test decides test cases with a policy.
func Test(p *policy.Policy, cases []policyfile.Case, maxEventBytes int, now time.Time) []Result {
	results := make([]Result, len(cases))
	for i := range cases {
		results[i] = try(p, &cases[i], maxEventBytes, now)
	}
	return results
}

func try(p *policy.Policy, c *policyfile.Case, maxEventBytes int, now time.Time) Result {
	v := decideAll(p, maxEventBytes, &detection.Record{Value: c.Event, File: c.At, DecidedAt: now})
	r := Result{Case: c, Got: "it has no event", Outcome: policy.OutcomeNone.String()}
	finding, account := false, ""
	for _, at := range v.order {
		d := v.of[at]
		if found := d.outcome == policy.OutcomeAlerted || d.outcome == policy.OutcomeShadowed; found || !finding {
			r.Got, r.Outcome, account = d.text, d.outcome.String(), d.group.Account
			finding = finding || found
		}
	}
	r.compare(finding)
	if c.Incidents != nil && r.Passed {
		r.compareGrouping(p.Incidents(account))
	}
	return r
}

// compare compares the decision with what the case expects.
func (r *Result) compare(finding bool) {
	if c := r.Case; c.Outcome != "" {
		r.Want, r.Passed = "outcome "+c.Outcome, r.Outcome == c.Outcome
		r.Got = "outcome " + r.Outcome + ": " + r.Got
		return
	}
	// Without a named outcome, a finding in shadow mode counts as an alert, so the case holds before and after the
	// roll-out.
	r.Want, r.Passed = map[bool]string{true: "an alert", false: "no alert"}[r.Case.Want], finding == r.Case.Want
}

// compareGrouping compares how alerts of the event's account are grouped with what the case expects.
func (r *Result) compareGrouping(got policy.Incidents) {
	is, want := got.Grouping(), r.Case.Incidents.Grouping()
	if len(is.Differences(&want)) > 0 {
		r.Passed, r.Want, r.Got = false, "incidents: "+want.Text(), "incidents: "+is.Text()
	}
}

// Failed returns the number of results that did not pass.
func Failed(results []Result) (n int) {
	for i := range results {
		if !results[i].Passed {
			n++
		}
	}
	return n
}

// WriteResults writes results in a format, "text" or "junit".
func WriteResults(w io.Writer, format string, p *policy.Policy, results []Result) error {
	if format == "junit" {
		return writeJUnit(w, p, results)
	}
	for i := range results {
		r := &results[i]
		if r.Passed {
			fmt.Fprintf(w, "ok    %s\n", display.Text(r.Case.Name))
			continue
		}
		fmt.Fprintf(w, "FAIL  %s (%s)\n      want: %s\n      got:  %s\n", display.Text(r.Case.Name), display.Text(r.Case.At), r.Want, display.Text(r.Got))
	}
	_, err := fmt.Fprintf(w, "%d of %s as expected, under policy %s\n", len(results)-Failed(results), display.Plural(len(results), "case"), display.Text(p.Version()))
	return err
}

func writeJUnit(w io.Writer, p *policy.Policy, results []Result) error {
	suite := junit.Testsuite{Name: "policy " + display.Text(p.Version())}
	for i := range results {
		r := &results[i]
		c := junit.Testcase{Name: display.Text(r.Case.Name), Classname: display.Text(r.Case.At)}
		if !r.Passed {
			c.Failure = &junit.Result{Message: "want " + r.Want, Data: "got " + display.Text(r.Got)}
		}
		suite.AddTestcase(c)
	}
	var suites junit.Testsuites
	suites.AddSuite(suite)
	if err := suites.WriteXML(w); err != nil {
		return fmt.Errorf("writing JUnit results: %w", err)
	}
	return nil
}
