package admin

import (
	"fmt"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/detection"
)

const (
	// historyLength is how many samples the curve shows.
	historyLength = 120
	// smoothing is the weight of the newest sample in a rate.
	smoothing = 0.3
	// maxRates bounds the partitions whose rates are tracked.
	maxRates = 10_000
)

// history computes rates from statuses.
type history struct {
	at         time.Time // of the last sample; zero before the first
	last       processor.Status
	byRecord   bool      // rates count records instead of events
	rate       float64   // events per second
	curve      []float64 // recent rates in events per second, newest last
	partitions map[partitionKey]partitionRate
	alerted    [detection.RegionSlots]time.Time // when the alert count of each region last increased
}

type partitionKey struct {
	topic     string
	partition int32
}

type partitionRate struct {
	next      int64 // the offset at the last sample
	perSecond float64
}

// add adds a sample.
func (h *history) add(at time.Time, s processor.Status) {
	seconds := at.Sub(h.at).Seconds()
	first := h.at.IsZero()
	for i := range s.Counts.Regions {
		if s.Counts.Regions[i].Alerted > h.last.Counts.Regions[i].Alerted {
			h.alerted[i] = at
		}
	}
	if !first && seconds > 0 {
		rate := float64(h.done(&s)-h.done(&h.last)) / seconds
		h.rate += smoothing * (rate - h.rate)
		if h.curve = append(h.curve, rate); len(h.curve) > historyLength {
			h.curve = h.curve[1:]
		}
	}
	h.addPartitions(s.Partitions, seconds)
	h.at, h.last = at, s
}

// done returns what the rate counts.
func (h *history) done(s *processor.Status) uint64 {
	if h.byRecord {
		return s.Counts.Records
	}
	return s.Counts.Events
}

// addPartitions updates the rates of the assigned partitions and forgets the others.
func (h *history) addPartitions(partitions []processor.PartitionStatus, seconds float64) {
	rates := make(map[partitionKey]partitionRate, min(len(partitions), maxRates))
	for _, p := range partitions[:min(len(partitions), maxRates)] {
		key := partitionKey{p.Topic, p.Partition}
		now := partitionRate{next: p.Next}
		if before, ok := h.partitions[key]; ok && before.next >= 0 && p.Next >= before.next && seconds > 0 {
			now.perSecond = before.perSecond + smoothing*(float64(p.Next-before.next)/seconds-before.perSecond)
		}
		rates[key] = now
	}
	h.partitions = rates
}

// curveHeight is the height of the curve's picture, in its own units. Its width is the number of samples.
const curveHeight = 32

// points returns the curve as the points of an SVG polyline, newest at the right, and its highest value.
func (h *history) points() (points string, top float64) {
	for _, rate := range h.curve {
		top = max(top, rate)
	}
	var b strings.Builder
	for i, rate := range h.curve {
		x, y := historyLength-len(h.curve)+i, curveHeight-1.
		if top > 0 {
			y = curveHeight - 1 - rate/top*(curveHeight-2)
		}
		fmt.Fprintf(&b, "%d,%.1f ", x, y)
	}
	return strings.TrimSpace(b.String()), top
}
