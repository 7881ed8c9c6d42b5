package processor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// begin gives a new group its first offsets before any member joins: it resolves Options.Start and commits it for every
// partition of the input topics without a commit of the group. After that, a partition without a commit is newer than
// the group and is read from its first record.
//
// The client alone would skip records for a group that begins at the latest: those that arrive while it is down before
// the first commit of a quiet partition, and those that arrive in a new partition before the client notices it.
//
// A group with members refuses the commit. Then the members decide, see [beginner.settle].
func (p *Processor) begin(ctx context.Context, admin *kadm.Client) error {
	if p.o.Start == (Start{}) {
		return nil // every partition begins at its first record
	}
	p.health.Waiting("looking for the place to begin")
	topics, err := p.inputTopics(ctx, admin)
	if err != nil {
		return err
	}
	p.atStart = make(map[string]kadm.TopicID, len(topics))
	for name, topic := range topics {
		p.atStart[name] = topic.ID
	}
	commits, err := p.groupCommits(ctx, admin)
	if err != nil {
		return err
	}
	for name, topic := range topics {
		if !p.newToGroup(name, topic.ID, commits) {
			delete(topics, name)
		}
	}
	if len(topics) == 0 {
		return nil
	}
	offsets, skipped, err := p.startOffsets(ctx, admin, topics)
	if err != nil {
		return err
	}
	committed, err := admin.CommitOffsets(ctx, p.o.Group, offsets)
	if err == nil {
		err = committed.Error()
	}
	switch {
	case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.IllegalGeneration), errors.Is(err, kerr.RebalanceInProgress):
		p.log.Debug("the group has members: they decide where it begins", "group", p.o.Group)
		return nil
	case err != nil:
		return fmt.Errorf("committing where group %q begins: %w", p.o.Group, err)
	}
	p.began(topics.Names(), skipped)
	return nil
}

// began logs where a group that is new to topics begins, and how many records it skips.
func (p *Processor) began(topics []string, skipped int64) {
	p.log.Info("the group begins", "group", p.o.Group, "topics", topics, "start", p.o.Start.String())
	if skipped == 0 {
		return
	}
	p.tally.Update(func(t *progress.Totals) { t.StartSkipped += uint64(skipped) })
	p.log.Warn("records before the start position are not read",
		"group", p.o.Group, "topics", topics, "start", p.o.Start.String(), "records", skipped)
}

// newToGroup reports whether the start position applies to a topic: the group has no commit for it, and it existed when
// this process started. Topics that appear later, or are deleted and created again, are read from their first record;
// so is, with patterns, every topic without a commit of a working group, because a new topic looks the same as one that
// a new pattern matches.
func (p *Processor) newToGroup(topic string, id kadm.TopicID, commits kadm.OffsetResponses) bool {
	if hasCommit(commits[topic]) || p.atStart[topic] != id {
		return false
	}
	if !p.o.InputPattern {
		return true
	}
	for other, partitions := range commits {
		if p.matches(other) && hasCommit(partitions) {
			return false
		}
	}
	return true
}

// groupCommits returns every committed offset of the group.
func (p *Processor) groupCommits(ctx context.Context, admin *kadm.Client) (kadm.OffsetResponses, error) {
	commits, err := admin.FetchOffsets(ctx, p.o.Group)
	if err == nil {
		err = commits.Error()
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // a new group does not exist yet
		return nil, fmt.Errorf("fetching the committed offsets of group %q: %w", p.o.Group, err)
	}
	return commits, nil
}

// startOffsets resolves the start position for every partition of topics, as offsets to commit, and returns how many
// records precede them.
func (p *Processor) startOffsets(ctx context.Context, admin *kadm.Client, topics kadm.TopicDetails) (_ kadm.Offsets, skipped int64, err error) {
	names := topics.Names()
	list := admin.ListEndOffsets
	switch at := p.o.Start.At; {
	case !at.IsZero():
		list = func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topics...)
		}
	case !p.o.Start.Latest:
		list = admin.ListStartOffsets
	}
	chosen, err := listAll(ctx, list, names)
	if err != nil {
		return nil, 0, fmt.Errorf("listing the offsets of %s: %w", p.o.Start, err)
	}
	first, err := listAll(ctx, admin.ListStartOffsets, names)
	if err != nil {
		return nil, 0, fmt.Errorf("listing the first offsets: %w", err)
	}
	return p.withTopicIDs(chosen.Offsets(), topics, func(topic string, partition int32, offset int64) {
		if o, ok := first.Lookup(topic, partition); ok {
			skipped += max(offset-o.Offset, 0)
		}
	}), skipped, nil
}

// withTopicIDs adds to each commit the ids of its topic and cluster, see commitMetadata, and calls see for each.
func (p *Processor) withTopicIDs(offsets kadm.Offsets, topics kadm.TopicDetails, see func(topic string, partition int32, offset int64)) kadm.Offsets {
	tagged := make(kadm.Offsets)
	offsets.Each(func(o kadm.Offset) {
		o.Metadata = p.commitMetadata(topics[o.Topic].ID)
		tagged.Add(o)
		see(o.Topic, o.Partition, o.At)
	})
	return tagged
}

// listAll lists offsets. A missing offset is an error.
func listAll(ctx context.Context, list func(context.Context, ...string) (kadm.ListedOffsets, error), topics []string) (kadm.ListedOffsets, error) {
	slices.Sort(topics)
	listed, err := list(ctx, topics...)
	if err == nil {
		err = listed.Error()
	}
	return listed, err
}

func hasCommit(partitions map[int32]kadm.OffsetResponse) bool {
	for _, o := range partitions {
		if o.At >= 0 {
			return true
		}
	}
	return false
}

// String returns s as in settings.
func (s Start) String() string {
	switch {
	case !s.At.IsZero():
		return s.At.UTC().Format("2006-01-02T15:04:05.999Z07:00")
	case s.Latest:
		return "latest"
	}
	return "earliest"
}
