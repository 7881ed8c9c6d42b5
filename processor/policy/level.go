package policy

import (
	"slices"

	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// level is a compiled level: of one account, of a group, or the default.
type level struct {
	name                     string
	isAllowList              bool
	listed                   []bool // by the region's number in the catalogue
	alertOnMissing           bool
	exemptGlobal             bool
	shadow                   bool
	severity, failedSeverity string
	incidents                Incidents
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
		incidents:      o.Incidents.withDefaults(),
	}
	l.exemptGlobal = l.isAllowList
	if o.ExemptGlobalServices != nil {
		l.exemptGlobal = *o.ExemptGlobalServices
	}
	if l.severity == "" {
		l.severity = DefaultSeverity
	}
	if l.failedSeverity == "" {
		l.failedSeverity = l.severity
	}
	for _, code := range o.Regions() {
		l.listed[regions.Index([]byte(code))] = true
	}
	return l
}

// Regions returns the level's list, whichever kind it has. Do not change it.
func (l *Level) Regions() []string {
	switch {
	case len(l.AllowedRegions) > 0:
		return l.AllowedRegions
	case len(l.UnusedRegions) > 0:
		return l.UnusedRegions
	}
	return DefaultUnusedRegions
}

// IsUnused reports whether the level says that a region is unused.
func (l *Level) IsUnused(code string) bool {
	return slices.Contains(l.Regions(), code) != (len(l.AllowedRegions) > 0)
}

// isUnused reports whether the level says that a region is unused. A region that the catalogue does not know is unused
// under an allow list and in use under a deny list.
func (l *level) isUnused(r int) bool {
	return (r >= 0 && l.listed[r]) != l.isAllowList
}

// why says why the region is unused or in use, for people.
func (l *level) why(r int, unused bool) string {
	switch {
	case l.isAllowList && r < 0:
		return "the region is not in allowed_regions, and not in the catalogue"
	case l.isAllowList && unused:
		return notAllowed[r]
	case l.isAllowList:
		return "the region is in allowed_regions"
	case unused:
		return denied[r]
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

// catalogue, denied and notAllowed are built once, so that deciding allocates nothing. The latter two hold what
// [level.why] says about each region.
var (
	catalogue  = regions.All()
	denied     = regionTexts(" is in unused_regions")
	notAllowed = regionTexts(" is not in allowed_regions")
)

func regionTexts(after string) []string {
	var texts []string
	for _, r := range catalogue {
		texts = append(texts, r.Code+after)
	}
	return texts
}

// findRegion returns the index of an event's region in the catalogue, or -1. The decoded code must match exactly.
func findRegion(v jsonscan.Value) int {
	if v.IsString() {
		if i := regions.Index(v[1 : len(v)-1]); i >= 0 {
			return i // no escape can be in a known code
		}
	}
	var array [regions.MaxCodeBytes]byte
	code, ok := shortText(v, array[:])
	if !ok {
		return -1
	}
	return regions.Index(code)
}
