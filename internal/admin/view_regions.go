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
	Areas   []areaGroup `json:"areas"`
}

// areaGroup is a part of the world with its regions.
type areaGroup struct {
	Key   string       `json:"key"` // its name
	Tiles []regionTile `json:"tiles"`
}

// regionTile is a region.
type regionTile struct {
	Key   string `json:"key"` // its code
	Place string `json:"place"`
	State string `json:"state"` // alerting, unused, used, quiet: one that the style sheet knows
	Text  string `json:"text"`  // what the state means, for those who do not see colours
	Count string `json:"count"`
	Share string `json:"share"` // of the busiest region's events, on a scale of magnitudes
	Title string `json:"title"` // all of it as a sentence
}

// The parts of the world, by the first part of a region's code, in the order of the page. A region of another partition
// is under the partition's name, and shown where it had events.
var areas = []struct{ name, codes string }{
	{"Americas", "us ca mx sa"}, {"Europe", "eu"}, {"Middle East and Africa", "me il af"}, {"Asia Pacific", "ap"},
}

// otherArea holds what the catalogue does not know.
const otherArea = "Elsewhere"

func newRegionsView(h *history, p *policy.Policy, now time.Time) regionsView {
	c := &h.last.Counts
	unused := p.Effective("", now).Unused
	busiest := uint64(0)
	for i := range c.Regions {
		busiest = max(busiest, c.Regions[i].Total())
	}
	groups := make(map[string][]regionTile)
	var names []string
	add := func(area string, tile regionTile) {
		if groups[area] == nil {
			names = append(names, area)
		}
		groups[area] = append(groups[area], tile)
	}
	for _, a := range areas {
		names, groups[a.name] = append(names, a.name), []regionTile{}
	}
	states := make(map[string]int)
	for i, r := range regions.All() {
		events := &c.Regions[i]
		if r.Partition != "aws" && events.Total() == 0 {
			continue
		}
		state := stateOf(events, slices.Contains(unused, r.Code), now.Sub(h.alerted[i]) < alertingFor)
		states[state]++
		add(areaOf(&r), newRegionTile(r.Code, r.Name, state, events, busiest))
	}
	if other := &c.Regions[detection.OtherRegion]; other.Total() > 0 {
		state := stateOf(other, other.Used == 0, now.Sub(h.alerted[detection.OtherRegion]) < alertingFor)
		add(otherArea, newRegionTile("others", "Regions that are not in the catalogue", state, other, busiest))
	}
	v := regionsView{Areas: []areaGroup{}}
	for _, name := range names {
		slices.SortFunc(groups[name], func(a, b regionTile) int { return strings.Compare(a.Key, b.Key) })
		v.Areas = append(v.Areas, areaGroup{name, groups[name]})
	}
	v.Summary = strconv.Itoa(states["used"]) + " in use, " + strconv.Itoa(states["unused"]+states["alerting"]) + " unused, " +
		strconv.Itoa(states["alerting"]) + " alerting"
	return v
}

// stateOf says what to think of a region: what the default level says of it, but for alerts, which any level raises.
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

func newRegionTile(code, name, state string, events *detection.RegionEvents, busiest uint64) regionTile {
	t := regionTile{Key: code, Place: shortPlace(name), State: state, Text: stateTexts[state], Share: "0%"}
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
	return t
}

// areaOf returns the part of the world that a region is shown under.
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

// shortPlace returns the place in a region's name: Paris of Europe (Paris).
func shortPlace(name string) string {
	if _, place, ok := strings.Cut(name, "("); ok {
		return strings.TrimSuffix(place, ")")
	}
	return name
}

// placeOf returns the place of a region by its code, or nothing where the catalogue lacks it.
func placeOf(code string) string {
	r, ok := regions.Lookup(code)
	if !ok {
		return ""
	}
	return shortPlace(r.Name)
}
