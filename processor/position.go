package processor

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// begin gives a group that is new to a topic its place to begin: the first time that it runs, Options.Start
// is resolved to offsets, and they are committed before any member joins. After that an offset that is
// missing can only belong to a partition, or a topic, that is newer than the group, and is read from its
// first record.
//
// Were the start left to the client, a group that begins at the latest record would skip what comes while
// it is down before its first commit of a quiet partition, and what comes to a new partition before the
// client notices it.
func (p *Processor) begin(ctx context.Context, admin *kadm.Client) error {
	if p.o.Start == (Start{}) {
		return nil // the first record is where every partition begins
	}
	p.health.waiting("looking for the place to begin")
	offsets, err := p.startOffsets(ctx, admin)
	if err != nil || len(offsets) == 0 {
		return err
	}
	committed, err := admin.CommitOffsets(ctx, p.o.Group, offsets)
	if err == nil {
		err = committed.Error()
	}
	switch {
	case err == nil:
		p.log.Info("a new group begins", "group", p.o.Group, "start", p.o.Start.String())
		return nil
	case isTransient(err), isRefusal(err):
		return fmt.Errorf("committing where group %q begins: %w", p.o.Group, err)
	default:
		// The group has members already. One of them joined before this topic was among the inputs: from
		// here on the start is the client's.
		p.startOffset = p.o.Start.offset()
		p.log.Debug("the group is at work already", "group", p.o.Group, "error", err)
		return nil
	}
}

// startOffsets returns where each partition begins of the input topics of which the group has committed
// nothing yet.
func (p *Processor) startOffsets(ctx context.Context, admin *kadm.Client) (kadm.Offsets, error) {
	topics, err := p.freshTopics(ctx, admin)
	if err != nil || len(topics) == 0 {
		return nil, err
	}
	var listed kadm.ListedOffsets
	if at := p.o.Start.At; at.IsZero() {
		listed, err = admin.ListEndOffsets(ctx, topics...)
	} else {
		listed, err = admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topics...)
	}
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the offsets of %s: %w", p.o.Start, err)
	}
	return listed.Offsets(), nil
}

// freshTopics returns the input topics of which the group has no committed offset.
func (p *Processor) freshTopics(ctx context.Context, admin *kadm.Client) ([]string, error) {
	topics, err := p.inputTopics(ctx, admin)
	if err != nil {
		return nil, err
	}
	fetched, err := admin.FetchOffsets(ctx, p.o.Group)
	if err == nil {
		err = fetched.Error()
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // a new group has no name yet
		return nil, fmt.Errorf("looking for the committed offsets of group %q: %w", p.o.Group, err)
	}
	var fresh []string
	for _, topic := range topics {
		if !hasCommit(fetched[topic]) {
			fresh = append(fresh, topic)
		}
	}
	return fresh, nil
}

func hasCommit(partitions map[int32]kadm.OffsetResponse) bool {
	for _, o := range partitions {
		if o.At >= 0 {
			return true
		}
	}
	return false
}

// offset returns s as the client library has it.
func (s Start) offset() kgo.Offset {
	switch {
	case !s.At.IsZero():
		return kgo.NewOffset().AfterMilli(s.At.UnixMilli())
	case s.Latest:
		return kgo.NewOffset().AtEnd()
	}
	return kgo.NewOffset().AtStart()
}

// String returns s as it is written in settings.
func (s Start) String() string {
	switch {
	case !s.At.IsZero():
		return s.At.UTC().Format("2006-01-02T15:04:05.999Z07:00")
	case s.Latest:
		return "latest"
	}
	return "earliest"
}
