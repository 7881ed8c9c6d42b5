package scp

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// denial is what one statement says about regions.
type denial struct {
	place   string
	inverse bool            // regions lists those not denied
	regions map[string]bool // by code
	exempt  []exemption
}

// denies reports whether the statement denies a region.
func (d *denial) denies(code string) bool { return d.regions[code] != d.inverse }

// operator splits a condition's operator into what it compares and whether the result is negated. Case, IfExists and
// the set operators make no difference for keys with one value.
func operator(name string) (kind string, negated bool) {
	name = strings.ToLower(name)
	name = strings.TrimPrefix(strings.TrimPrefix(name, "foranyvalue:"), "forallvalues:")
	name = strings.TrimSuffix(strings.TrimSuffix(name, "ifexists"), "ignorecase")
	kind = strings.ReplaceAll(name, "not", "")
	return kind, kind != name
}

const (
	keyRegion    = "aws:requestedregion"
	keyPrincipal = "aws:principalarn"
)

// denial reads a statement. It returns nil for a statement that says nothing about regions as a whole, and adds a note
// if somebody might expect otherwise.
func (im *importer) denial(s *statement) *denial {
	d := &denial{place: s.place}
	found := false
	for _, op := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[op])) {
			if strings.ToLower(key) == keyRegion {
				found = im.addRegions(s, d, op, s.Condition[op][key], found) || found
			}
		}
	}
	switch {
	case !found:
		return nil
	case !strings.EqualFold(s.Effect, "Deny"):
		im.note(s, "it allows by region; only denials are carried over")
		return nil
	case len(s.NotAction) == 0 && !coversAll(s.Action):
		im.note(s, "it denies single actions outside regions, which says nothing about the regions: "+strings.Join(s.Action, ", "))
		return nil
	}
	im.addPrincipals(s, d)
	im.noteNarrowing(s)
	im.addActions(s, d)
	return d
}

func coversAll(actions texts) bool {
	return slices.ContainsFunc(actions, func(a string) bool { return a == "*" || a == "*:*" })
}

// addRegions adds a condition on the region. All conditions of a statement must hold.
func (im *importer) addRegions(s *statement, d *denial, op string, values texts, again bool) bool {
	kind, negated := operator(op)
	if kind != "stringequals" && kind != "stringlike" {
		im.note(s, fmt.Sprintf("the operator %s says nothing about regions here", op))
		return false
	}
	next := denial{inverse: negated, regions: map[string]bool{}}
	for _, v := range values {
		for _, code := range im.regions(s, kind, v, strings.Contains(strings.ToLower(op), "ignorecase")) {
			next.regions[code] = true
		}
	}
	if !again {
		d.inverse, d.regions = next.inverse, next.regions
		return true
	}
	both := map[string]bool{}
	inverse := d.inverse && next.inverse // only then regions that are not known yet are denied
	for _, r := range regions.All() {
		if (d.denies(r.Code) && next.denies(r.Code)) != inverse {
			both[r.Code] = true
		}
	}
	d.inverse, d.regions = inverse, both
	return true
}

var placeholder = regexp.MustCompile(`[${}\[\]<>]`)

// regions returns the regions that a value names.
func (im *importer) regions(s *statement, kind, value string, ignoreCase bool) (codes []string) {
	if placeholder.MatchString(value) {
		im.fault(s, fmt.Sprintf("%s is a placeholder; want a region", quote(value)))
		return nil
	}
	if ignoreCase {
		value = strings.ToLower(value)
	}
	if kind == "stringlike" && strings.ContainsAny(value, "*?") {
		for _, r := range regions.All() {
			if policy.MatchWildcard(value, []byte(r.Code)) {
				codes = append(codes, r.Code)
			}
		}
		im.note(s, fmt.Sprintf("%s is written out as the regions that match it today", quote(value)))
		return codes
	}
	if _, ok := regions.Lookup(value); ok {
		return []string{value}
	}
	text := quote(value) + " is not an AWS region"
	if nearest := regions.Nearest(value); nearest != "" {
		text += fmt.Sprintf(", did you mean %q?", nearest)
	}
	im.fault(s, text)
	return nil
}

// addPrincipals adds the principals that a statement exempts.
func (im *importer) addPrincipals(s *statement, d *denial) {
	for _, op := range slices.Sorted(maps.Keys(s.Condition)) {
		kind, negated := operator(op)
		for _, key := range slices.Sorted(maps.Keys(s.Condition[op])) {
			if strings.ToLower(key) != keyPrincipal {
				continue
			}
			if !negated || !slices.Contains([]string{"arnlike", "arnequals", "stringlike", "stringequals"}, kind) {
				im.note(s, fmt.Sprintf("it denies by %s of %s only; here it alerts for everyone", op, key))
				continue
			}
			for _, arn := range s.Condition[op][key] {
				im.addPrincipal(s, d, arn)
			}
		}
	}
}

func (im *importer) addPrincipal(s *statement, d *denial, arn string) {
	parts := strings.SplitN(arn, ":", 6)
	switch {
	case placeholder.MatchString(arn):
		im.fault(s, fmt.Sprintf("%s is a placeholder; want an ARN", quote(arn)))
	case len(parts) < 6:
		im.note(s, fmt.Sprintf("the principal %s is not an ARN pattern with six parts", quote(arn)))
	case parts[2] != "iam" || strings.HasPrefix(parts[5], "assumed-role/"):
		im.note(s, fmt.Sprintf("the principal %s is not a role or user of IAM; name the role itself", quote(arn)))
	default:
		d.exempt = append(d.exempt, exemption{principal: arn})
	}
}

// noteNarrowing notes conditions that narrow the denial and have no counterpart: here it alerts for all.
func (im *importer) noteNarrowing(s *statement) {
	for _, op := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[op])) {
			if k := strings.ToLower(key); k != keyRegion && k != keyPrincipal {
				im.note(s, fmt.Sprintf("it denies only where %s of %s is %s; here it alerts everywhere", op, key, oneLine(strings.Join(s.Condition[op][key], ", "))))
			}
		}
	}
	if len(s.NotResource) > 0 || len(s.Resource) > 0 && !slices.Contains(s.Resource, "*") {
		im.note(s, "it denies for some resources only; here it alerts for all")
	}
}

func quote(text string) string { return fmt.Sprintf("%q", oneLine(text)) }
