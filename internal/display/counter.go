package display

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Bounds of a [Counter], whose names come from events: there is room for a year of hours, and names are cut to a readable
// length.
const (
	maxNames     = 10_000
	maxNameBytes = 300
)

// Counter counts by name, in bounded memory: when it is full, it counts new names together. The zero value is ready to
// use.
type Counter struct {
	Others uint64 // names that arrived when the counter was full
	counts map[string]uint64
}

// Count is a name and how often it was counted.
type Count struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

// Add counts a name once.
func (c *Counter) Add(name string) { c.AddMany(name, 1) }

// AddMany counts a name n times.
func (c *Counter) AddMany(name string, n uint64) {
	if n == 0 {
		return
	}
	if len(name) > maxNameBytes {
		name = strings.ToValidUTF8(name[:maxNameBytes], "")
	}
	if _, known := c.counts[name]; !known {
		if len(c.counts) >= maxNames {
			c.Others += n
			return
		}
		if c.counts == nil {
			c.counts = make(map[string]uint64)
		}
		name = strings.Clone(name) // name may be part of a whole record
	}
	c.counts[name] += n
}

// Merge adds the counts of o.
func (c *Counter) Merge(o *Counter) {
	c.Others += o.Others
	for name, n := range o.counts {
		c.AddMany(name, n)
	}
}

// Len returns the number of names with their own count.
func (c *Counter) Len() int { return len(c.counts) }

// ByName returns the counts sorted by name.
func (c *Counter) ByName() []Count {
	list := make([]Count, 0, len(c.counts))
	for _, name := range slices.Sorted(maps.Keys(c.counts)) {
		list = append(list, Count{name, c.counts[name]})
	}
	return list
}

// Most returns the counts sorted from largest to smallest, then by name.
func (c *Counter) Most() []Count {
	list := c.ByName()
	slices.SortStableFunc(list, func(a, b Count) int { return cmp.Compare(b.Count, a.Count) })
	return list
}

// Top returns the n largest counts and the sum of the rest.
func (c *Counter) Top(n int) (top []Count, others uint64) {
	top, others = c.Most(), c.Others
	for _, rest := range top[min(n, len(top)):] {
		others += rest.Count
	}
	return top[:min(n, len(top))], others
}

// Has reports whether the name has its own count.
func (c *Counter) Has(name string) bool {
	_, known := c.counts[name]
	return known
}
