package incident

import (
	"hash/maphash"
	"math/bits"
	"slices"

	"github.com/axiomhq/hyperloglog"
	"github.com/google/uuid"
)

// chunkIDs is the number of ids in a state record.
const chunkIDs = 1_000

// seed keeps anyone from crafting ids that collide.
var seed = maphash.MakeSeed()

// idSet remembers alert ids in order of arrival: exactly, or beyond a limit in a sketch. The ids are in chunks as in
// the state, one after another, so that none is copied when there are many. The index maps hashes to positions, plus 1; at
// least a quarter of it is free. A map would take twice the memory and lose the order.
type idSet struct {
	full   [][]byte // chunks of chunkIDs
	last   []byte   // the chunk that grows
	index  []uint32
	sketch *hyperloglog.Sketch
	large  bool // the sketch is
}

// idSize is the size of an id, in bytes.
const idSize = len(uuid.UUID{})

// smallSet is how many ids are searched linearly.
const smallSet = 64

func (s *idSet) len() int { return len(s.full)*chunkIDs + len(s.last)/idSize }

func (s *idSet) at(i int) *uuid.UUID {
	if n := i / chunkIDs; n < len(s.full) {
		return idAt(s.full[n], i%chunkIDs)
	}
	return idAt(s.last, i%chunkIDs)
}

// idAt returns id i of a chunk.
func idAt(chunk []byte, i int) *uuid.UUID { return (*uuid.UUID)(chunk[i*idSize:]) }

// has reports whether the id was added. A sketch cannot tell.
func (s *idSet) has(id *uuid.UUID) bool {
	if s.index == nil {
		return contains(s.last, id)
	}
	return s.index[s.slot(id)] != 0
}

func contains(chunk []byte, id *uuid.UUID) bool {
	for ; len(chunk) >= idSize; chunk = chunk[idSize:] {
		if uuid.UUID(chunk) == *id {
			return true
		}
	}
	return false
}

// slot returns the index slot of the id, or the free one where it belongs.
func (s *idSet) slot(id *uuid.UUID) int {
	hash, _ := bits.Mul64(maphash.Bytes(seed, id[:]), uint64(len(s.index)))
	for i := int(hash); ; i++ {
		if i == len(s.index) {
			i = 0
		}
		if at := s.index[i]; at == 0 || *s.at(int(at) - 1) == *id {
			return i
		}
	}
}

// add adds an id that the set does not have.
func (s *idSet) add(id *uuid.UUID) {
	if s.sketch != nil {
		s.sketch.Insert(id[:])
		return
	}
	s.push(id)
	switch n := s.len(); {
	case n <= smallSet:
	case n > len(s.index)/4*3:
		s.reindex(2 * n)
	default:
		s.index[s.slot(id)] = uint32(n)
	}
}

// push appends an id.
func (s *idSet) push(id *uuid.UUID) {
	if n := len(s.last); n == cap(s.last) {
		room := n/idSize + n/idSize/4 + 2
		s.last = append(make([]byte, 0, min(chunkIDs, room)*idSize), s.last...)
	}
	if s.last = append(s.last, id[:]...); len(s.last) == chunkIDs*idSize {
		s.full, s.last = append(s.full, s.last), nil
	}
}

// reindex makes an index of some size. It reports whether all ids differ.
func (s *idSet) reindex(size int) bool {
	s.index = make([]uint32, size)
	n := uint32(0)
	for i := range len(s.full) + 1 {
		for chunk := s.chunkAt(i); len(chunk) > 0; chunk = chunk[idSize:] {
			slot := s.slot((*uuid.UUID)(chunk))
			if s.index[slot] != 0 {
				return false
			}
			n++
			s.index[slot] = n
		}
	}
	return true
}

// fill adds a chunk to a set without an index, and keeps it.
func (s *idSet) fill(chunk []byte) {
	if len(chunk) == chunkIDs*idSize {
		s.full = append(s.full, chunk)
	} else {
		s.last = chunk
	}
}

// finish makes a set complete that was filled. It reports whether all ids differ.
func (s *idSet) finish() bool {
	n := s.len()
	if n > smallSet {
		return s.reindex(n + n/2)
	}
	for i := range n {
		if contains(s.last[:i*idSize], s.at(i)) {
			return false
		}
	}
	return true
}

// first returns a copy of up to n ids, the first to arrive.
func (s *idSet) first(n int) []uuid.UUID {
	n = min(n, s.len())
	list := make([]uuid.UUID, n)
	for i := range list {
		list[i] = *s.at(i)
	}
	return list
}

// Sketches have a fixed size: one that replaces many ids is a large one, within 1%, and still takes less memory; others
// take no more than the few ids that they replace, and are within 5%.
const (
	largeSketch, largePrecision = 16 << 10, 14
	smallPrecision              = 9
	manyIDs                     = 1_000
)

// estimate switches to a sketch and forgets the ids.
func (s *idSet) estimate() {
	precision := uint8(smallPrecision)
	large := s.len() >= manyIDs
	if large {
		precision = largePrecision
	}
	sketch, err := hyperloglog.NewSketch(precision, false)
	if err != nil {
		panic("BUG: making a sketch: " + err.Error()) // the precision is constant
	}
	for i := range s.len() {
		sketch.Insert(s.at(i)[:])
	}
	*s = idSet{sketch: sketch, large: large}
}

// sketchSize returns the memory of a large sketch, in bytes.
func (s *idSet) sketchSize() int {
	if s.large {
		return largeSketch
	}
	return 0
}

// chunkAt returns chunk n.
func (s *idSet) chunkAt(n int) []byte {
	if n < len(s.full) {
		return s.full[n]
	}
	return s.last
}

// chunk returns chunk n as in its state record.
func (s *idSet) chunk(n int) []byte { return slices.Clone(s.chunkAt(n)) }

// chunks returns how many chunks hold n ids.
func chunks(n int) int { return (n + chunkIDs - 1) / chunkIDs }
