package incident

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/axiomhq/hyperloglog"
	"github.com/google/uuid"
)

// chunkIDs is the number of ids in a state record.
const chunkIDs = 1_000

// seed keeps anyone from crafting ids that collide.
var seed = maphash.MakeSeed()

// idSet remembers alert ids in order of arrival: exactly, or beyond a limit in a sketch. The index maps hashes to
// positions in ids, plus 1; at least half of it is free. A map would take twice the memory and lose the order.
type idSet struct {
	ids    []uuid.UUID
	index  []uint32
	sketch *hyperloglog.Sketch
}

// smallSet is how many ids are searched linearly.
const smallSet = 8

// has reports whether the id was added. A sketch cannot tell.
func (s *idSet) has(id *uuid.UUID) bool {
	if s.index == nil {
		for i := range s.ids {
			if s.ids[i] == *id {
				return true
			}
		}
		return false
	}
	slot := s.slot(id)
	return s.index[slot] != 0
}

// slot returns the index slot of the id, or the free one where it belongs.
func (s *idSet) slot(id *uuid.UUID) int {
	mask := len(s.index) - 1
	i := int(maphash.Bytes(seed, id[:])) & mask
	for s.index[i] != 0 && s.ids[s.index[i]-1] != *id {
		i = (i + 1) & mask
	}
	return i
}

// add adds an id that the set does not have.
func (s *idSet) add(id *uuid.UUID) {
	if s.sketch != nil {
		s.sketch.Insert(id[:])
		return
	}
	s.ids = append(s.ids, *id)
	switch n := len(s.ids); {
	case n <= smallSet:
	case n > len(s.index)/2:
		s.index = make([]uint32, max(4*smallSet, 2*len(s.index)))
		for i := range s.ids {
			s.index[s.slot(&s.ids[i])] = uint32(i + 1)
		}
	default:
		s.index[s.slot(id)] = uint32(n)
	}
}

// estimate switches to a sketch and forgets the ids.
func (s *idSet) estimate() {
	s.sketch = hyperloglog.New()
	for i := range s.ids {
		s.sketch.Insert(s.ids[i][:])
	}
	s.ids, s.index = nil, nil
}

// chunk returns chunk n as in its state record: the ids, 16 bytes each.
func (s *idSet) chunk(n int) []byte {
	ids := s.ids[n*chunkIDs : min((n+1)*chunkIDs, len(s.ids))]
	value := make([]byte, 0, len(ids)*len(uuid.UUID{}))
	for i := range ids {
		value = append(value, ids[i][:]...)
	}
	return value
}

// chunks returns how many chunks hold n ids.
func chunks(n int) int { return (n + chunkIDs - 1) / chunkIDs }

// appendNumber appends the number of a chunk, as in its key.
func appendNumber(dst []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(n))
}
