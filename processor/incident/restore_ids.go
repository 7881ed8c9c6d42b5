package incident

import (
	"fmt"

	"github.com/axiomhq/hyperloglog"
	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// chunk takes alert ids of an incident: a chunk, that replaces what was read of it.
func (r *Restorer) chunk(id uuid.UUID, n uint32, value []byte) error {
	e := r.of(id)
	if len(value)%idSize != 0 || len(value) > chunkIDs*idSize {
		return fmt.Errorf("%d bytes are not 1 to %d alert ids", len(value), chunkIDs)
	}
	if x := r.estimates[id]; x != nil {
		r.addChunk(x, n, value)
		return nil
	}
	if n == 0 {
		e.ids.last = r.readChunk(e.ids.last, value)
	} else {
		r.moreChunk(id, n, value)
	}
	if len(value) > smallSet*idSize && !r.g.share.of.hasRestored() {
		r.estimate(e)
	}
	return nil
}

// moreChunk takes a chunk other than the first.
func (r *Restorer) moreChunk(id uuid.UUID, n uint32, value []byte) {
	chunks := r.more[id]
	if chunks == nil {
		chunks = make(map[uint32][]byte)
		r.more[id] = chunks
	}
	if chunks[n] = r.readChunk(chunks[n], value); len(value) == 0 {
		delete(chunks, n)
	}
}

// readChunk returns the ids of a chunk, in the memory of the one that it replaces if they fit.
func (r *Restorer) readChunk(replaced, value []byte) []byte {
	r.addIDs((len(value) - len(replaced)) / idSize)
	return append(replaced[:0], value...)
}

// addIDs counts ids that were read.
func (r *Restorer) addIDs(n int) {
	if n != 0 {
		r.g.share.addIDs(n)
	}
}

// estimate is what is read of an incident for whose ids there is no room.
type estimate struct {
	ids   idSet          // a sketch
	first []uuid.UUID    // the first to arrive
	sizes map[uint32]int // of its chunks, in bytes
}

// estimate replaces the ids that were read of an incident by a sketch.
func (r *Restorer) estimate(e *entry) {
	x := &estimate{sizes: make(map[uint32]int)}
	r.addChunk(x, 0, e.ids.last)
	for n, chunk := range r.more[e.id] {
		r.addChunk(x, n, chunk)
	}
	r.dropIDs(e)
	r.estimates[e.id] = x
}

// addChunk adds a chunk to an estimate. As long as the first one is the only one, it decides how large the sketch is.
func (r *Restorer) addChunk(x *estimate, n uint32, value []byte) {
	if x.sizes[n] = len(value); len(value) == 0 {
		delete(x.sizes, n)
		return
	}
	chunk := idSet{}
	chunk.fill(value)
	if n == 0 {
		x.first = chunk.first(incident.MaxAlertIDs)
	}
	if len(x.sizes) == 1 {
		r.g.share.addSketch(-x.ids.sketchSize())
		x.ids = chunk
		x.ids.estimate()
		r.g.share.addSketch(x.ids.sketchSize())
		return
	}
	for i := range chunk.len() {
		x.ids.add(chunk.at(i))
	}
}

// sketchLimit is more than the bytes of any sketch.
const sketchLimit = 64 << 10

func (r *Restorer) sketch(id uuid.UUID, value []byte) error {
	e := r.of(id)
	r.setSketch(e, nil, false)
	if len(value) == 0 {
		return nil
	}
	if len(value) > sketchLimit {
		return fmt.Errorf("%d bytes are not a sketch", len(value))
	}
	s := hyperloglog.New()
	if err := s.UnmarshalBinary(value); err != nil {
		return fmt.Errorf("reading a sketch: %w", err)
	}
	r.setSketch(e, s, len(value) >= largeSketch)
	return nil
}

func (r *Restorer) setSketch(e *entry, s *hyperloglog.Sketch, large bool) {
	r.g.share.addSketch(-e.ids.sketchSize())
	e.ids.sketch, e.ids.large = s, large
	r.g.share.addSketch(e.ids.sketchSize())
}

// read returns how many ids were read of an incident.
func (r *Restorer) read(e *entry) int {
	n := len(e.ids.last)
	for _, chunk := range r.more[e.id] {
		n += len(chunk)
	}
	return n / idSize
}

// hasIDs reports whether alert ids of the incident were read, and not deleted.
func (r *Restorer) hasIDs(e *entry) bool {
	x := r.estimates[e.id]
	return r.read(e) > 0 || e.ids.sketch != nil || x != nil && len(x.sizes) > 0
}

// dropIDs forgets the chunks that were read of an incident, or what replaced them.
func (r *Restorer) dropIDs(e *entry) {
	r.addIDs(-r.read(e))
	e.ids.last = nil
	delete(r.more, e.id)
	if x := r.estimates[e.id]; x != nil {
		r.g.share.addSketch(-x.ids.sketchSize())
		delete(r.estimates, e.id)
	}
}

// finishIDs completes the alert ids of an entry.
func (r *Restorer) finishIDs(e *entry) error {
	if e.estimated {
		if r.dropIDs(e); e.ids.sketch == nil {
			return errTorn
		}
		return nil
	}
	r.setSketch(e, nil, false)
	e.saved = e.remembered
	if x := r.estimates[e.id]; x != nil {
		return r.finishEstimate(e, x)
	}
	read, first := r.read(e), e.ids.last
	e.ids = idSet{}
	for n := range chunks(e.remembered) {
		chunk := first
		if n > 0 {
			chunk = r.more[e.id][uint32(n)]
		}
		size := e.chunkSize(n)
		if len(chunk) < size {
			return errTorn
		}
		e.ids.fill(chunk[:size])
	}
	if !e.ids.finish() {
		return errTorn
	}
	r.addIDs(e.ids.len() - read)
	return nil
}

// chunkSize returns the size of a written chunk, in bytes.
func (e *entry) chunkSize(n int) int { return min(chunkIDs, e.remembered-n*chunkIDs) * idSize }

// finishEstimate completes an entry for whose ids there was no room. They must have been there all the same.
func (r *Restorer) finishEstimate(e *entry, x *estimate) error {
	for n := range chunks(e.remembered) {
		if x.sizes[uint32(n)] < e.chunkSize(n) {
			return errTorn
		}
	}
	e.ids, e.firstIDs = x.ids, x.first
	r.g.change(e)
	return nil
}
