package deadletters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// ErrNotFound is returned if the wanted letter does not exist.
var ErrNotFound = errors.New("no such dead letter")

// Found is a letter, and what else the topic says about its record.
type Found struct {
	Letter *deadletter.Letter
	Others []deadletter.Place // other letters of the record: further faults, or duplicates
	Marker *deadletter.Marker // notes its replay; nil if there was none
}

// maxOthers bounds Found.Others.
const maxOthers = 100

// Letter finds the letter that is, or has a part, at an offset of the topic.
func (t *Topic) Letter(ctx context.Context, partition int32, offset int64) (*Found, error) {
	e, err := t.committed(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	span, known := e[partition]
	switch {
	case !known:
		return nil, fmt.Errorf("%w: the topic has the partitions 0 to %d", ErrNotFound, len(e)-1)
	case span.from == span.to:
		return nil, fmt.Errorf("%w: the partition holds no records", ErrNotFound)
	case offset < span.from || offset >= span.to:
		return nil, fmt.Errorf("%w: the partition holds the offsets %d to %d", ErrNotFound, span.from, span.to-1)
	}
	f := finder{wanted: func(l *deadletter.Letter) bool {
		return l.Place.Partition == partition && slices.Contains(l.Offsets, offset)
	}}
	f.at = func(r *kgo.Record) error {
		if r.Offset != offset {
			return nil
		}
		if deadletter.IsMarker(r) {
			return fmt.Errorf("%w: the record notes replays", ErrNotFound)
		}
		l, err := deadletter.Parse(r)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrNotFound, err)
		case l.Parts > 0 && !f.whole:
			return errPart
		}
		return nil
	}
	from := span
	from.from = offset
	found, err := f.run(ctx, t, extent{partition: from})
	if errors.Is(err, errPart) { // its earlier parts have lower offsets
		f.whole = true
		found, err = f.run(ctx, t, extent{partition: span})
	}
	return found, err
}

// errPart ends a read that started in the middle of a letter.
var errPart = errors.New("this is a part of a letter")

// OfRecord finds the first letter of a record by the record's origin.
func (t *Topic) OfRecord(ctx context.Context, origin deadletter.Place) (*Found, error) {
	e, err := t.committed(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	f := finder{wanted: func(l *deadletter.Letter) bool { return l.Origin == origin }}
	return f.run(ctx, t, e)
}

// finder looks for one letter.
type finder struct {
	wanted func(*deadletter.Letter) bool
	at     func(*kgo.Record) error // nil does nothing
	whole  bool                    // the partition is read from its start

	parts deadletter.Assembler
	found Found
}

func (f *finder) run(ctx context.Context, t *Topic, e extent) (*Found, error) {
	if err := t.read(ctx, e, f.visit); err != nil {
		return nil, err
	}
	if f.found.Letter == nil {
		return nil, fmt.Errorf("%w, or parts of it are missing", ErrNotFound)
	}
	return &f.found, nil
}

func (f *finder) visit(r *kgo.Record) error {
	if f.at != nil {
		if err := f.at(r); err != nil {
			return err
		}
	}
	if deadletter.IsMarker(r) {
		m, err := deadletter.ParseMarker(r)
		if err == nil && f.found.Letter != nil && m.Marks(f.found.Letter) {
			f.found.Marker = m
		}
		return nil
	}
	l, err := deadletter.Parse(r)
	if err != nil {
		return nil //nolint:nilerr // it concerns another record
	}
	if l = f.parts.Add(l); l == nil {
		return nil
	}
	switch first := f.found.Letter; {
	case first == nil && f.wanted(l):
		f.found.Letter = l
	case first != nil && l.Origin == first.Origin && len(f.found.Others) < maxOthers:
		f.found.Others = append(f.found.Others, l.Place)
	}
	return nil
}
