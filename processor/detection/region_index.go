package detection

import "encoding/binary"

// regionIndex finds a region by the first and the last word of its code. They overlap or meet in every code of 8 to
// 16 bytes, so that two words and the length are the whole code. Codes of other lengths are not in it.
type regionIndex [regionSlots]struct {
	first, last uint64
	length      int
	region      *regionEntry
}

// regionSlots is several times the number of regions, so that few share a slot, and a power of two.
const regionSlots = 256

func newRegionIndex(entries map[string]*regionEntry) *regionIndex {
	x := new(regionIndex)
	for code, region := range entries {
		if len(code) < 8 || len(code) > 16 {
			continue
		}
		first, last := regionWords([]byte(code))
		i := regionSlot(first, last)
		for ; x[i].region != nil; i = (i + 1) % regionSlots {
		}
		x[i].first, x[i].last, x[i].length, x[i].region = first, last, len(code), region
	}
	return x
}

// find returns the region with this code, nil where the index has none.
func (x *regionIndex) find(code []byte) *regionEntry {
	if len(code) < 8 {
		return nil
	}
	first, last := regionWords(code)
	for i := regionSlot(first, last); x[i].region != nil; i = (i + 1) % regionSlots {
		if s := &x[i]; s.first == first && s.last == last && s.length == len(code) {
			return s.region
		}
	}
	return nil
}

func regionWords(code []byte) (first, last uint64) {
	return binary.LittleEndian.Uint64(code), binary.LittleEndian.Uint64(code[len(code)-8:])
}

// regionSlot hashes the words: a product's upper bits depend on all bits of its factors.
func regionSlot(first, last uint64) int {
	return int((first ^ last<<1) * 0x9e3779b97f4a7c15 >> 56 % regionSlots)
}
