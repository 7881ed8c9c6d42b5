package learn

import (
	"github.com/axiomhq/hyperloglog"
)

// Usage is what an account did in a region.
type Usage struct {
	Reads         uint64
	Writes        uint64
	Failed        uint64 // reads and writes that failed
	ServiceWrites uint64 // writes that AWS services made, for themselves or for a principal
	OwnWrites     uint64 // successful writes not made by a service
	First, Last   int64  // in Unix seconds, of the events with a time; 0 if there is none

	days, writeDays daySet              // of all events, and of OwnWrites
	firstWrite      int32               // day of the first of OwnWrites; 0 if none has a time
	sources         counts              // event sources of writes
	principals      counts              // of OwnWrites
	distinct        *hyperloglog.Sketch // of principals; nil if all of them are in principals
}

// write is the part of a write that is used.
type write struct {
	at                int64 // in Unix seconds; 0 if unknown
	source, principal *name // the principal is nil if unknown
	isService, failed bool
}

const (
	topPrincipals = 6
	topSources    = 4
	// precision makes a sketch of 256 bytes, with an error of 6.5%.
	precision = 8
)

func (u *Usage) addRead(at int64, failed bool) {
	u.Reads++
	u.see(at, failed)
}

func (u *Usage) addWrite(w *write) {
	u.Writes++
	u.see(w.at, w.failed)
	day := dayOf(w.at)
	u.sources.add(counted{w.source, 1, day, day})
	switch {
	case w.isService:
		u.ServiceWrites++
	case !w.failed:
		u.addOwn(w.principal, day)
	}
}

func (u *Usage) see(at int64, failed bool) {
	if failed {
		u.Failed++
	}
	if at == 0 {
		return
	}
	if u.First == 0 || at < u.First {
		u.First = at
	}
	u.Last = max(u.Last, at)
	u.days.add(dayOf(at))
}

// addOwn counts a successful write not made by a service.
func (u *Usage) addOwn(principal *name, day int32) {
	u.OwnWrites++
	if day > 0 {
		u.writeDays.add(day)
		u.beginWriting(day)
	}
	if principal != nil {
		u.addPrincipal(counted{principal, 1, day, day})
	}
}

func (u *Usage) beginWriting(day int32) {
	if u.firstWrite == 0 || day < u.firstWrite {
		u.firstWrite = day
	}
}

func (u *Usage) addPrincipal(c counted) {
	dropped := u.principals.add(c)
	if u.distinct == nil && dropped == nil {
		return
	}
	u.estimate().InsertHash(c.hash)
	if dropped != nil {
		u.distinct.InsertHash(dropped.hash)
	}
}

// estimate returns the sketch of the distinct principals. While there is none, all of them are in principals.
func (u *Usage) estimate() *hyperloglog.Sketch {
	if u.distinct != nil {
		return u.distinct
	}
	u.distinct = newSketch()
	for i := range u.principals {
		u.distinct.InsertHash(u.principals[i].hash)
	}
	return u.distinct
}

func newSketch() *hyperloglog.Sketch {
	s, err := hyperloglog.NewSketch(precision, false)
	if err != nil {
		panic("BUG: " + err.Error()) // the precision is a constant
	}
	return s
}

// Principals returns how many principals made OwnWrites: exact up to maxNames, an estimate beyond.
func (u *Usage) Principals() uint64 {
	if u.distinct == nil {
		return uint64(len(u.principals))
	}
	return max(u.distinct.Estimate(), maxNames+1)
}

// merge adds what o counted.
func (u *Usage) merge(o *Usage) {
	u.Reads += o.Reads
	u.Writes += o.Writes
	u.Failed += o.Failed
	u.ServiceWrites += o.ServiceWrites
	u.OwnWrites += o.OwnWrites
	if o.First > 0 && (u.First == 0 || o.First < u.First) {
		u.First = o.First
	}
	u.Last = max(u.Last, o.Last)
	u.days.merge(&o.days)
	u.writeDays.merge(&o.writeDays)
	if o.firstWrite > 0 {
		u.beginWriting(o.firstWrite)
	}
	for _, c := range o.sources {
		u.sources.add(c)
	}
	for _, c := range o.principals {
		u.addPrincipal(c)
	}
	if o.distinct == nil {
		return
	}
	if err := u.estimate().Merge(o.distinct); err != nil {
		panic("BUG: " + err.Error()) // all sketches have the same precision
	}
}
