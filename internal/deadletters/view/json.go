package view

import (
	"time"

	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
)

// letterJSON is a letter in JSON. Names are added, never changed. Byte slices are base64.
type letterJSON struct {
	Letter    place      `json:"letter"`
	Written   *time.Time `json:"written,omitempty"`
	Origin    place      `json:"origin"`
	Timestamp *time.Time `json:"timestamp,omitempty"`
	Reason    string     `json:"reason"`
	Error     string     `json:"error"`
	Index     *int       `json:"index,omitempty"`
	Shape     string     `json:"shape"`
	Alerted   int        `json:"alerted"`
	AlertID   string     `json:"alertId,omitempty"`
	Count     int        `json:"count"`
	Replays   int        `json:"replays"`
	Replayed  *replayed  `json:"replayed,omitempty"`
	Others    []place    `json:"others,omitempty"`
	Now       now        `json:"now"`
	Holds     string     `json:"holds,omitempty"`
	Offsets   []int64    `json:"offsets"`
	Headers   []header   `json:"headers"`
	Key       []byte     `json:"key"`
	Value     []byte     `json:"value"`
}

type place struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

type replayed struct {
	At time.Time `json:"at"`
	To string    `json:"to"`
}

type header struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"`
}

// now is the result of decoding the value now.
type now struct {
	Readable bool     `json:"readable"`
	Events   int      `json:"events"`
	Skipped  []string `json:"skipped,omitempty"`
	Faults   int      `json:"faults"`
	Stop     *stop    `json:"stop,omitempty"`
}

type stop struct {
	Now    bool   `json:"now"` // else it is where the error of the letter says
	Reason string `json:"reason,omitempty"`
	Error  string `json:"error,omitempty"`
	At     int    `json:"at"`
	Length int    `json:"length"`
	Before string `json:"before"` // with Go's escapes
	After  string `json:"after"`
}

func newLetterJSON(found *deadletters.Found, maxEventBytes int) *letterJSON {
	l := found.Letter
	shown := &letterJSON{
		Letter: place(l.Place), Written: orNil(l.Time), Origin: place(l.Origin), Timestamp: orNil(l.Timestamp),
		Reason: l.Reason, Error: l.Error, Shape: l.Shape, Alerted: l.Alerted, AlertID: l.AlertID, Count: l.Count, Replays: l.Replays,
		Now: newNow(deadletters.Reread(l, maxEventBytes)), Holds: l.Holds, Offsets: l.Offsets,
		Headers: []header{}, Key: l.Key, Value: l.Value,
	}
	if l.Index >= 0 {
		shown.Index = &l.Index
	}
	if m := found.Marker; m != nil {
		shown.Replayed = &replayed{m.At, m.To}
	}
	for _, other := range found.Others {
		shown.Others = append(shown.Others, place(other))
	}
	for _, h := range l.Headers {
		shown.Headers = append(shown.Headers, header{[]byte(h.Key), h.Value})
	}
	return shown
}

func newNow(r *deadletters.Rereading) (n now) {
	n = now{Readable: r.Faults == 0, Events: r.Events, Skipped: r.Skipped, Faults: r.Faults}
	if s := r.Stop; s != nil {
		at := s.At - s.From
		n.Stop = &stop{s.Now, s.Reason, s.Error, s.At, s.Length, display.Bytes(s.Around[:at]), display.Bytes(s.Around[at:])}
	}
	return n
}
