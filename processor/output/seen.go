package output

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// DeadLetter is a summary of a dead letter for people: why and where, without the record itself. Error may quote its
// text, up to a limit.
type DeadLetter struct {
	Topic     string // of the record
	Partition int32
	Offset    int64
	Index     int    // of the damaged event in the record; -1 outside of events
	Reason    string // a short stable code
	Shape     string // what was recognized before the fault
	Error     string // for people
	Alerted   int    // how many alerts the record raised in spite of it
	Count     int    // how many faults it stands for
}

func newDeadLetter(r *kgo.Record, f *deadletter.Fault) DeadLetter {
	return DeadLetter{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Index: f.Index,
		Reason: f.Reason, Shape: f.Shape, Error: deadletter.ErrorText(f.Err),
		Alerted: f.Alerted, Count: max(f.Count, 1),
	}
}

// How much of one batch a worker keeps to show: its alerts and dead letters may be many times its size.
const (
	maxSeenBytes   = 1 << 20 // of alerts
	maxSeenLetters = 64
)

// seen is the latest of a batch, for display. The zero value is empty.
type seen struct {
	alerts  [][]byte
	letters []DeadLetter
	bytes   int // of alerts
}

// addAlert keeps an alert, and drops the oldest ones if they are too large together.
func (s *seen) addAlert(encoded []byte) {
	s.alerts = append(s.alerts, encoded)
	for s.bytes += len(encoded); s.bytes > maxSeenBytes && len(s.alerts) > 1; s.alerts = s.alerts[1:] {
		s.bytes -= len(s.alerts[0])
		s.alerts[0] = nil
	}
}

func (s *seen) addDeadLetter(d DeadLetter) {
	if s.letters = append(s.letters, d); len(s.letters) > maxSeenLetters {
		s.letters = s.letters[1:]
	}
}

func (s *seen) add(o *seen) {
	s.alerts = append(s.alerts, o.alerts...)
	s.letters = append(s.letters, o.letters...)
}

// show passes on what is kept.
func (s *seen) show(o *Options) {
	for _, encoded := range s.alerts {
		o.OnAlert(encoded)
	}
	for _, d := range s.letters {
		o.OnDeadLetter(d)
	}
}
