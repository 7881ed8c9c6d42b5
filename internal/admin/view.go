package admin

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// view is everything on the page, in parts that are sent when they change. The page's data attributes use the same
// names as its JSON. All texts are safe to show.
type view struct {
	State stateView `json:"state"`
	// Incidents is nil, and null in JSON, if the instance makes alerts; then the next two are empty.
	Incidents  *incidentsView `json:"incidents"`
	Figures    figuresView    `json:"figures"`
	Policy     policyView     `json:"policy"`
	Regions    regionsView    `json:"regions"`
	Alerts     alertsView     `json:"alerts"`
	Partitions partitionsView `json:"partitions"`
	Letters    lettersView    `json:"letters"`
}

type stateView struct {
	Word    string `json:"word"` // for the style sheet: ready, waiting or draining
	Text    string `json:"text"`
	Uptime  string `json:"uptime"`
	Now     string `json:"now"`
	Version string `json:"version"`
	Facts   []Fact `json:"-"` // constant
	Metrics bool   `json:"-"` // whether to link to /metrics and the probes
}

type figuresView struct {
	Rate    string `json:"rate"`
	Top     string `json:"top"`
	Points  string `json:"points"`
	Events  string `json:"events"`
	Alerts  string `json:"alerts"`
	Aside   string `json:"aside"`
	Letters string `json:"letters"`
	Records string `json:"records"`
	Lag     string `json:"lag"`
	Behind  string `json:"behind"`
	Late    string `json:"late"` // yes if the lag needs attention
}

type policyView struct {
	Version  string `json:"version"`
	Hash     string `json:"hash"`
	Origin   string `json:"origin"`
	Age      string `json:"age"`
	Since    string `json:"since"`
	Default  string `json:"default"`
	Accounts string `json:"accounts"`
	Expired  string `json:"expired"`
	Fault    string `json:"fault"`
	FaultAt  string `json:"faultAt"`
}

type alertsView struct {
	Rows       []alertRow `json:"rows"`
	Empty      string     `json:"empty"`
	Note       string     `json:"note"`
	Total      uint64     `json:"total"`  // alerts so far; tells the script about new ones
	Latest     string     `json:"latest"` // what the script says about them
	Accounts   []countRow `json:"accounts"`
	Principals []countRow `json:"principals"`
}

type partitionsView struct {
	Rows []partitionRow `json:"rows"`
	Note string         `json:"note"`
}

type partitionRow struct {
	Key       string `json:"key"`
	Topic     string `json:"topic"`
	Partition string `json:"partition"`
	Lag       string `json:"lag"`
	Behind    string `json:"behind"`
	Rate      string `json:"rate"`
	Next      string `json:"next"`
	Late      string `json:"late"`
}

type lettersView struct {
	Reasons []countRow  `json:"reasons"`
	Rows    []letterRow `json:"rows"`
	Empty   string      `json:"empty"`
}

// countRow is a bar in a list of counts.
type countRow struct {
	Key   string `json:"key"`
	Count string `json:"count"`
	Share string `json:"share"` // of the largest count, such as 40%
}

func newCountRow(key string, n, most uint64) countRow {
	return countRow{key, display.Number(n), strconv.FormatFloat(100*float64(n)/float64(most), 'f', 1, 64) + "%"}
}

func newFigures(h *history) figuresView {
	s := &h.last
	c := &s.Counts
	points, top := h.points()
	f := figuresView{
		Rate: rateText(h.rate), Top: "peak " + rateText(top) + "/s", Points: points,
		Events: display.Number(c.Events), Records: "in " + display.Number(c.Records) + " records",
		Alerts: display.Number(s.Acked), Letters: display.Number(s.DeadLetter), Lag: count(s.Lag), Late: lateWord(s.Lag, h.rate),
	}
	if aside := c.Outcomes[policy.OutcomeExempted] + c.Outcomes[policy.OutcomeShadowed]; aside > 0 {
		f.Aside = display.Number(aside) + " exempted or in shadow mode"
	}
	var behind time.Duration
	for _, p := range s.Partitions {
		behind = max(behind, p.Behind)
	}
	if behind >= time.Second {
		f.Behind = "up to " + ageText(behind) + " behind"
	}
	return f
}

// lateWord returns "yes" if processing the waiting records takes more than 10 seconds at the current rate.
func lateWord(lag int64, perSecond float64) string {
	if lag > 100 && float64(lag) > 10*perSecond {
		return "yes"
	}
	return "no"
}

// ofIncidents replaces the figures of a stage that makes alerts by those of one that groups them: each record is an alert.
func (f *figuresView) ofIncidents(v *incidentsView, records uint64) {
	f.Events, f.Records, f.Aside = display.Number(records), "", ""
	f.Alerts = v.openText()
}

