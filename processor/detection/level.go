package detection

import (
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// level is a compiled level: what holds for one account, for a group of them, or by default.
type level struct {
	name                     string
	isAllowList              bool
	listed                   []bool // by the region's number in the catalogue
	alertOnMissing           bool
	exemptGlobal             bool
	shadow                   bool
	severity, failedSeverity string
}

func newLevel(name string, o *Level, shadow bool) *level {
	l := &level{
		name:           name,
		isAllowList:    len(o.AllowedRegions) > 0,
		listed:         make([]bool, len(catalogue)),
		alertOnMissing: o.AlertOnMissingReadOnly,
		shadow:         shadow || o.Shadow,
		severity:       o.Severity,
		failedSeverity: o.FailedSeverity,
	}
	l.exemptGlobal = l.isAllowList
	if o.ExemptGlobalServices != nil {
		l.exemptGlobal = *o.ExemptGlobalServices
	}
	if l.severity == "" {
		l.severity = RuleSeverity
	}
	if l.failedSeverity == "" {
		l.failedSeverity = l.severity
	}
	for _, code := range o.list() {
		l.listed[regionEntries[code].number] = true
	}
	return l
}

// list returns the level's list, whichever it has.
func (l *Level) list() []string {
	switch {
	case len(l.AllowedRegions) > 0:
		return l.AllowedRegions
	case len(l.UnusedRegions) > 0:
		return l.UnusedRegions
	}
	return DefaultUnusedRegions
}

// isUnused reports whether the level says that a region is unused.
func (l *Level) isUnused(code string) bool {
	return slices.Contains(l.list(), code) != (len(l.AllowedRegions) > 0)
}

// isUnused reports whether the level says that a region is unused. Under an allow list what the catalogue does not
// know is, under a deny list it is not.
func (l *level) isUnused(r *regionEntry) bool {
	return (r != nil && l.listed[r.number]) != l.isAllowList
}

// why says why the region is unused or is not, for people.
func (l *level) why(r *regionEntry, unused bool) string {
	switch {
	case l.isAllowList && r == nil:
		return "the region is not in allowed_regions, and not in the catalogue"
	case l.isAllowList && unused:
		return r.notAllowed
	case l.isAllowList:
		return "the region is in allowed_regions"
	case unused:
		return r.denied
	}
	return "the region is not in unused_regions"
}

// severityOf returns the severity of an alert of e.
func (l *level) severityOf(e *cloudtrail.Event) string {
	if !e.ErrorCode.IsNull() {
		return l.failedSeverity
	}
	return l.severity
}

// regionEntry is a region with its texts, ready to be used so that deciding allocates nothing.
type regionEntry struct {
	code               string
	number             int // in the catalogue
	partition          string
	denied, notAllowed string
	globalSources      map[string]bool // event sources that are logged here only; nil for most regions
}

// regionEntries holds the catalogue by code. It is made once and never written to again.
var regionEntries = makeRegionEntries()

// regionsByWord finds most of them at less cost.
var regionsByWord = newRegionIndex(regionEntries)

func makeRegionEntries() map[string]*regionEntry {
	global := makeGlobalSources()
	entries := make(map[string]*regionEntry, len(catalogue))
	for i, r := range catalogue {
		entries[r.Code] = &regionEntry{
			code: r.Code, number: i, partition: r.Partition,
			globalSources: global[r.Code],
			denied:        r.Code + " is in unused_regions",
			notAllowed:    r.Code + " is not in allowed_regions",
		}
	}
	return entries
}

// findRegion returns the region of an event. The code must be the catalogue's own to the letter, once decoded.
func findRegion(v cloudtrail.Value) *regionEntry {
	if v.IsString() {
		if r := regionsByWord.find(v[1 : len(v)-1]); r != nil {
			return r
		}
	}
	var array [maxRegionBytes]byte
	code, ok := shortText(v, array[:])
	if !ok {
		return nil
	}
	return regionEntries[string(code)]
}
