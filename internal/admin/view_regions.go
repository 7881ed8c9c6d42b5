package admin

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// alertingFor is how long after an alert its region counts as alerting.
const alertingFor = 15 * time.Minute

type regionsView struct {
	Summary string      `json:"summary"`
	Areas   []areaGroup `json:"areas"`  // of partitions in use
	Others  string      `json:"others"` // names the partitions that are not
	Folded  []areaGroup `json:"folded"` // of those
}

// areaGroup is a part of the world, or an AWS partition other than aws, with its regions.
type areaGroup struct {
	Key   string       `json:"key"` // its name
	Tiles []regionTile `json:"tiles"`
}

// regionTile is a region.
type regionTile struct {
	Key    string `json:"key"` // its code
	Place  string `json:"place"`
	State  string `json:"state"`  // for the style sheet: alerting, unused, used or quiet
	Text   string `json:"text"`   // the state as text, not only as a colour
	Levels string `json:"levels"` // levels that differ from the default one
	Count  string `json:"count"`
	Share  string `json:"share"` // of the busiest region's events, logarithmic
	Title  string `json:"title"` // everything as one sentence
}

// areas are the parts of the world, by the first part of a region's code, in display order.
var areas = []struct{ name, codes string }{
	{"Americas", "us ca mx sa"}, {"Europe", "eu"}, {"Middle East and Africa", "me il af"}, {"Asia Pacific", "ap"},
}

var catalogue = regions.All()

// otherArea holds regions missing from the catalogue.
const otherArea = "Elsewhere"

// levels holds, per region, which levels differ from the default. It is computed once per policy.
type levels struct {
	policy *policy.Policy
	differ map[string][]string // by region code
}

func (l *levels) of(p *policy.Policy, now time.Time) map[string][]string {
	if l.policy == p {
		return l.differ
	}
	standard := p.Effective("", now).Unused
	seen := make(map[string]bool)
	l.policy, l.differ = p, make(map[string][]string)
	for _, id := range p.Accounts() {
		e := p.Effective(id, now)
		if seen[e.Level] {
			continue
		}
		seen[e.Level] = true
		for _, r := range catalogue {
			if slices.Contains(standard, r.Code) != slices.Contains(e.Unused, r.Code) {
				l.differ[r.Code] = append(l.differ[r.Code], display.Cut(e.Level, 40))
			}
		}
	}
	return l.differ
}

// levelsText describes how other levels treat a region.
func levelsText(unused bool, differ []string) string {
	const most = 3
	if len(differ) == 0 {
		return ""
	}
	text := strings.Join(differ[:min(len(differ), most)], ", ")
	if rest := len(differ) - most; rest > 0 {
		text += " and " + strconv.Itoa(rest) + " more"
	}
	if unused {
		return "used in " + text
	}
	return "unused in " + text
}

func newRegionsView(h *history, p *policy.Policy, differ map[string][]string, now time.Time) regionsView {
	c := &h.last.Counts
	unused := p.Effective("", now).Unused
	busiest := uint64(0)
	inUse := make(map[string]bool) // partitions
	for i := range c.Regions {
		busiest = max(busiest, c.Regions[i].Total())
		if i < len(catalogue) && c.Regions[i].Total() > 0 {
			inUse[catalogue[i].Partition] = true
		}
	}
	if len(inUse) == 0 {
		inUse["aws"] = true
	}
	v, states := regionsView{Areas: []areaGroup{}, Folded: []areaGroup{}}, make(map[string]int)
	add := func(list *[]areaGroup, area string, tile regionTile) {
		i := slices.IndexFunc(*list, func(g areaGroup) bool { return g.Key == area })
		if i < 0 {
			i = len(*list)
			*list = append(*list, areaGroup{Key: area})
		}
		(*list)[i].Tiles = append((*list)[i].Tiles, tile)
	}
	var others []string
	for i, r := range catalogue {
		isUnused := slices.Contains(unused, r.Code)
		state := stateOf(&c.Regions[i], isUnused, now.Sub(h.alerted[i]) < alertingFor)
		tile := newRegionTile(r.Code, r.Name, state, levelsText(isUnused, differ[r.Code]), &c.Regions[i], busiest)
		if inUse[r.Partition] {
			states[state]++
			add(&v.Areas, areaOf(&r), tile)
			continue
		}
		add(&v.Folded, areaOf(&r), tile)
		if !slices.Contains(others, r.Partition) {
			others = append(others, r.Partition)
		}
	}
	if other := &c.Regions[detection.OtherRegion]; other.Total() > 0 {
		state := stateOf(other, other.Used == 0, now.Sub(h.alerted[detection.OtherRegion]) < alertingFor)
		add(&v.Areas, otherArea, newRegionTile("others", "Regions that are not in the catalogue", state, "", other, busiest))
	}
	sortAreas(v.Areas)
	sortAreas(v.Folded)
	v.Summary = strconv.Itoa(states["used"]) + " in use, " + strconv.Itoa(states["unused"]+states["alerting"]) + " unused, " +
		strconv.Itoa(states["alerting"]) + " alerting"
	if len(others) > 0 {
		v.Others = "Partitions without events: " + strings.Join(others, ", ")
	}
	return v
}

