package learn

import (
	"math/bits"
	"strings"
	"time"

	"github.com/axiomhq/hyperloglog"
)

// Usage is what an account did in a region.
type Usage struct {
	Reads         uint64
	Writes        uint64
	Failed        uint64 // reads and writes that failed
	ServiceWrites uint64 // writes that AWS services made, for themselves or for a principal
	OwnWrites     uint64 // successful writes not made by a service
	First, Last   int64  // in Unix seconds, of the events with a time; 0 if there is none

	days, writeDays daySet // of all events, and of OwnWrites
	firstWrite      int32  // day of the first of OwnWrites; 0 if none has a time
	sources         top    // event sources of writes
	principals      top    // of OwnWrites
	distinct        *hyperloglog.Sketch
}

// observation is the part of an event that is used.
type observation struct {
	at                         time.Time // zero if unknown
	source                     []byte
	principal                  []byte // of a write; empty if unknown
	isWrite, isService, failed bool
}

const (
	topPrincipals = 6
	topSources    = 4
	// precision makes a sketch of 256 bytes, with an error of 6.5%.
	precision = 8
)

func dayOf(unix int64) int32 { return int32(unix / (24 * 60 * 60)) }

func (u *Usage) add(o *observation) {
	var day int32
	if !o.at.IsZero() {
		at := o.at.Unix()
		day = dayOf(at)
		if u.First == 0 || at < u.First {
			u.First = at
		}
		u.Last = max(u.Last, at)
		u.days.add(day)
	}
	if o.failed {
		u.Failed++
	}
	if !o.isWrite {
		u.Reads++
		return
	}
	u.Writes++
	u.sources.add(o.source, day, topSources)
	switch {
	case o.isService:
		u.ServiceWrites++
	case !o.failed:
		u.addOwn(o.principal, day)
	}
}

// addOwn counts a successful write not made by a service.
func (u *Usage) addOwn(principal []byte, day int32) {
	u.OwnWrites++
	if day > 0 {
		u.writeDays.add(day)
		if u.firstWrite == 0 || day < u.firstWrite {
			u.firstWrite = day
		}
	}
	if len(principal) == 0 {
		return
	}
	if u.principals.add(principal, day, topPrincipals) && u.distinct == nil {
		u.distinct = newSketch()
		for i := range u.principals {
			u.distinct.Insert([]byte(u.principals[i].name))
		}
	}
	if u.distinct != nil {
		u.distinct.Insert(principal)
	}
}

func newSketch() *hyperloglog.Sketch {
	s, err := hyperloglog.NewSketch(precision, false)
	if err != nil {
		panic("BUG: " + err.Error()) // the precision is a constant
	}
	return s
}

// Principals returns how many principals made OwnWrites: exact for few, an estimate for many.
func (u *Usage) Principals() uint64 {
	if u.distinct == nil {
		return uint64(len(u.principals))
	}
	return max(u.distinct.Estimate(), uint64(len(u.principals)))
}

// top holds the most frequent names, in bounded memory: a new name replaces the rarest one.
type top []counted

type counted struct {
	name        string
	count       uint64 // an upper bound: it starts with the count of the name that it replaced
	first, last int32  // days of the events since; 0 if no time is known
}

// maxNameBytes limits a name.
const maxNameBytes = 128

// add counts a name, and reports whether it replaced another.
func (t *top) add(name []byte, day int32, most int) (replaced bool) {
	name = name[:min(len(name), maxNameBytes)]
	for i := range *t {
		c := &(*t)[i]
		if c.name == string(name) {
			c.count++
			c.span(day)
			return false
		}
	}
	c := counted{name: strings.ToValidUTF8(string(name), "?"), count: 1}
	c.span(day)
	if len(*t) < most {
		*t = append(*t, c)
		return false
	}
	rarest := t.rarest()
	c.count += (*t)[rarest].count
	(*t)[rarest] = c
	return true
}

// rarest returns the place of the name to give up. It keeps the two of several days that began first: where many names
// take turns, nothing else would show how long they have been there.
func (t top) rarest() int {
	rarest := -1
	for i := range t {
		if !t.isOldest(i) && (rarest < 0 || t[i].count < t[rarest].count) {
			rarest = i
		}
	}
	return rarest
}

func (t top) isOldest(i int) bool {
	older := 0
	for j := range t {
		if t[j].last > t[j].first && (t[j].first < t[i].first || t[j].first == t[i].first && j < i) {
			older++
		}
	}
	return t[i].last > t[i].first && older < minPrincipals
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

// daySet is a set of days, in words of 64.
type daySet struct {
	base  int32 // the word of the first bit
	words []uint64
}

// maxDayWords limits a set to about 11 years; days beyond are not counted.
const maxDayWords = 64

func (s *daySet) add(day int32) {
	word := day / 64
	if len(s.words) == 0 {
		s.base = word
	}
	if low, high := min(s.base, word), max(s.base+int32(len(s.words)), word+1); high-low > maxDayWords {
		return
	}
	if before := int(s.base - word); before > 0 {
		s.words, s.base = append(make([]uint64, before), s.words...), word
	}
	for int(word-s.base) >= len(s.words) {
		s.words = append(s.words, 0)
	}
	s.words[word-s.base] |= 1 << (day % 64)
}

func (s *daySet) len() (n int) {
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return n
}
