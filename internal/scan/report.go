package scan

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// DefaultTop is how many rows a summary shows per count.
const DefaultTop = 5

// Print writes the summary of a scan of the given number of files, with up to top rows per count.
func (s *Summary) Print(w io.Writer, files int, took time.Duration, top int) {
	c := &s.Counts
	seconds := max(took.Seconds(), 0.001)
	fmt.Fprintf(w, "%s of %s, %s in %s: %s, %s/s\n", display.Number(s.Files), display.Plural(files, "file"),
		display.Size(s.Bytes), display.Duration(took), display.Plural(c.Events, "event"), display.Plural(uint64(float64(c.Events)/seconds), "event"))
	if s.Stopped != nil {
		fmt.Fprintf(w, "stopped in %s at byte %s of its text; everything before that is done\n", display.Text(s.Stopped.File), display.Number(s.Stopped.Offset))
	}
	if s.Unopened+s.Unreadable > 0 {
		fmt.Fprintf(w, "%s could not be opened, %s not be read to their end\n", display.Plural(s.Unopened, "file"), display.Number(s.Unreadable))
	}
	alerts := c.Outcomes[policy.OutcomeAlerted]
	fmt.Fprintf(w, "%s, %s of them partial, %s for failed calls\n", display.Plural(alerts, "alert"), display.Number(c.Partial), display.Number(s.Failed))
	if s.First != "" {
		fmt.Fprintf(w, "alerts from %s to %s\n", s.First, s.Last)
	}
	if exempted, shadowed := c.Outcomes[policy.OutcomeExempted], c.Outcomes[policy.OutcomeShadowed]; exempted+shadowed > 0 {
		fmt.Fprintf(w, "%s exempted by exceptions, %s in shadow mode\n", display.Plural(exempted, "event"), display.Plural(shadowed, "finding"))
	}
	fmt.Fprintf(w, "%s passed%s\n", display.Plural(c.Passed(), "event"), inBrackets(PassedReasons(c)))
	fmt.Fprintf(w, "%s with dead letters%s\n", display.Plural(c.DeadLettered, "record"), inBrackets(FaultReasons(c)))
	if skipped := SkipReasons(c); len(skipped) > 0 {
		fmt.Fprintf(w, "no events in: %s\n", strings.Join(skipped, ", "))
	}
	table := display.NewTable(w)
	for _, t := range s.counters() {
		counts, others := t.counter.Top(top)
		if t.counter == &s.Accounts {
			s.describe(counts)
		}
		table.CountRows(t.name, counts, others)
	}
	_ = table.Flush() // there is nowhere to report an error
	if s.Incidents != nil {
		s.Incidents.print(w)
	}
}

// describe adds to each account's id what the policy knows about it.
func (s *Summary) describe(accounts []display.Count) {
	for i, c := range accounts {
		if text := display.NewAccountFacts(s.Facts[c.Name]).Text(); text != "" {
			accounts[i].Name += "  " + text
		}
	}
}

type namedCounter struct {
	name, key string // for people, and in JSON
	counter   *display.Counter
}

// counters returns all counts in display order.
func (s *Summary) counters() []namedCounter {
	return []namedCounter{
		{"alerts by severity", "severities", &s.Severities},
		{"alerts by level", "levels", &s.Levels},
		{"alerts by account", "accounts", &s.Accounts},
		{"alerts by region", "regions", &s.Regions},
		{"alerts by event", "events", &s.Events},
		{"alerts by principal", "principals", &s.Principals},
		{"alerts by shape", "shapes", &s.Shapes},
		{"events by outer shape", "eventShapes", &s.EventShapes},
		{"dead letters by file", "deadLetterFiles", &s.DeadLetters},
	}
}

