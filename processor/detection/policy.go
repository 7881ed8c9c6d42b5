package detection

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// PolicyOptions is a policy as it is written down. The zero value is the rule's own: the default list.
type PolicyOptions struct {
	Version string // stamped on every alert; empty means a hash of the content
	// UnusedRegions is a deny list; empty means DefaultUnusedRegions. A region that stands twice counts once.
	UnusedRegions []string
	// AlertOnMissingReadOnly makes an event without a readable readOnly match.
	AlertOnMissingReadOnly bool
}

// Policy is a compiled policy, immutable and safe for concurrent use.
type Policy struct {
	version        string
	alertOnMissing bool
	standard       level
}

// level is one level of a policy: what holds for one account, for a group of them, or by default.
type level struct {
	name   string
	unused map[string]verdict // by region code
}

// verdict is what a level says of a region, ready to be used so that deciding allocates nothing.
type verdict struct {
	region string
	reason string
}

// NewPolicy compiles a policy. The error names every fault: a region code that is not in the
// catalogue with the nearest one that is.
func NewPolicy(o PolicyOptions) (*Policy, error) {
	regions := o.UnusedRegions
	if len(regions) == 0 {
		regions = DefaultUnusedRegions
	}
	if err := checkRegions(regions); err != nil {
		return nil, err
	}
	p := &Policy{version: o.Version, alertOnMissing: o.AlertOnMissingReadOnly}
	p.standard = newLevel("default", regions)
	if p.version == "" {
		p.version = contentVersion(regions, o.AlertOnMissingReadOnly)
	}
	return p, nil
}

func newLevel(name string, unusedRegions []string) level {
	l := level{name: name, unused: make(map[string]verdict, len(unusedRegions))}
	for _, r := range unusedRegions {
		l.unused[r] = verdict{region: r, reason: r + " is in unused_regions"}
	}
	return l
}

// checkRegions returns every fault of a list of region codes.
func checkRegions(codes []string) error {
	var faults []error
	for i, code := range codes {
		if _, ok := FindRegion(code); ok {
			continue
		}
		switch nearest := NearestRegion(code); {
		case code == "":
			faults = append(faults, fmt.Errorf("region %d of %d is empty", i+1, len(codes)))
		case nearest != "":
			faults = append(faults, fmt.Errorf("%q is no AWS region, did you mean %q?", code, nearest))
		default:
			faults = append(faults, fmt.Errorf("%q is no AWS region (as of %s)", code, CatalogueDate))
		}
	}
	return errors.Join(faults...)
}

// contentVersion names a policy by what it says: the same content has the same version, whatever the order.
func contentVersion(regions []string, alertOnMissing bool) string {
	sorted := slices.Clone(regions)
	slices.Sort(sorted)
	content := fmt.Sprintf("unused_regions %q\nalert on missing readOnly %t\n", slices.Compact(sorted), alertOnMissing)
	sum := sha256.Sum256([]byte(content))
	return "sha256:" + hex.EncodeToString(sum[:6])
}

// Version returns the policy's version as it is stamped on alerts.
func (p *Policy) Version() string { return p.version }

// level returns what holds for an account.
func (p *Policy) level(_ cloudtrail.Value) *level { return &p.standard }

// verdict returns what the level says of the region, and whether it is unused. The code must be the
// catalogue's own to the letter, once decoded.
func (l *level) verdict(region cloudtrail.Value) (verdict, bool) {
	const longest = 2 + 6*maxRegionBytes // in quotes, every letter escaped
	if len(region) > longest {
		return verdict{}, false
	}
	code := region[1 : len(region)-1]
	if bytes.IndexByte(code, '\\') >= 0 {
		var array [longest]byte
		code = region.AppendText(array[:0])
	}
	v, ok := l.unused[string(code)]
	return v, ok
}
