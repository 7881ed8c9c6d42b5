package main

import (
	"time"

	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
)

// shownLetter is the form for programs. Names are added, never changed. Byte slices are base64.
type shownLetter struct {
	Letter    shownPlace    `json:"letter"`
	Written   *time.Time    `json:"written,omitempty"`
	Origin    shownPlace    `json:"origin"`
	Timestamp *time.Time    `json:"timestamp,omitempty"`
	Reason    string        `json:"reason"`
	Error     string        `json:"error"`
	Index     *int          `json:"index,omitempty"`
	Shape     string        `json:"shape"`
	Alerted   int           `json:"alerted"`
	AlertID   string        `json:"alertId,omitempty"`
	Count     int           `json:"count"`
	Replays   int           `json:"replays"`
	Replayed  *shownReplay  `json:"replayed,omitempty"`
	Others    []shownPlace  `json:"others,omitempty"`
	Now       shownNow      `json:"now"`
	Holds     string        `json:"holds,omitempty"`
	Offsets   []int64       `json:"offsets"`
	Headers   []shownHeader `json:"headers"`
	Key       []byte        `json:"key"`
	Value     []byte        `json:"value"`
}

type shownPlace struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

type shownReplay struct {
	At time.Time `json:"at"`
	To string    `json:"to"`
}

type shownHeader struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"`
}

// shownNow is what the decoder makes of the value now.
type shownNow struct {
	Readable bool      `json:"readable"`
	Events   int       `json:"events"`
	Skipped  []string  `json:"skipped,omitempty"`
	Faults   int       `json:"faults"`
	Stop     *shownEnd `json:"stop,omitempty"`
}

type shownEnd struct {
	Now    bool   `json:"now"` // else it is where the letter's error says
	Reason string `json:"reason,omitempty"`
	Error  string `json:"error,omitempty"`
	At     int    `json:"at"`
	Length int    `json:"length"`
	Before string `json:"before"` // with Go's escapes
	After  string `json:"after"`
}

func newShownLetter(found *deadletters.Found, maxEventBytes int) *shownLetter {
	l := found.Letter
	shown := &shownLetter{
		Letter: shownPlace(l.Place), Written: timeOrNone(l.Time), Origin: shownPlace(l.Origin), Timestamp: timeOrNone(l.Timestamp),
		Reason: l.Reason, Error: l.Error, Shape: l.Shape, Alerted: l.Alerted, AlertID: l.AlertID, Count: l.Count, Replays: l.Replays,
		Now: newShownNow(deadletters.Reread(l, maxEventBytes)), Holds: l.Holds, Offsets: l.Offsets,
		Headers: []shownHeader{}, Key: l.Key, Value: l.Value,
	}
	if l.Index >= 0 {
		shown.Index = &l.Index
	}
	if m := found.Marker; m != nil {
		shown.Replayed = &shownReplay{m.At, m.To}
	}
	for _, other := range found.Others {
		shown.Others = append(shown.Others, shownPlace(other))
	}
	for _, h := range l.Headers {
		shown.Headers = append(shown.Headers, shownHeader{[]byte(h.Key), h.Value})
	}
	return shown
}

func newShownNow(r *deadletters.Rereading) shownNow {
	now := shownNow{Readable: r.Faults == 0, Events: r.Events, Skipped: r.Skipped, Faults: r.Faults}
	if s := r.Stop; s != nil {
		at := s.At - s.From
		now.Stop = &shownEnd{s.Now, s.Reason, s.Error, s.At, s.Length, display.Bytes(s.Around[:at]), display.Bytes(s.Around[at:])}
	}
	return now
}
