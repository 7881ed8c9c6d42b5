package cloudtrail

// maxEventText is longer than the text of any CloudTrail event: 1 MB
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html).
const maxEventText = 1 << 20

// damageRun remembers what was found of an event that damage cut into pieces: regions without a readOnly, or a readOnly
// without a region. The pieces are read one by one, and text that an actor wrote may stand between them, whole and looking
// like an event. Which region goes with which readOnly is unknown, so a readOnly of false goes with all of them: an
// actor's text can add an alert, but not remove one. A run ends with its line, or once whole events of more than
// maxEventText follow the damage.
type damageRun struct {
	isOpen  bool // damage was found
	depth   int  // of the outermost layer in which it was
	write   bool // a readOnly of false was found
	regions regionSet
	after   int // bytes of whole events since the damage
}

func (r *damageRun) reset() {
	r.isOpen, r.write, r.after = false, false, 0
	r.regions.reset()
}

// damaged notes that a damaged piece follows, in this layer.
func (r *damageRun) damaged(depth int) {
	if !r.isOpen || depth < r.depth {
		r.depth = depth
	}
	r.isOpen, r.after = true, 0
}

// add keeps the regions of a damaged piece without a readOnly.
func (r *damageRun) add(own Value, others *regionSet, isKnown func(code []byte) bool) {
	r.regions.add(own, isKnown)
	for i := range others.len() {
		r.regions.add(others.at(i), isKnown)
	}
}

// whole notes a whole object. It may be half of an event too: a brace out of place ends an object early.
func (r *damageRun) whole(e *Event, isKnown func(code []byte) bool) {
	if r.after += len(e.Raw); !r.isOpen || r.after > maxEventText {
		r.reset()
	}
	switch {
	case e.ReadOnly == nil:
		r.regions.add(e.AWSRegion, isKnown)
	case !e.AWSRegion.IsString() && isFalse(e.ReadOnly):
		r.write = true
	}
}

// half says where the values of an object's awsRegion and readOnly start, or 0 where it has none.
type half struct{ region, readOnly int }

// isHalfKey reports whether a key is one of the two.
func isHalfKey(key []byte) bool { return string(key) == `"awsRegion"` || string(key) == `"readOnly"` }

// set notes that the value of a key starts at i.
func (h *half) set(key []byte, i int) {
	switch string(key) {
	case `"awsRegion"`:
		h.region = i
	case `"readOnly"`:
		h.readOnly = i
	}
}

// half notes what an object in b says that may be half of an event.
func (r *damageRun) half(b []byte, h half, isKnown func(code []byte) bool) {
	if h.region > 0 {
		r.regions.add(b[h.region:], isKnown)
	}
	r.write = r.write || h.readOnly > 0 && isFalse(b[h.readOnly:])
}

// isUnused reports whether nothing is remembered, as in all records without damage.
func (r *damageRun) isUnused() bool {
	return !r.isOpen && !r.write && len(r.regions.known) == 0 && len(r.regions.other) == 0
}

// hasEvent reports whether both halves of an event were found.
func (r *damageRun) hasEvent() bool { return r.isOpen && r.write && r.regions.len() > 0 }
