package learn

import (
	"encoding/gob"
	"fmt"

	"github.com/axiomhq/hyperloglog"
)

// SnapshotVersion changes with what [Learner.Encode] writes, and with what its numbers mean.
const SnapshotVersion = 1

// learnerState, placeState and countState are a learner as [Learner.Encode] writes it.
type learnerState struct {
	Places  int // how many placeStates follow
	Beyond  place
	Skipped Skipped
}

type placeState struct {
	Place                                           place
	Reads, Writes, Failed, ServiceWrites, OwnWrites uint64
	First, Last                                     int64
	Days, WriteDays                                 []uint64
	DaysBase, WriteDaysBase                         int32
	FirstWrite                                      int32
	Sources, Principals                             []countState
	Distinct                                        []byte
}

type countState struct {
	Name        string
	Count       uint64
	First, Last int32
}

// Encode writes what was learned so far.
func (l *Learner) Encode(out *gob.Encoder) error {
	l.prune()
	if err := out.Encode(learnerState{len(l.usages), l.beyond, l.skipped}); err != nil {
		return err
	}
	for p, u := range l.usages {
		s, err := u.state()
		if err != nil {
			return err
		}
		s.Place = p
		if err := out.Encode(s); err != nil {
			return err
		}
	}
	return nil
}

// Decode adds what Encode wrote to an empty learner.
func (l *Learner) Decode(in *gob.Decoder) error {
	var head learnerState
	if err := in.Decode(&head); err != nil {
		return err
	}
	l.beyond, l.skipped = head.Beyond, head.Skipped
	for range head.Places {
		var s placeState
		if err := in.Decode(&s); err != nil {
			return err
		}
		if s.Place.region() >= len(catalogue) {
			return fmt.Errorf("place %d: no such region", s.Place)
		}
		u, err := l.restore(&s)
		if err != nil {
			return fmt.Errorf("place %d: %w", s.Place, err)
		}
		l.usages[s.Place] = u
	}
	return nil
}

func (u *Usage) state() (*placeState, error) {
	s := placeState{
		Reads: u.Reads, Writes: u.Writes, Failed: u.Failed, ServiceWrites: u.ServiceWrites, OwnWrites: u.OwnWrites, First: u.First, Last: u.Last,
		Days: u.days.words, WriteDays: u.writeDays.words, DaysBase: u.days.base, WriteDaysBase: u.writeDays.base, FirstWrite: u.firstWrite,
		Sources: u.sources.state(), Principals: u.principals.state(),
	}
	if u.distinct == nil {
		return &s, nil
	}
	var err error
	s.Distinct, err = u.distinct.MarshalBinary()
	return &s, err
}

func (l *Learner) restore(s *placeState) (*Usage, error) {
	u := &Usage{
		Reads: s.Reads, Writes: s.Writes, Failed: s.Failed, ServiceWrites: s.ServiceWrites, OwnWrites: s.OwnWrites, First: s.First, Last: s.Last,
		days: daySet{s.DaysBase, s.Days}, writeDays: daySet{s.WriteDaysBase, s.WriteDays}, firstWrite: s.FirstWrite,
		sources: restoreCounts(s.Sources, &l.sources), principals: restoreCounts(s.Principals, &l.callers.names),
	}
	if len(s.Distinct) == 0 {
		return u, nil
	}
	u.distinct = &hyperloglog.Sketch{}
	return u, u.distinct.UnmarshalBinary(s.Distinct)
}

func (n counts) state() []countState {
	list := make([]countState, len(n))
	for i, c := range n {
		list[i] = countState{c.text, c.count, c.first, c.last}
	}
	return list
}

func restoreCounts(list []countState, names *interner) counts {
	n := make(counts, len(list))
	for i, s := range list {
		n[i] = counted{names.intern([]byte(s.Name)), s.Count, s.First, s.Last}
	}
	return n
}
