package detection

import (
	"hash/maphash"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// copies knows which events of a record have been decided: pipelines put the same event into a record twice, as raw
// text and parsed. It is a hash table that is reused from record to record; its random seed keeps attackers from
// crafting collisions. The zero value needs a seed.
type copies struct {
	seed  maphash.Seed
	slots []copySlot // a power of two, at most half of them used
	turn  uint32     // number of the record
	used  int
}

type copySlot struct {
	hash  uint64
	turn  uint32 // the record that the slot belongs to; any other number means that it is free
	found bool   // a copy of the event was a finding
}

const minCopySlots = 64

// begin forgets the events of the previous record.
func (c *copies) begin() {
	c.turn++
	if c.turn == 0 || len(c.slots) > maxKept/16 { // every 2^32 records, and after a large one
		c.slots, c.turn = nil, 1
	}
	c.used = 0
}

// isCopy reports whether the event, which may be a finding, is already in the record and changes nothing. If copies
// disagree, findings count until there was one: an event that can be read in two ways must not hide.
func (c *copies) isCopy(e *cloudtrail.Event, finding bool) bool {
	if scalar(e.EventID) == nil {
		return false
	}
	if 2*c.used >= len(c.slots) {
		c.grow()
	}
	slot := c.slot(maphash.Bytes(c.seed, e.EventID) ^ 3*maphash.Bytes(c.seed, e.RecipientAccountID))
	if slot.turn == c.turn {
		known := slot.found || !finding
		slot.found = slot.found || finding
		return known
	}
	slot.turn, slot.found = c.turn, finding
	c.used++
	return false
}

// slot returns the slot with this hash, or the free one where it belongs.
func (c *copies) slot(hash uint64) *copySlot {
	mask := uint64(len(c.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if s := &c.slots[i]; s.turn != c.turn || s.hash == hash {
			s.hash = hash
			return s
		}
	}
}

// grow makes room.
func (c *copies) grow() {
	old := c.slots
	c.slots = make([]copySlot, max(minCopySlots, 2*len(old)))
	for _, s := range old {
		if s.turn == c.turn {
			*c.slot(s.hash) = s
		}
	}
}
