// Package scp converts service control policies of AWS Organizations that deny by region into an equivalent policy
// (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html).
//
// Where the two differ it leans to alerting, and notes what was not carried over. It does no I/O.
package scp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// Target is what the service control policies are attached to. The zero value means every account.
type Target struct {
	Group   string // the name of a group: an organizational unit
	Account string // an account id
}

// Imported is the policy.
type Imported struct {
	Policy []byte   // YAML, with comments that say where each part comes from
	Notes  []string // what was not carried over exactly
}

// importer collects what statements say.
type importer struct {
	notes  []string
	faults []error
}

func (im *importer) note(s *statement, text string) {
	im.notes = append(im.notes, s.place+": "+text)
}

func (im *importer) fault(s *statement, text string) {
	im.faults = append(im.faults, errors.New(s.place+": "+text))
}

// Import makes one policy of all files, which are assumed to be attached to the same target: what any of them denies is
// denied. The error names every fault.
func Import(files []Source, target Target) (*Imported, error) {
	im := &importer{}
	var denials []*denial
	for _, f := range files {
		list, err := readStatements(f)
		if err != nil {
			im.faults = append(im.faults, err)
		}
		for i := range list {
			if d := im.denial(&list[i]); d != nil {
				denials = append(denials, d)
			}
		}
	}
	if len(im.faults) == 0 && len(denials) == 0 {
		im.faults = append(im.faults, errors.New("no statement denies by aws:RequestedRegion"))
	}
	if err := errors.Join(im.faults...); err != nil {
		return nil, err
	}
	p := combine(denials)
	if p.allow && len(p.list) == 0 {
		return nil, fmt.Errorf("%s and others together allow no region at all", denials[0].place)
	}
	return &Imported{Policy: p.write(target, im.notes), Notes: im.notes}, nil
}

// combined is the combined effect of denials.
type combined struct {
	denials []*denial
	allow   bool
	list    []string // of allowed or unused regions
	exempt  []scopedExemption
}

// scopedExemption is an exemption and the regions where it applies: those that nothing else denies.
type scopedExemption struct {
	exemption
	regions []string // empty means all
	places  []string
}

// combine combines denials: a region is unused if any of them denies it.
func combine(denials []*denial) *combined {
	p := &combined{denials: denials}
	for _, d := range denials {
		p.allow = p.allow || d.inverse
	}
	var denied []string
	for _, r := range regions.All() {
		if slices.ContainsFunc(denials, func(d *denial) bool { return d.denies(r.Code) }) {
			denied = append(denied, r.Code)
		} else if p.allow {
			p.list = append(p.list, r.Code)
		}
	}
	if !p.allow {
		p.list = denied
	}
	p.scope(denied)
	return p
}

// scope finds where each exemption applies: in the regions that no statement denies without it.
func (p *combined) scope(denied []string) {
	var seen []exemption
	for _, d := range p.denials {
		for _, x := range d.exempt {
			if slices.Contains(seen, x) {
				continue
			}
			seen = append(seen, x)
			s := scopedExemption{exemption: x}
			everywhere := true
			for _, other := range p.denials {
				if slices.Contains(other.exempt, x) {
					s.places = append(s.places, other.place)
				} else {
					everywhere = false
				}
			}
			if !everywhere {
				s.regions = p.regionsOf(x, denied)
				if len(s.regions) == 0 {
					continue // every region is denied by a statement without it
				}
			}
			p.exempt = append(p.exempt, s)
		}
	}
}

// regionsOf returns the regions that only statements with the exemption x deny.
func (p *combined) regionsOf(x exemption, denied []string) (list []string) {
	for _, code := range denied {
		if !slices.ContainsFunc(p.denials, func(d *denial) bool { return d.denies(code) && !slices.Contains(d.exempt, x) }) {
			list = append(list, code)
		}
	}
	return list
}
