// Package regions is the catalogue of AWS regions: which region a code means, which code a typo means, and in which
// region CloudTrail logs a global service.
//
// It is pure. Nothing changes the catalogue after the program starts.
package regions

import (
	"encoding/binary"
	"slices"

	"github.com/regionwatch/regionwatch/internal/nearest"
)

//go:generate go run gen.go

// Region is an AWS region.
type Region struct {
	Code      string // as in awsRegion
	Partition string // aws, aws-cn, aws-us-gov, …
	Name      string // such as Europe (Paris)
	// OptIn is set for a region that an account must enable before using it. The others are enabled in every account
	// and cannot be disabled.
	OptIn bool
}

// All returns the catalogue by partition, the regions enabled by default first.
func All() []Region { return slices.Clone(catalogue) }

// Lookup returns the region with this code, exact case.
func Lookup(code string) (Region, bool) {
	if i := Index([]byte(code)); i >= 0 {
		return catalogue[i], true
	}
	return Region{}, false
}

// MaxCodeBytes is longer than any region code.
const MaxCodeBytes = 32

// Nearest returns the code most likely meant by a mistyped one or by a place name, or "" if none is near.
func Nearest(code string) string {
	if len(code) > 2*MaxCodeBytes {
		return ""
	}
	if named := byName(code); named != "" {
		return named
	}
	codes := make([]string, len(catalogue))
	for i, r := range catalogue {
		codes[i] = r.Code
	}
	return nearest.Of(code, codes)
}

// slots is an open hash table over the catalogue. Every event needs a look-up, which takes 4 ns here and 20 ns in a Go
// map: the first and the last word of a code overlap or meet in all codes of 8 to 16 bytes, so two comparisons and the
// length are enough. It has several times the size of the catalogue, so that few regions share a slot.
var slots = makeSlots()

const slotCount = 256

type slot struct {
	first, last   uint64
	length, place int // length is 0 if the slot is empty
}

func makeSlots() *[slotCount]slot {
	table := new([slotCount]slot)
	for place, r := range catalogue {
		if len(r.Code) < 8 || len(r.Code) > 16 {
			panic("BUG: the code " + r.Code + " does not fit into two words")
		}
		s := slot{length: len(r.Code), place: place}
		s.first, s.last = words([]byte(r.Code))
		i := hash(s.first, s.last)
		for ; table[i].length != 0; i = (i + 1) % slotCount {
		}
		table[i] = s
	}
	return table
}

// Index returns the index in [All] of the region with this code, exact case, or -1.
func Index(code []byte) int {
	if len(code) < 8 {
		return -1
	}
	first, last := words(code)
	for i := hash(first, last); slots[i].length != 0; i = (i + 1) % slotCount {
		if s := &slots[i]; s.first == first && s.last == last && s.length == len(code) {
			return s.place
		}
	}
	return -1
}

func words(code []byte) (first, last uint64) {
	return binary.LittleEndian.Uint64(code), binary.LittleEndian.Uint64(code[len(code)-8:])
}

// hash takes the upper bits of a product, which depend on all bits of its factors.
func hash(first, last uint64) uint64 { return (first ^ last<<1) * 0x9e3779b97f4a7c15 >> 56 % slotCount }
