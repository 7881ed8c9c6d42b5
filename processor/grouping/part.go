package grouping

import (
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/incident"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	incidents "github.com/regionwatch/regionwatch/schema/incident"
)

// part is the state of one partition. It implements processor.StageState.
type part struct {
	stage     *Stage
	partition int32

	mu         sync.Mutex // others look at it
	grouper    *incident.Grouper
	policy     *policy.Policy // by which it was last looked at as a whole
	since      totals         // since the last Commit
	superseded bool
}

// supersede forgets the state, which another session restores: two in memory would count twice against the budget, and
// cost others their room.
func (p *part) supersede() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.superseded = true
	p.grouper.Release()
	p.grouper = incident.New(p.stage.options(p.partition))
	p.grouper.Release()
}

// Superseded implements processor.StageState.
func (p *part) Superseded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.superseded
}

// Take groups an alert, or returns why it is none.
func (p *part) Take(r *kgo.Record, now time.Time) *deadletter.Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since.read++
	f, err := alert.ReadFacts(r.Value)
	if err != nil {
		p.since.unreadable++
		p.stage.o.Logger.Warn("a record is no alert: it is set aside as a dead letter", // whatever its partition: another such line is a repetition
			"record", fmt.Sprintf("%s:%d:%d", r.Topic, r.Partition, r.Offset), "error", err)
		return unreadable(err)
	}
	at := stamp(r.Timestamp, now)
	p.grouper.Advance(at) // apart from what it counts of the alert
	before := p.grouper.Counts()
	p.grouper.Add(&f, at)
	after := p.grouper.Counts()
	p.since.count(&before, &after)
	return nil
}

// stamp returns the timestamp that counts: a producer may choose any, or none.
func stamp(t, now time.Time) time.Time {
	if t.After(now) || t.UnixMilli() <= 0 {
		return now
	}
	return t
}

// Flush returns the records to write. If now is not zero, the clock of the partition follows it.
func (p *part) Flush(now time.Time) []*kgo.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	if current := p.stage.o.Policy(); current != p.policy {
		p.policy = current
		p.grouper.Reconsider()
	}
	p.grouper.Advance(now)
	list := p.grouper.Flush()
	state := p.grouper.State()
	records := make([]*kgo.Record, 0, len(list)+len(state))
	for _, i := range list {
		p.since.written[i.Activity]++
		if i.Kind == incidents.KindStorm && i.Activity == incidents.Create {
			p.stage.o.Logger.Warn("a storm begins: further principals and regions go into one incident",
				"account", i.AccountID, "window", i.Window.Start, "incident", i.ID)
		}
		records = append(records, p.stage.record(i))
	}
	for _, r := range state {
		p.since.state++
		records = append(records, &kgo.Record{Topic: p.stage.o.StateTopic, Partition: p.partition, Key: r.Key, Value: r.Value})
	}
	return records
}

// Commit counts everything since the last one.
func (p *part) Commit() {
	p.mu.Lock()
	since := p.since
	p.since = totals{written: make(map[string]uint64)}
	p.mu.Unlock()
	s := p.stage
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals.add(&since)
}

// Drop removes it from its stage.
func (p *part) Drop() {
	p.stage.mu.Lock()
	delete(p.stage.parts, p)
	p.stage.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grouper.Release()
}
