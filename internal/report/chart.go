package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
)

const (
	maxRows = 40 // accounts in the heat map
	maxCols = 40 // regions in the heat map
	maxBars = 90 // in the timeline
	shades  = 5  // of the heat map, apart from none
)

// heatMap is alerts by account and region.
type heatMap struct {
	Regions                   []string
	Rows                      []heatRow
	Accounts, AllRegions      int    // how many there are, as far as they were counted apart
	More                      string // "more than " if there are more
	Shown, Hidden             uint64 // alerts
	MoreAccounts, MoreRegions bool
}

type heatRow struct {
	Account, Name string
	Cells         []heatCell
	Total         uint64
}

// heatCell is a number and its shade, from 0 for none.
type heatCell struct {
	Count uint64
	Shade int
}

// heatMap returns the accounts and regions with the most alerts. names are those of accounts in the policy.
func (c *Collector) heatMap(name func(account string) string) *heatMap {
	byAccount, byRegion := map[string]uint64{}, map[string]uint64{}
	for at, n := range c.cells {
		byAccount[at.account] += n
		byRegion[at.region] += n
	}
	accounts, regions := mostOf(byAccount), mostOf(byRegion)
	m := &heatMap{Accounts: len(accounts), AllRegions: len(regions), MoreAccounts: len(accounts) > maxRows, MoreRegions: len(regions) > maxCols, More: moreThan(c.others.cells)}
	accounts, regions = accounts[:min(len(accounts), maxRows)], regions[:min(len(regions), maxCols)]
	slices.Sort(regions)
	m.Regions = regions
	var most uint64
	for _, a := range accounts {
		for _, r := range regions {
			most = max(most, c.cells[cell{a, r}])
		}
	}
	for _, a := range accounts {
		row := heatRow{Account: a, Name: name(a)}
		for _, r := range regions {
			n := c.cells[cell{a, r}]
			row.Cells = append(row.Cells, heatCell{n, shade(n, most)})
			row.Total += n
		}
		m.Rows = append(m.Rows, row)
		m.Shown += row.Total
	}
	m.Hidden = c.alerts - m.Shown
	return m
}

// moreThan goes before a number of names if there were more of them than could be counted apart.
func moreThan(others uint64) string {
	if others > 0 {
		return "more than "
	}
	return ""
}

// shade grows with the number of digits, so that one busy account does not make all others pale.
func shade(n, most uint64) int {
	if n == 0 {
		return 0
	}
	s := shades
	for ; s > 1 && n*3 <= most; s-- {
		n *= 3
	}
	return s
}

func mostOf(counts map[string]uint64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}

// timeline is alerts over time, as the bars of a chart.
type timeline struct {
	Bars        []bar
	First, Last string
	Each        string // how long a bar is
	Most        uint64
	Timed       uint64
	Untimed     uint64 // alerts without a time that can be shown
	Width       int
}

// bar is a bar in the units of the chart.
type bar struct {
	X, Y, Height int
	Count        uint64
	From         string
}

const (
	barWidth    = 10
	chartHeight = 120
)

// timeline returns at most maxBars bars, of an hour each or as many hours as it takes.
func (c *Collector) timeline() *timeline {
	t := &timeline{Untimed: c.others.times}
	if len(c.hours) == 0 {
		return t
	}
	hours := slices.Sorted(maps.Keys(c.hours))
	first, last := hours[0], hours[len(hours)-1]
	step := int64(1)
	for _, next := range []int64{6, 24, 7 * 24, 30 * 24} {
		if (last-first)/step >= maxBars {
			step = next
		}
	}
	first -= first % step
	step *= (last-first)/step/maxBars + 1
	counts := make([]uint64, (last-first)/step+1)
	for hour, n := range c.hours {
		counts[(hour-first)/step] += n
		t.Timed += n
	}
	t.Most = slices.Max(counts)
	t.Width = len(counts) * barWidth
	at := func(hour int64) string { return time.Unix(hour*3600, 0).UTC().Format("2006-01-02 15:04") }
	t.First, t.Last, t.Each = at(first), at(last+1), each(step)
	for i, n := range counts {
		if n > 0 {
			height := max(1, int(n*chartHeight/t.Most))
			t.Bars = append(t.Bars, bar{X: i * barWidth, Y: chartHeight - height, Height: height, Count: n, From: at(first + int64(i)*step)})
		}
	}
	return t
}

// each says how long a number of hours is.
func each(hours int64) string {
	if hours%24 == 0 {
		return display.Plural(hours/24, "day")
	}
	return display.Plural(hours, "hour")
}
