package policyfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/regionwatch/regionwatch/internal/nearest"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// regionSets reads the region sets of a policy. It runs before anything else, because levels may come before them in
// the file.
func (r *reader) regionSets(root *yaml.Node) {
	r.sets = map[string][]string{}
	for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
		if key := strings.ReplaceAll(root.Content[i].Value, "-", "_"); key == "region_sets" {
			r.eachEntry(root.Content[i+1], "region sets by name", r.regionSet)
			return
		}
	}
}

// regionSet reads one set. A set has regions and no other sets, so that readers need not look further.
func (r *reader) regionSet(key, value *yaml.Node) {
	name := r.text(key)
	if _, twice := r.sets[name]; twice {
		r.fault(key, "duplicate region set %q", cut(name))
		return
	}
	if name == "" || strings.HasPrefix(name, "@") {
		r.fault(key, "%q is not a region set name; want a name without @, such as core", cut(name))
	}
	var codes []string
	for i, code := range r.scalars(value) {
		switch text := policy.CheckRegion(code); {
		case strings.HasPrefix(code, "@"):
			r.fault(value.Content[i], "%q: a region set lists regions, not other sets", cut(code))
		case text != "":
			r.fault(value.Content[i], "%s", text)
		default:
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	r.sets[name] = slices.Clip(slices.Compact(codes))
}

// regionList returns a list of region codes in which each set is replaced by its regions. Those have no position: a
// fault in them is at the list.
func (r *reader) regionList(field string, n *yaml.Node) []string {
	items := r.scalars(n)
	if len(items) == 1 && strings.HasPrefix(items[0], "@") {
		return r.setNamed(n.Content[0]) // thousands of accounts may share a set
	}
	used := map[string]bool{}
	list := make([]string, 0, len(items))
	for i, item := range items {
		switch {
		case !strings.HasPrefix(item, "@"):
			r.note(field, len(list), n.Content[i])
			list = append(list, item)
		case used[item]:
			r.fault(n.Content[i], "%s is listed twice", cut(item))
		default:
			used[item] = true
			list = append(list, r.setNamed(n.Content[i])...)
		}
	}
	return list
}

// setNamed returns the regions of a set, named with its @.
func (r *reader) setNamed(n *yaml.Node) []string {
	name := strings.TrimPrefix(n.Value, "@")
	set, ok := r.sets[name]
	if ok {
		return set
	}
	names := slices.Sorted(maps.Keys(r.sets))
	allowed := "region_sets has " + join(names)
	switch near := nearest.Of(name, names); {
	case len(names) == 0:
		allowed = "the policy has no region_sets"
	case near != "":
		allowed = fmt.Sprintf("did you mean %q?", "@"+near)
	case len(names) > maxNamed:
		allowed = fmt.Sprintf("region_sets has %s and %d more", join(names[:maxNamed]), len(names)-maxNamed)
	}
	r.fault(n, "there is no region set %q; %s", cut(name), allowed)
	return nil
}

// maxNamed limits the region sets that a fault names.
const maxNamed = 10
