package policies

import (
	"sync"

	"github.com/regionwatch/regionwatch/internal/learn"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// class brings together what its pupils learn, in the same memory however many there are.
type class struct {
	mu     sync.Mutex
	into   *learn.Learner
	pupils []*pupil
}

// maxOwn is how many pairs of account and region a pupil keeps to itself.
const maxOwn = 4096

// pupil returns a new pupil.
func (c *class) pupil(maxEventBytes int) *pupil {
	p := &pupil{class: c, own: c.into.Apart(), decoder: cloudtrail.NewDecoder(maxEventBytes)}
	p.decoder.KnownRegion = func(code []byte) bool { return regions.Index(code) >= 0 }
	c.pupils = append(c.pupils, p)
	return p
}

func (c *class) collect(p *pupil) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.into.Merge(p.own)
}

// end collects what the pupils still have. They must have stopped.
func (c *class) end() {
	for _, p := range c.pupils {
		c.collect(p)
	}
	c.pupils = nil
}

// pupil learns from the events of records. It belongs to one worker of a scan, and locks nothing to add an event.
type pupil struct {
	class   *class
	own     *learn.Learner
	decoder *cloudtrail.Decoder
	counts  *detection.Counts
	faults  int
}

func (p *pupil) read(record []byte, counts *detection.Counts) {
	p.counts, p.faults = counts, 0
	if err := p.decoder.Decode(record, p); err != nil {
		panic("BUG: " + err.Error()) // the methods below return no errors
	}
	counts.Bytes += uint64(len(record))
	counts.Records++
	if p.faults > 0 {
		counts.DeadLettered++
	} else {
		counts.Done++
	}
	if p.own.Len() > maxOwn {
		p.class.collect(p)
	}
}

// Event implements cloudtrail.Sink.
func (p *pupil) Event(e *cloudtrail.Event) error {
	p.counts.Events++
	p.own.Add(e)
	return nil
}

// Skip implements cloudtrail.Sink.
func (p *pupil) Skip(k cloudtrail.Kind, _ cloudtrail.Chain) { p.counts.Skips[k]++ }

// Fault implements cloudtrail.Sink.
func (p *pupil) Fault(f *cloudtrail.Fault) error {
	p.faults++
	p.counts.Faults[f.Reason]++
	return nil
}
