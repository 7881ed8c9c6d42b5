package topics

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Begin gives a new group its first offsets before any member joins: it resolves the start position and commits it for every
// partition of the input topics without a commit of the group. After that, a partition without a commit is newer than
// the group and is read from its first record.
//
// The client alone would skip records for a group that begins at the latest: those that arrive while it is down before
// the first commit of a quiet partition, and those that arrive in a new partition before the client notices it.
//
// A group with members refuses the commit. Then the members decide, see [member.settle].
func (ts *Topics) Begin(ctx context.Context, admin *kadm.Client) error {
	if ts.o.Start == (Start{}) {
		return nil // every partition begins at its first record
	}
	ts.o.Health.Waiting("looking for the place to begin")
	topics, err := ts.inputTopics(ctx, admin)
	if err != nil {
		return err
	}
	ts.atStart = make(map[string]kadm.TopicID, len(topics))
	for name, topic := range topics {
		ts.atStart[name] = topic.ID
	}
	commits, err := ts.groupCommits(ctx, admin)
	if err != nil {
		return err
	}
	for name, topic := range topics {
		if ts.newToGroup(name, topic.ID) {
			continue
		}
		delete(topics, name)
		if ts.known.has(name) && !hasCommit(commits[name]) {
			ts.o.Log.Warn("a topic that the group read has no commits, as when it was created again: reading from the first record", "topic", name)
		}
	}
	if len(topics) == 0 {
		return nil
	}
	offsets, skipped, err := ts.startOffsets(ctx, admin, topics)
	if err != nil {
		return err
	}
	committed, err := admin.CommitOffsets(ctx, ts.o.Group, offsets)
	if err == nil {
		err = committed.Error()
	}
	switch {
	case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.IllegalGeneration), errors.Is(err, kerr.RebalanceInProgress):
		ts.o.Log.Debug("the group has members: they decide where it begins", "group", ts.o.Group)
		return ts.learnFromMembers(ctx, admin, topics.Names())
	case err != nil:
		return fmt.Errorf("committing where group %q begins: %w", ts.o.Group, err)
	}
	ts.known.add(topics.Names()...)
	ts.began(topics.Names(), skipped)
	return nil
}

// began logs where a group that is new to topics begins, and how many records it skips.
func (ts *Topics) began(topics []string, skipped int64) {
	ts.o.Log.Info("the group begins", "group", ts.o.Group, "topics", topics, "start", ts.o.Start.String())
	if skipped == 0 {
		return
	}
	ts.o.Tally.Update(func(t *progress.Totals) { t.StartSkipped += uint64(skipped) })
	ts.o.Log.Warn("records before the start position are not read",
		"group", ts.o.Group, "topics", topics, "start", ts.o.Start.String(), "records", skipped)
}

// newToGroup reports whether the start position applies to a topic: by the last groupCommits the group has not begun in it,
// and it existed when this process started. Topics that appear later, or are deleted and created again, are read from
// their first record; so is, with patterns, every topic without a commit of a working group, because a new topic looks the
// same as one that a new pattern matches.
func (ts *Topics) newToGroup(topic string, id kadm.TopicID) bool {
	if ts.known.has(topic) || ts.atStart[topic] != id {
		return false
	}
	return !ts.o.Pattern || !slices.ContainsFunc(ts.known.list(), ts.matches)
}

// groupCommits returns every committed offset of the group, and learns from them.
func (ts *Topics) groupCommits(ctx context.Context, admin *kadm.Client) (kadm.OffsetResponses, error) {
	commits, err := admin.FetchOffsets(ctx, ts.o.Group)
	if err == nil {
		err = commits.Error()
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // a new group does not exist yet
		return nil, fmt.Errorf("fetching the committed offsets of group %q: %w", ts.o.Group, err)
	}
	ts.learn(commits)
	return commits, nil
}

// Loaded returns nil once the coordinator of the group has loaded it.
func (ts *Topics) Loaded(ctx context.Context) error {
	_, err := ts.groupCommits(ctx, ts.admin)
	return err
}

// startOffsets resolves the start position for every partition of topics, as offsets to commit, and returns how many
// records precede them.
func (ts *Topics) startOffsets(ctx context.Context, admin *kadm.Client, topics kadm.TopicDetails) (_ kadm.Offsets, skipped int64, err error) {
	names := topics.Names()
	list := admin.ListStartOffsets
	switch at := ts.o.Start.At; {
	case !at.IsZero():
		list = func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topics...)
		}
	case ts.o.Start.Latest:
		list = admin.ListEndOffsets
	}
	chosen, err := listAll(ctx, list, names)
	if err != nil {
		return nil, skipped, fmt.Errorf("listing the offsets of %s: %w", ts.o.Start, err)
	}
	first, err := listAll(ctx, admin.ListStartOffsets, names)
	if err != nil {
		return nil, skipped, fmt.Errorf("listing the first offsets: %w", err)
	}
	return ts.withMetadata(chosen.Offsets(), topics, func(topic string, partition int32, offset int64) {
		if o, ok := first.Lookup(topic, partition); ok {
			skipped += max(offset-o.Offset, 0)
		}
	}), skipped, nil
}

// withMetadata adds its metadata to each commit by which the group begins in topics, and calls see for each.
func (ts *Topics) withMetadata(offsets kadm.Offsets, topics kadm.TopicDetails, see func(topic string, partition int32, offset int64)) kadm.Offsets {
	tagged, names := make(kadm.Offsets), topics.Names()
	offsets.Each(func(o kadm.Offset) {
		o.Metadata = ts.commitMetadata(topics[o.Topic].ID, names...)
		tagged.Add(o)
		see(o.Topic, o.Partition, o.At)
	})
	return tagged
}

// listAll lists offsets. A missing offset is an error.
func listAll(ctx context.Context, list func(context.Context, ...string) (kadm.ListedOffsets, error), topics []string) (kadm.ListedOffsets, error) {
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