// AppendJSON appends the summary as one JSON object, with up to top entries per count.
func (s *Summary) AppendJSON(dst []byte, files int, took time.Duration, top int) []byte {
	c, counts := &s.Counts, make(map[string][]display.Count)
	for _, n := range s.counters() {
		shown, _ := n.counter.Top(top)
		counts[n.key] = append([]display.Count{}, shown...)
	}
	alerts := c.Outcomes[policy.OutcomeAlerted]
	encoded, err := json.Marshal(struct {
		Files       int                        `json:"files"` // given to the scan
		Read        int                        `json:"read"`
		Unopened    int                        `json:"unopened"`
		Unreadable  int                        `json:"unreadable"`
		Bytes       uint64                     `json:"bytes"`
		Seconds     float64                    `json:"seconds"`
		Records     uint64                     `json:"records"`
		Events      uint64                     `json:"events"`
		Alerts      uint64                     `json:"alerts"`
		Partial     uint64                     `json:"partial"`
		Failed      uint64                     `json:"failed"`    // alerts for calls that failed
		Succeeded   uint64                     `json:"succeeded"` // the other alerts
		Exempted    uint64                     `json:"exempted"`
		Shadowed    uint64                     `json:"shadowed"`
		Passed      uint64                     `json:"passed"`
		DeadLetters uint64                     `json:"deadLetters"` // records with dead letters
		First       string                     `json:"first,omitempty"`
		Last        string                     `json:"last,omitempty"`
		Top         map[string][]display.Count `json:"top"`
		Facts       map[string]json.RawMessage `json:"accountFacts,omitempty"` // what the policy knows about accounts, by id
		Incidents   *Grouped                   `json:"incidents,omitempty"`
		Stopped     *Place                     `json:"stopped,omitempty"`
	}{
		files, s.Files, s.Unopened, s.Unreadable, s.Bytes, took.Seconds(), c.Records, c.Events, alerts, c.Partial, s.Failed, alerts - s.Failed,
		c.Outcomes[policy.OutcomeExempted], c.Outcomes[policy.OutcomeShadowed], c.Passed(), c.DeadLettered, s.First, s.Last, counts, s.Facts, s.Incidents, s.Stopped,
	})
	if err != nil {
		panic("BUG: encoding a summary: " + err.Error()) // it has only strings and numbers
	}
	return append(append(dst, encoded...), '\n')
}

// CSVHeader names the columns of [AppendCSV].
const CSVHeader = "time,severity,account,region,event_source,event_name,principal,principal_type,source_ip,error_code,level,file,offset,id,account_name,account_group,account_owner\n"

// AppendCSV appends an alert as a line of CSV (RFC 4180, but with a line feed). Attackers control the text of cells, so
// a cell that a spreadsheet would take for a formula is prefixed with a single quote.
func AppendCSV(dst []byte, a *alert.Alert) []byte {
	facts := display.NewAccountFacts(a.Policy.Account)
	cells := []string{
		display.JSON(a.EventTime), a.Severity, display.JSON(a.RecipientAccountID), display.JSON(a.AWSRegion), display.JSON(a.EventSource),
		display.JSON(a.EventName), a.Principal.Name, a.Principal.Type, display.JSON(a.SourceIPAddress), display.JSON(a.ErrorCode),
		a.Policy.Level, a.Origin.File, strconv.FormatInt(a.Origin.Offset, 10), a.ID,
		facts.Name, facts.Group, facts.Owner,
	}
	for i, cell := range cells {
		cell = display.Text(cell)
		if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
			cell = "'" + cell
		}
		cells[i] = cell
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(cells) // writing to a buffer cannot fail
	w.Flush()
	return append(dst, b.Bytes()...)
}

// PassedReasons returns the reasons why events passed, each with its count.
func PassedReasons(c *detection.Counts) (reasons []string) {
	for o := range policy.Outcome(policy.OutcomeCount) {
		switch o {
		case policy.OutcomeNone, policy.OutcomeAlerted, policy.OutcomeExempted, policy.OutcomeShadowed:
			continue
		}
		if c.Outcomes[o] > 0 {
			reasons = append(reasons, o.String()+" "+display.Number(c.Outcomes[o]))
		}
	}
	return reasons
}

// FaultReasons returns the reasons of dead letters, each with its count.
func FaultReasons(c *detection.Counts) (reasons []string) {
	for r := range cloudtrail.Reason(cloudtrail.ReasonCount) {
		if c.Faults[r] > 0 {
			reasons = append(reasons, r.String()+" "+display.Number(c.Faults[r]))
		}
	}
	return reasons
}

// SkipReasons returns the kinds of records without events, each with its count.
func SkipReasons(c *detection.Counts) (reasons []string) {
	for k := range cloudtrail.Kind(cloudtrail.KindCount) {
		if c.Skips[k] > 0 {
			reasons = append(reasons, k.String()+" "+display.Number(c.Skips[k]))
		}
	}
	return reasons
}

func inBrackets(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return " (" + strings.Join(reasons, ", ") + ")"
}
