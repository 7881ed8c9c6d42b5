package detection

// RegionSlots is the length of Counts.Regions: more than the catalogue has regions.
const RegionSlots = 64

// OtherRegion is the slot of every region that the catalogue lacks.
const OtherRegion = RegionSlots - 1

// RegionEvents counts the events of one region, by what the policy of their account says of it.
type RegionEvents struct {
	Used    uint64 // the region is in use
	Unused  uint64 // the region is unused, and the event raised no alert
	Alerted uint64
}

// Total returns all of them.
func (r *RegionEvents) Total() uint64 { return r.Used + r.Unused + r.Alerted }

func (r *RegionEvents) add(o *RegionEvents) {
	r.Used += o.Used
	r.Unused += o.Unused
	r.Alerted += o.Alerted
}

// count counts one event. One without a region belongs to none.
func (r *RegionEvents) count(o Outcome) {
	switch o {
	case OutcomeUsedRegion:
		r.Used++
	case OutcomeAlerted:
		r.Alerted++
	case OutcomeNoRegion:
	default:
		r.Unused++
	}
}

// slotOf returns the slot of a region; nil is one that the catalogue lacks.
func slotOf(r *regionEntry) uint8 {
	if r == nil {
		return OtherRegion
	}
	return uint8(r.number) // below OtherRegion, as a test holds
}