func newPolicyView(s *PolicyState, now time.Time) policyView {
	e := s.Policy.Effective("", now)
	list := "unused"
	if e.AllowList {
		list = "allowed"
	}
	v := policyView{
		Version: display.Cut(s.Policy.Version(), nameLength), Hash: display.Cut(s.Policy.Hash(), nameLength),
		Origin: display.Cut(s.Origin, textLength), Age: ageText(now.Sub(s.Since)), Since: timeText(s.Since),
		Default:  fmt.Sprintf("%d regions listed as %s", len(e.Listed), list),
		Accounts: strconv.Itoa(len(s.Policy.Accounts())), Expired: strconv.Itoa(s.Policy.ExpiredExceptions(now)),
	}
	if e.Shadow {
		v.Default += ", in shadow mode"
	}
	if s.Fault != "" {
		v.Fault, v.FaultAt = display.Cut(s.Fault, textLength), timeText(s.FaultAt)
	}
	return v
}

func newAlertsView(rows []alertRow, total uint64) alertsView {
	v := alertsView{
		Rows: groupRows(rows), Total: total,
		Accounts:   countBy(rows, func(r *alertRow) string { return r.Account }),
		Principals: countBy(rows, func(r *alertRow) string { return r.Principal }),
	}
	if len(v.Rows) > 0 {
		r := &v.Rows[0]
		v.Latest = r.Event + " in " + r.Region + " by " + r.Principal
	}
	switch {
	case len(rows) == 0:
		v.Empty = "No alerts since the start."
	case len(rows) < keptAlerts:
		v.Note = fmt.Sprintf("%d since the start, equal ones in one row", len(rows))
	default:
		v.Note = fmt.Sprintf("the latest %d, equal ones in one row", keptAlerts)
	}
	return v
}

// shownCounts is how many accounts and principals are counted on the page.
const shownCounts = 8

// countBy counts alerts by a text, most frequent first.
func countBy(rows []alertRow, textOf func(*alertRow) string) []countRow {
	counts := make(map[string]uint64)
	for i := range rows {
		if text := textOf(&rows[i]); text != "" {
			counts[text]++
		}
	}
	texts := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	list := []countRow{}
	for _, text := range texts[:min(len(texts), shownCounts)] {
		list = append(list, newCountRow(text, counts[text], counts[texts[0]]))
	}
	return list
}

// shownPartitions bounds the listed partitions; those furthest behind are listed.
const shownPartitions = 50

func newPartitionsView(h *history) partitionsView {
	partitions := slices.Clone(h.last.Partitions)
	v := partitionsView{Rows: []partitionRow{}}
	if len(partitions) == 0 {
		v.Note = "This instance has no partitions."
	}
	if rest := len(partitions) - shownPartitions; rest > 0 {
		slices.SortStableFunc(partitions, func(a, b processor.PartitionStatus) int { return cmp.Compare(b.Lag, a.Lag) })
		v.Note = fmt.Sprintf("The %d furthest behind of %d.", shownPartitions, len(partitions))
		partitions = partitions[:shownPartitions]
	}
	for _, p := range partitions {
		rate := h.partitions[partitionKey{p.Topic, p.Partition}].perSecond
		row := partitionRow{
			Topic: display.Cut(p.Topic, 249), Partition: strconv.Itoa(int(p.Partition)),
			Lag: count(p.Lag), Rate: rateText(rate), Next: "none yet", Late: lateWord(p.Lag, rate),
		}
		row.Key = row.Topic + ":" + row.Partition
		if p.Next >= 0 {
			row.Next = count(p.Next)
		}
		if p.Behind >= time.Second {
			row.Behind = ageText(p.Behind)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func newLettersView(c *detection.Counts, rows []letterRow) lettersView {
	v := lettersView{Reasons: []countRow{}, Rows: rows}
	most := slices.Max(c.Faults[:])
	reasons := make([]cloudtrail.Reason, 0, len(c.Faults))
	for i := range c.Faults {
		reasons = append(reasons, cloudtrail.Reason(i))
	}
	slices.SortStableFunc(reasons, func(a, b cloudtrail.Reason) int { return cmp.Compare(c.Faults[b], c.Faults[a]) })
	for _, r := range reasons {
		if n := c.Faults[r]; n > 0 {
			v.Reasons = append(v.Reasons, newCountRow(r.String(), n, most))
		}
	}
	if len(v.Reasons) == 0 {
		v.Empty = "Every record was readable."
	}
	return v
}
