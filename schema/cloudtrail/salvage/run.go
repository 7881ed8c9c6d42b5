package salvage

import "github.com/regionwatch/regionwatch/schema/jsonscan"

// maxEventText is longer than the text of any CloudTrail event: 1 MB
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html).
const maxEventText = 1 << 20

// Run remembers what was found of an event that damage cut into pieces: regions without a readOnly, or a readOnly
// without a region. The pieces are read one by one, and text that an actor wrote may stand between them, whole and looking
// like an event. Which region goes with which readOnly is unknown, so a readOnly of false goes with all of them: an
// actor's text can add an alert, but not remove one. A run ends with its line, or once whole events of more than
// maxEventText follow the damage.
type Run struct {
	IsOpen  bool // damage was found
	Depth   int  // of the outermost layer in which it was
	Write   bool // a readOnly of false was found
	Regions Regions
	after   int // bytes of whole events since the damage
}

// Reset forgets everything.
func (r *Run) Reset() {
	r.IsOpen, r.Write, r.after = false, false, 0
	r.Regions.Reset()
}

// Damaged notes that a damaged piece follows, in this layer.
func (r *Run) Damaged(depth int) {
	if !r.IsOpen || depth < r.Depth {
		r.Depth = depth
	}
	r.IsOpen, r.after = true, 0
}

// Add keeps the regions of a damaged piece without a readOnly.
func (r *Run) Add(own jsonscan.Value, others *Regions, isKnown func(code []byte) bool) {
	r.Regions.Add(own, isKnown)
	for i := range others.Len() {
		r.Regions.Add(others.At(i), isKnown)
	}
}

// Whole notes a whole object of so many bytes. It may be half of an event too: a brace out of place ends an object early.
func (r *Run) Whole(size int, region, readOnly jsonscan.Value, isKnown func(code []byte) bool) {
	if r.after += size; !r.IsOpen || r.after > maxEventText {
		r.Reset()
	}
	switch {
	case readOnly == nil:
		r.Regions.Add(region, isKnown)
	case !region.IsString() && IsFalse(readOnly):
		r.Write = true
	}
}

// Half says where the values of an object's awsRegion and readOnly start, or 0 where it has none.
type Half struct{ region, readOnly int }

// IsHalfKey reports whether a key is one of the two.
func IsHalfKey(key []byte) bool { return string(key) == `"awsRegion"` || string(key) == `"readOnly"` }

// Set notes that the value of a key starts at i.
func (h *Half) Set(key []byte, i int) {
	switch string(key) {
	case `"awsRegion"`:
		h.region = i
	case `"readOnly"`:
		h.readOnly = i
	}
}

// Half notes what an object in b says that may be half of an event.
func (r *Run) Half(b []byte, h Half, isKnown func(code []byte) bool) {
	if h.region > 0 {
		r.Regions.Add(b[h.region:], isKnown)
	}
	r.Write = r.Write || h.readOnly > 0 && IsFalse(b[h.readOnly:])
}

// IsUnused reports whether nothing is remembered, as in all records without damage.
func (r *Run) IsUnused() bool {
	return !r.IsOpen && !r.Write && len(r.Regions.known) == 0 && len(r.Regions.other) == 0
}

// HasEvent reports whether both halves of an event were found.
func (r *Run) HasEvent() bool { return r.IsOpen && r.Write && r.Regions.Len() > 0 }
