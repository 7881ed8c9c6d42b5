package learn

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// name is an event source or a principal. Places share it.
type name struct {
	text string // valid UTF-8, with up to maxNameBytes
	hash uint64 // of the text; equal texts have equal hashes in every run
}

// maxNameBytes limits a name.
const maxNameBytes = 128

func newName(text []byte) *name {
	valid := strings.ToValidUTF8(string(text), "?")
	return &name{valid, xxhash.Sum64String(valid)}
}

func (n *name) compare(o *name) int {
	return cmp.Or(cmp.Compare(n.hash, o.hash), cmp.Compare(n.text, o.text))
}

// counts holds how often names occurred and when. It keeps up to maxNames: those with the smallest hashes. A name that
// is kept in the end was never dropped before, so its count is exact, and the order of the names makes no difference.
type counts []counted

// maxNames is how many names of a place are kept. If there are more, they are a random sample.
const maxNames = 64

type counted struct {
	*name
	count       uint64
	first, last int32 // days of the events; 0 if no time is known
}

// add counts c. It returns the name for which that left no room, if there is one.
func (n *counts) add(c counted) (dropped *name) {
	list := *n
	if i := list.find(c.name); i >= 0 {
		k := &list[i]
		k.count += c.count
		k.span(c.first)
		k.span(c.last)
		list[0], list[i] = list[i], list[0] // frequent names are found first
		return nil
	}
	if len(list) < maxNames {
		*n = append(list, c)
		return nil
	}
	largest := 0
	for i := range list {
		if list[i].compare(list[largest].name) > 0 {
			largest = i
		}
	}
	if c.compare(list[largest].name) < 0 {
		list[largest], c = c, list[largest]
	}
	return c.name
}

// find returns the place of a name, or -1. The same name is mostly at the same address, and comparing those is faster.
func (n counts) find(wanted *name) int {
	for i := range n {
		if n[i].name == wanted {
			return i
		}
	}
	return slices.IndexFunc(n, func(c counted) bool { return c.compare(wanted) == 0 })
}

func (c *counted) span(day int32) {
	if day == 0 {
		return
	}
	if c.first == 0 || day < c.first {
		c.first = day
	}
	c.last = max(c.last, day)
}

// top returns up to most names, the most frequent first.
func (n counts) top(most int) []counted {
	list := slices.Clone(n)
	slices.SortFunc(list, func(a, b counted) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.text, b.text)) })
	return list[:min(most, len(list))]
}

// interner makes one name of equal texts. The zero value is empty.
type interner struct {
	names map[string]*name
	last  *name
}

// maxInterned limits the names that an interner remembers.
const maxInterned = 1 << 15

func (n *interner) intern(text []byte) *name {
	text = text[:min(len(text), maxNameBytes)]
	if n.last != nil && n.last.text == string(text) {
		return n.last
	}
	known := n.names[string(text)]
	if known == nil {
		if n.names == nil || len(n.names) >= maxInterned {
			n.names = make(map[string]*name)
		}
		known = newName(text)
		n.names[string(text)] = known
	}
	n.last = known
	return known
}

// textOf returns the text of a value. It is valid as long as the value.
func textOf(v cloudtrail.Value) []byte {
	if v.IsString() && bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	return v.AppendText(nil) // escapes are rare enough to cost an allocation
}
