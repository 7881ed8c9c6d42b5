package learn

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Evidence is one line of evidence: what was seen of an account in a region.
type Evidence struct {
	Account       string   `json:"account"`
	Name          string   `json:"name,omitempty"`
	OU            string   `json:"ou,omitempty"`
	Region        string   `json:"region"`
	Verdict       string   `json:"verdict"` // allowed, review, or unused
	Reasons       []string `json:"reasons,omitempty"`
	Reads         uint64   `json:"reads"`
	Writes        uint64   `json:"writes"`
	ServiceWrites uint64   `json:"serviceWrites"`
	Failed        uint64   `json:"failed"`
	FirstSeen     string   `json:"firstSeen"`
	LastSeen      string   `json:"lastSeen"`
	ActiveDays    int      `json:"activeDays"`
	WriteDays     int      `json:"writeDays"` // with successful writes not made by a service
	Principals    uint64   `json:"principals"`
	TopPrincipals []Count  `json:"topPrincipals,omitempty"`
	TopSources    []Count  `json:"topSources,omitempty"`
}

// Count is a name and how often it was counted. Where there are more than maxNames, the list is of a sample of them.
type Count struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

// evidence calls yield for each account and region.
func (d *Draft) evidence(yield func(*Evidence) error) error {
	for i := range d.Accounts {
		a := &d.Accounts[i]
		for j := range a.Regions {
			r := &a.Regions[j]
			u := r.Usage
			e := Evidence{
				Account: a.ID, Name: d.options.Accounts[a.ID].Name, OU: d.options.Accounts[a.ID].OU, Region: r.Code, Verdict: r.verdict(), Reasons: r.Reasons,
				Reads: u.Reads, Writes: u.Writes, ServiceWrites: u.ServiceWrites, Failed: u.Failed, FirstSeen: day(u.First), LastSeen: day(u.Last),
				ActiveDays: u.days.len(), WriteDays: u.writeDays.len(), Principals: u.Principals(),
				TopPrincipals: u.principals.shown(topPrincipals), TopSources: u.sources.shown(topSources),
			}
			if err := yield(&e); err != nil {
				return fmt.Errorf("writing evidence: %w", err)
			}
		}
	}
	return nil
}

func (r *Region) verdict() string {
	switch {
	case len(r.Reasons) > 0:
		return "review"
	case r.Allowed:
		return "allowed"
	}
	return "unused"
}

// shown returns up to most names, the most frequent first.
func (n counts) shown(most int) (list []Count) {
	for _, c := range n.top(most) {
		list = append(list, Count{c.text, c.count})
	}
	return list
}

// WriteNDJSON writes the evidence, one JSON object per line.
func (d *Draft) WriteNDJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	return d.evidence(func(e *Evidence) error { return encoder.Encode(e) })
}

// WriteCSV writes the evidence as CSV, without the top principals and sources. No cell can start a formula.
func (d *Draft) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	_ = out.Write([]string{"account", "name", "ou", "region", "verdict", "reasons", "reads", "writes", "service_writes", "failed", "first_seen", "last_seen", "active_days", "write_days", "principals"})
	err := d.evidence(func(e *Evidence) error {
		return out.Write([]string{
			e.Account, cell(e.Name), cell(e.OU), e.Region, e.Verdict, strings.Join(e.Reasons, " "), number(e.Reads), number(e.Writes), number(e.ServiceWrites),
			number(e.Failed), e.FirstSeen, e.LastSeen, strconv.Itoa(e.ActiveDays), strconv.Itoa(e.WriteDays), number(e.Principals),
		})
	})
	out.Flush()
	if err == nil && out.Error() != nil {
		err = fmt.Errorf("writing evidence: %w", out.Error())
	}
	return err
}

// cell makes a text fit for a cell: spreadsheets take some first characters for a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", []rune(text)[0]) {
		return "'" + text
	}
	return text
}