// sortAreas sorts areas in display order, and the regions in each by code.
func sortAreas(list []areaGroup) {
	rank := func(g areaGroup) int {
		for i, a := range areas {
			if a.name == g.Key {
				return i
			}
		}
		return len(areas)
	}
	slices.SortStableFunc(list, func(a, b areaGroup) int { return rank(a) - rank(b) })
	for _, g := range list {
		slices.SortFunc(g.Tiles, func(a, b regionTile) int { return strings.Compare(a.Key, b.Key) })
	}
}

// stateOf returns the state of a region at the default level, except that alerts of any level count.
func stateOf(events *detection.RegionEvents, unused, alerting bool) string {
	switch {
	case alerting:
		return "alerting"
	case unused:
		return "unused"
	case events.Total() == 0:
		return "quiet"
	}
	return "used"
}

var stateTexts = map[string]string{"alerting": "alerting", "unused": "unused", "used": "in use", "quiet": "no events"}

func newRegionTile(code, name, state, differ string, events *detection.RegionEvents, busiest uint64) regionTile {
	t := regionTile{Key: code, Place: placeIn(name), State: state, Text: stateTexts[state], Levels: differ, Share: "0%"}
	t.Title = name + ", " + code + ": " + t.Text + "; " + display.Number(events.Total()) + " events"
	if n := events.Total(); n > 0 {
		t.Count = short(n)
		share := 1.
		if busiest > 1 {
			share = max(math.Log(float64(n)+1)/math.Log(float64(busiest)+1), 0.04)
		}
		t.Share = strconv.FormatFloat(100*share, 'f', 1, 64) + "%"
	}
	if events.Alerted > 0 {
		t.Count = short(events.Alerted) + " / " + t.Count
		t.Title += ", " + display.Number(events.Alerted) + " of them alerted"
	}
	if differ != "" {
		t.Title += "; " + differ
	}
	return t
}

// areaOf returns the area that shows a region.
func areaOf(r *regions.Region) string {
	head, _, _ := strings.Cut(r.Code, "-")
	if r.Partition == "aws" {
		for _, a := range areas {
			if slices.Contains(strings.Fields(a.codes), head) {
				return a.name
			}
		}
	}
	return r.Partition
}

// placeIn returns the place in a region's name: Paris for Europe (Paris). If that is ambiguous, it includes the rest:
// Canada Central for Canada (Central).
func placeIn(name string) string {
	_, place, ok := strings.Cut(name, "(")
	if !ok {
		return name
	}
	with := 0
	for _, r := range catalogue {
		if strings.HasSuffix(r.Name, "("+place) {
			with++
		}
	}
	if with > 1 {
		return strings.NewReplacer("(", "", ")", "").Replace(name)
	}
	return strings.TrimSuffix(place, ")")
}

// placeOf returns the place of a region by its code, or "" if it is not in the catalogue.
func placeOf(code string) string {
	r, ok := regions.Lookup(code)
	if !ok {
		return ""
	}
	return placeIn(r.Name)
}
