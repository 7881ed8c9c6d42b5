package scp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// What AWS allows (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
const (
	// MaxCharacters is how long a service control policy may be, white space included.
	MaxCharacters = 5120
	// MaxPolicies is how many may be attached to a root, a unit or an account beside FullAWSAccess, or what replaces it.
	MaxPolicies = 4
)

// written is a statement of a service control policy that is written.
type written struct {
	Sid       string
	Effect    string
	Action    string   `json:",omitempty"`
	NotAction []string `json:",omitempty"`
	Resource  string
	Condition map[string]map[string][]string
}

// isSplittable reports whether the statement denies the regions that it lists: it means the same as two statements with
// a part of them each, because what any statement denies is denied. What it exempts, or all regions but those it lists,
// cannot be divided: each part would deny what only the other one exempts.
func (w *written) isSplittable() bool {
	return len(w.Condition["StringEquals"]["aws:RequestedRegion"]) > 1
}

// halves splits the statement by its regions.
func (w *written) halves() (first, second written) {
	codes := w.Condition["StringEquals"]["aws:RequestedRegion"]
	with := func(codes []string) written {
		part := *w
		part.Condition = map[string]map[string][]string{"StringEquals": {"aws:RequestedRegion": codes}}
		if principals, ok := w.Condition["ArnNotLike"]; ok {
			part.Condition["ArnNotLike"] = principals
		}
		return part
	}
	return with(codes[:len(codes)/2]), with(codes[len(codes)/2:])
}

// denials returns the statements that deny a level's unused regions: one for those without exemptions of their own, and
// one for the regions of each set of exemptions.
func (e *exporter) denials(l *policy.Level) (list []written) {
	var own []regional // by set of exemptions
	var all []string   // regions with exemptions of their own
	for code, x := range e.exemptedIn(l) {
		all = append(all, code)
		at := slices.IndexFunc(own, func(have regional) bool {
			return slices.Equal(have.actions, x.actions) && slices.Equal(have.principals, x.principals)
		})
		if at < 0 {
			at = len(own)
			own = append(own, regional{exempted: x})
		}
		own[at].regions = append(own[at].regions, code)
	}
	if len(l.AllowedRegions) > 0 {
		list = append(list, newDenial(&e.base, "StringNotEquals", append(slices.Clone(l.Regions()), all...)))
	} else if rest := slices.DeleteFunc(slices.Clone(l.Regions()), func(code string) bool { return slices.Contains(all, code) }); len(rest) > 0 {
		list = append(list, newDenial(&e.base, "StringEquals", rest))
	}
	for i := range own {
		list = append(list, newDenial(&own[i].exempted, "StringEquals", own[i].regions))
	}
	return list
}

// exemptedIn yields the unused regions in which more is exempted than elsewhere, in the catalogue's order.
func (e *exporter) exemptedIn(l *policy.Level) func(yield func(string, exempted) bool) {
	return func(yield func(string, exempted) bool) {
		for _, r := range regions.All() {
			x := exempted{slices.Clone(e.base.actions), slices.Clone(e.base.principals)}
			for i := range e.extra {
				if slices.Contains(e.extra[i].regions, r.Code) {
					x.add(&e.extra[i].exempted)
				}
			}
			more := len(x.actions) > len(e.base.actions) || len(x.principals) > len(e.base.principals)
			if more && l.IsUnused(r.Code) && !yield(r.Code, x) {
				return
			}
		}
	}
}

func newDenial(x *exempted, operator string, codes []string) written {
	w := written{Effect: "Deny", NotAction: x.actions, Resource: "*", Condition: map[string]map[string][]string{operator: {"aws:RequestedRegion": codes}}}
	if len(x.actions) == 0 {
		w.Action = "*"
	}
	if len(x.principals) > 0 {
		w.Condition["ArnNotLike"] = map[string][]string{"aws:PrincipalArn": x.principals}
	}
	return w
}

// pack puts statements into as few policies as it can, none of them too long.
func pack(list []written) ([][]byte, error) {
	for _, indent := range []string{"  ", ""} {
		if text := encode(list, indent); len(text) <= MaxCharacters {
			return [][]byte{text}, nil
		}
	}
	var parts [][]written
	for len(list) > 0 {
		w := list[0]
		list = list[1:]
		at := slices.IndexFunc(parts, func(part []written) bool { return len(encode(append(slices.Clone(part), w), "")) <= MaxCharacters })
		switch n := len(encode([]written{w}, "")); {
		case at >= 0:
			parts[at] = append(parts[at], w)
		case n <= MaxCharacters:
			parts = append(parts, []written{w})
		case w.isSplittable():
			first, second := w.halves()
			list = append([]written{first, second}, list...)
		default:
			return nil, fmt.Errorf("a statement has %d characters, of which %d exempt principals and %d exempt actions; AWS allows %d in a policy, and it cannot be split: each part would deny what the other exempts",
				n, length(w.Condition["ArnNotLike"]["aws:PrincipalArn"]), length(w.NotAction), MaxCharacters)
		}
	}
	if len(parts) > MaxPolicies {
		return nil, fmt.Errorf("it takes %d service control policies of %d characters; AWS allows %d on one target beside FullAWSAccess", len(parts), MaxCharacters, MaxPolicies)
	}
	var policies [][]byte
	for _, part := range parts {
		policies = append(policies, encode(part, ""))
	}
	return policies, nil
}

func length(texts []string) (n int) {
	for _, t := range texts {
		n += len(`"",`) + len(t)
	}
	return n
}

// encode writes a service control policy, on one line without an indent. It names the statements anew.
func encode(list []written, indent string) []byte {
	for i := range list {
		list[i].Sid = "DenyUnusedRegions"
		if i > 0 {
			list[i].Sid += strconv.Itoa(i + 1) // unique in a policy
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(struct {
		Version   string
		Statement []written
	}{"2012-10-17", list}); err != nil {
		panic("BUG: encoding a service control policy: " + err.Error()) // it is made of texts
	}
	return b.Bytes()
}
