package policy

import (
	"strconv"
	"strings"
	"time"
)

// Grouping is how alerts of a level are grouped, as shown to people: every value, with the names of the policy's keys.
type Grouping struct {
	Window         string   `json:"window"`
	Threshold      uint64   `json:"threshold"`
	ThresholdOf    string   `json:"thresholdOf"` // "alerts" or "actions"
	Quiet          string   `json:"quiet"`
	Grace          string   `json:"grace"`
	UpdateInterval string   `json:"updateInterval"`
	Escalations    []uint64 `json:"escalations"`
}

// Grouping returns the settings as shown to people, defaults included. Nil means all of them.
func (g *Incidents) Grouping() Grouping {
	d := g.withDefaults()
	s := Grouping{
		Window: durationText(d.Window), Threshold: d.Threshold, ThresholdOf: "alerts", Quiet: durationText(d.Quiet),
		Grace: durationText(d.Grace), UpdateInterval: durationText(d.Update), Escalations: d.Escalations,
	}
	if d.ByAction {
		s.ThresholdOf = "actions"
	}
	return s
}

// Differences lists what differs from another grouping, such as "window 1h, was 24h".
func (g *Grouping) Differences(before *Grouping) (list []string) {
	old := before.values()
	for i, v := range g.values() {
		if v != old[i] {
			list = append(list, v[0]+" "+v[1]+", was "+old[i][1])
		}
	}
	return list
}

// Text lists every value in one line.
func (g *Grouping) Text() string {
	var list []string
	for _, v := range g.values() {
		list = append(list, v[0]+" "+v[1])
	}
	return strings.Join(list, "; ")
}

// values returns each key of the policy with its value.
func (g *Grouping) values() [6][2]string {
	var escalations []string
	for _, n := range g.Escalations {
		escalations = append(escalations, strconv.FormatUint(n, 10))
	}
	return [...][2]string{
		{"window", g.Window}, {"threshold", strconv.FormatUint(g.Threshold, 10) + " " + g.ThresholdOf}, {"quiet", g.Quiet},
		{"grace", g.Grace}, {"update_interval", g.UpdateInterval}, {"escalations", strings.Join(escalations, ", ")},
	}
}

// durationText writes a duration as policies do: 24h, 90m, 1h30m.
func durationText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
