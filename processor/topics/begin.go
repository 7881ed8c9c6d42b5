package topics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"

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
		if !ts.newToGroup(name, topic.ID, commits) {
			delete(topics, name)
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
		return ts.forgetKnown(ctx, admin)
	case err != nil:
		return fmt.Errorf("committing where group %q begins: %w", ts.o.Group, err)
	}
	ts.began(topics.Names(), skipped)
	return nil
}

// forgetKnown makes the topics that members of the group read already no topics at the start, unless the group commits
// offsets in them soon. Without commits they were deleted and created again while those members ran: brokers delete the
// commits with the old topic. Members count as long as the group has not lost them, those of our own former life too.
func (ts *Topics) forgetKnown(ctx context.Context, admin *kadm.Client) error {
	known := make(map[string]bool)
	for since := time.Now(); ; {
		stable, err := ts.learnKnown(ctx, admin, known)
		if err != nil {
			return err
		}
		commits, err := ts.groupCommits(ctx, admin)
		if err != nil {
			return err
		}
		for topic := range known {
			if hasCommit(commits[topic]) {
				delete(known, topic)
			}
		}
		if stable && len(known) == 0 || time.Since(since) > ts.knownPatience {
			break
		}
		if err := retry.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	for topic := range known {
		delete(ts.atStart, topic)
	}
	return nil
}

// knownPatience is how long a member that joined just before us has to decide where the group begins, and the group to end a
// rebalance, in which brokers do not tell what members read. It is less than retry.AttemptTimeout.
const knownPatience = 7 * time.Second

// learnKnown adds the topics at the start that members of the group read, and reports whether all members said so.
func (ts *Topics) learnKnown(ctx context.Context, admin *kadm.Client, known map[string]bool) (stable bool, err error) {
	groups, err := admin.DescribeGroups(ctx, ts.o.Group)
	if err == nil {
		err = groups.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) { // or of the new protocol
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("describing group %q: %w", ts.o.Group, err)
	}
	group := groups[ts.o.Group]
	for _, member := range group.Members {
		joined, ok := member.Join.AsConsumer()
		for topic := range ts.atStart {
			if ok && slices.Contains(joined.Topics, topic) {
				known[topic] = true
			}
		}
	}
	return len(group.Members) == 0 || group.State == "Stable", nil
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

// newToGroup reports whether the start position applies to a topic: the group has no commit for it, and it existed when
// this process started. Topics that appear later, or are deleted and created again, are read from their first record;
// so is, with patterns, every topic without a commit of a working group, because a new topic looks the same as one that
// a new pattern matches.
func (ts *Topics) newToGroup(topic string, id kadm.TopicID, commits kadm.OffsetResponses) bool {
	if hasCommit(commits[topic]) || ts.atStart[topic] != id {
		return false
	}
	if !ts.o.Pattern {
		return true
	}
	for other, partitions := range commits {
		if ts.matches(other) && hasCommit(partitions) {
			return false
		}
	}
	return true
}

// groupCommits returns every committed offset of the group.
func (ts *Topics) groupCommits(ctx context.Context, admin *kadm.Client) (kadm.OffsetResponses, error) {
	commits, err := admin.FetchOffsets(ctx, ts.o.Group)
	if err == nil {
		err = commits.Error()
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // a new group does not exist yet
		return nil, fmt.Errorf("fetching the committed offsets of group %q: %w", ts.o.Group, err)
	}
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
	list := admin.ListEndOffsets
	switch at := ts.o.Start.At; {
	case !at.IsZero():
		list = func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topics...)
		}
	case !ts.o.Start.Latest:
		list = admin.ListStartOffsets
	}
	chosen, err := listAll(ctx, list, names)
	if err != nil {
		return nil, 0, fmt.Errorf("listing the offsets of %s: %w", ts.o.Start, err)
	}
	first, err := listAll(ctx, admin.ListStartOffsets, names)
	if err != nil {
		return nil, 0, fmt.Errorf("listing the first offsets: %w", err)
	}
	return ts.withTopicIDs(chosen.Offsets(), topics, func(topic string, partition int32, offset int64) {
		if o, ok := first.Lookup(topic, partition); ok {
			skipped += max(offset-o.Offset, 0)
		}
	}), skipped, nil
}

// withTopicIDs adds to each commit the ids of its topic and cluster, see commitMetadata, and calls see for each.
func (ts *Topics) withTopicIDs(offsets kadm.Offsets, topics kadm.TopicDetails, see func(topic string, partition int32, offset int64)) kadm.Offsets {
	tagged := make(kadm.Offsets)
	offsets.Each(func(o kadm.Offset) {
		o.Metadata = ts.commitMetadata(topics[o.Topic].ID)
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
