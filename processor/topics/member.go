package topics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// member decides where one member begins to read in its assigned partitions. The client calls it between fetching
// their committed offsets and fetching the first records, from one goroutine.
//
// Offsets can mislead in three ways. A commit may belong to an older topic of the same name, because brokers before 4.2
// keep commits by name; therefore each of our commits carries the ids of its topic and cluster. A commit may be beyond the
// end of a partition after a cluster is restored from a backup. And a partition without a commit may be new, or the group
// may be new to its topic.
type member struct {
	ts         *Topics
	client     *kgo.Client
	instanceID string        // of a static member; otherwise empty
	patience   time.Duration // settlePatience, but in tests
	wait       time.Duration // endsTimeout, but in tests
	commits    map[kadm.Partition]commit
	since      time.Time // when adjust began

	mu   sync.Mutex
	seen map[string]kadm.TopicID // the topics as of adjust
}

// commit is an offset committed by the group, -1 for none.
type commit struct {
	offset   int64
	metadata string
}

// Member returns the options of a client that is a member of the group, for it to begin where it should, and the
// context to make it with, in which its commits carry the ids of topic and cluster. instanceID is empty for a dynamic
// member.
func (ts *Topics) Member(ctx context.Context, instanceID string) (context.Context, []kgo.Opt) {
	m := ts.newMember(instanceID)
	return m.tagCommits(ctx), m.opts()
}

func (ts *Topics) newMember(instanceID string) *member {
	return &member{ts: ts, instanceID: instanceID, patience: settlePatience, wait: endsTimeout, seen: make(map[string]kadm.TopicID)}
}

func (m *member) opts() []kgo.Opt {
	return []kgo.Opt{kgo.OnOffsetsFetched(m.fetched), kgo.AdjustFetchOffsetsFn(m.adjust)}
}

// fetched keeps the committed offsets for adjust, which the client calls next.
func (m *member) fetched(_ context.Context, client *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
	m.client, m.commits = client, make(map[kadm.Partition]commit)
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				c := commit{offset: p.Offset}
				if p.Metadata != nil {
					c.metadata = *p.Metadata
				}
				m.commits[kadm.Partition{Topic: t.Topic, Partition: p.Partition}] = c
			}
		}
	}
	return nil
}

// adjust returns where the member begins. If the brokers do not answer it retries until the group session ends.
func (m *member) adjust(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	m.since = time.Now()
	for fails := 1; ; fails++ {
		attempt, cancel := context.WithTimeout(ctx, retry.AttemptTimeout)
		err := m.adjustAll(attempt, offsets)
		cancel()
		if err == nil {
			return offsets, nil
		}
		if ctx.Err() != nil || retry.IsRefusal(err) {
			return nil, err
		}
		m.ts.o.Log.Warn("finding where to begin, trying again", "error", err)
		if err := retry.Sleep(ctx, retry.Backoff(fails)); err != nil {
			return nil, err
		}
	}
}

func (m *member) adjustAll(ctx context.Context, offsets map[string]map[int32]kgo.Offset) error {
	var names, others []string
	for name, partitions := range offsets {
		if _, decides := partitions[0]; decides { // first: a member that decides in another topic may wait for us, and we for it
			names = append(names, name)
		} else {
			others = append(others, name)
		}
	}
	names = append(names, others...)
	topics, err := m.ts.admin.ListTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("listing topics: %w", err)
	}
	ends := m.ends(ctx, names, offsets)
	for _, name := range names {
		partitions := offsets[name]
		topic, ok := topics[name]
		switch {
		case !ok, errors.Is(topic.Err, kerr.UnknownTopicOrPartition), errors.Is(topic.Err, kerr.UnknownTopicID):
			continue // deleted: the client reports it
		case topic.Err != nil:
			return fmt.Errorf("looking for topic %q: %w", name, topic.Err) // it may exist, and its commits may mislead
		}
		m.mu.Lock()
		m.seen[name] = topic.ID
		m.mu.Unlock()
		if err := m.adjustTopic(ctx, topic, ends, partitions); err != nil {
			return err
		}
		m.ts.known.add(name)
		for partition, offset := range partitions {
			m.ts.o.Lag.Assigned(kadm.Partition{Topic: name, Partition: partition}, offset.EpochOffset().Offset, ends.end(name, partition))
			if offset.EpochOffset().Offset < 0 {
				m.ts.LookSoon() // to learn its first offset
			}
		}
	}
	return nil
}

// adjustTopic changes the offsets of one topic in place.
func (m *member) adjustTopic(ctx context.Context, topic kadm.TopicDetail, ends endOffsets, partitions map[int32]kgo.Offset) error {
	recreated, missing := 0, false
	for partition := range partitions {
		tp := kadm.Partition{Topic: topic.Topic, Partition: partition}
		c, ok := m.commits[tp]
		switch end := ends.end(topic.Topic, partition); {
		case !ok || c.offset < 0:
			missing = true
		case m.ts.isOlderTopic(c.metadata, topic.ID):
			recreated++
			partitions[partition] = kgo.NewOffset().AtStart()
			m.commits[tp] = commit{} // in case we come here again
		case end >= 0 && c.offset > end:
			m.ts.o.Tally.Update(func(t *progress.Totals) { t.DataLosses++ })
			m.ts.o.Log.Error("the committed offset is beyond the end of the partition: reading from the first record",
				"topic", tp.Topic, "partition", partition, "committed", c.offset, "end", end)
			partitions[partition] = kgo.NewOffset().AtStart()
			m.commits[tp] = commit{}
		}
	}
	if recreated > 0 {
		m.ts.o.Tally.Update(func(t *progress.Totals) { t.Recreated++ })
		m.ts.o.Log.Error("the committed offsets belong to an older topic: reading from the first record",
			"topic", topic.Topic, "partitions", recreated)
	}
	if !missing || m.ts.o.Start == (Start{}) {
		return nil
	}
	return m.settleTopic(ctx, topic, partitions)
}

// settleTopic sets the offsets of the partitions without a commit.
func (m *member) settleTopic(ctx context.Context, topic kadm.TopicDetail, partitions map[int32]kgo.Offset) error {
	_, decides := partitions[0]
	commits, err := m.settle(ctx, topic, decides)
	if err != nil {
		return err
	}
	for partition := range partitions {
		if c, ok := m.commits[kadm.Partition{Topic: topic.Topic, Partition: partition}]; ok && c.offset >= 0 {
			continue
		}
		partitions[partition] = kgo.NewOffset().AtStart()
		if offset, ok := commits[partition]; ok {
			partitions[partition] = kgo.NewOffset().At(offset)
		}
	}
	return nil
}

// settlePatience is how long a member waits for the owners of partition 0 to decide where the group begins. It spans attempts.
const settlePatience = 30 * time.Second

// settle returns the group's committed offsets of a topic, once a member has decided where the group begins in it. Only
// the owner of partition 0 decides, and commits offsets for all partitions at once; the others wait. If each member
// decided for its own partitions, one commit would make the topic look known to the others, or reset what another has
// committed since.
func (m *member) settle(ctx context.Context, topic kadm.TopicDetail, decides bool) (map[int32]int64, error) {
	for {
		commits, err := m.ts.groupCommits(ctx, m.ts.admin)
		if err != nil {
			return nil, err
		}
		settled := make(map[int32]int64)
		for partition, o := range commits[topic.Topic] {
			if o.At >= 0 && !m.ts.isOlderTopic(o.Metadata, topic.ID) {
				settled[partition] = o.At
			}
		}
		switch {
		case !m.ts.newToGroup(topic.Topic, topic.ID):
			return settled, nil
		case decides:
			return m.decide(ctx, topic)
		case time.Since(m.since) > m.patience:
			m.ts.o.Log.Warn("no member has decided where the group begins: reading from the first record", "topic", topic.Topic)
			return nil, nil
		}
		if err := retry.Sleep(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// decide resolves the start position for all partitions of a topic and commits it.
func (m *member) decide(ctx context.Context, topic kadm.TopicDetail) (map[int32]int64, error) {
	topics := kadm.TopicDetails{topic.Topic: topic}
	offsets, skipped, err := m.ts.startOffsets(ctx, m.ts.admin, topics)
	if err != nil {
		return nil, err
	}
	if err := m.commit(ctx, topic.ID, offsets[topic.Topic]); err != nil {
		return nil, fmt.Errorf("committing where group %q begins: %w", m.ts.o.Group, err)
	}
	m.ts.began([]string{topic.Topic}, skipped)
	settled := make(map[int32]int64)
	for partition, o := range offsets[topic.Topic] {
		settled[partition] = o.At
	}
	return settled, nil
}

// commit commits offsets as the current member. A member may commit offsets of partitions that others own, but only
// while it is in the group.
func (m *member) commit(ctx context.Context, id kadm.TopicID, offsets map[int32]kadm.Offset) error {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = m.ts.o.Group
	req.MemberID, req.Generation = m.client.GroupMetadata()
	if m.instanceID != "" {
		req.InstanceID = &m.instanceID
	}
	t := kmsg.NewOffsetCommitRequestTopic()
	t.TopicID = id
	for partition, o := range offsets {
		t.Topic = o.Topic
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.Metadata = partition, o.At, &o.Metadata
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, m.client)
	if err != nil {
		return err
	}
	return CommitError(resp)
}

// endOffsets holds the ends of partitions, without those that could not be listed.
type endOffsets kadm.ListedOffsets

// end returns where a partition ends, -1 if unknown.
func (e endOffsets) end(topic string, partition int32) int64 {
	if o, ok := kadm.ListedOffsets(e).Lookup(topic, partition); ok && o.Err == nil {
		return o.Offset
	}
	return -1
}

// endsTimeout limits the wait for end offsets when partitions are assigned: a missing leader must not hold up the
// partitions of the others.
const endsTimeout = time.Second

// ends lists where the partitions end. It looks a second time if brokers did not answer in time, or if a commit seems to be
// beyond the end: a newly elected leader may not know yet how far its log is committed.
func (m *member) ends(ctx context.Context, names []string, offsets map[string]map[int32]kgo.Offset) endOffsets {
	for try := 1; ; try++ {
		attempt, cancel := context.WithTimeout(ctx, m.wait)
		listed, err := m.ts.admin.ListEndOffsets(attempt, names...)
		cancel()
		if err != nil {
			m.ts.o.Log.Debug("listing end offsets", "error", err)
		}
		ends, beyond := endOffsets(listed), false
		for name, partitions := range offsets {
			for partition := range partitions {
				end := ends.end(name, partition)
				beyond = beyond || end >= 0 && m.commits[kadm.Partition{Topic: name, Partition: partition}].offset > end
			}
		}
		switch {
		case try == 2, err == nil && !beyond:
			return ends
		case beyond && retry.Sleep(ctx, endsTimeout) != nil:
			return ends
		}
	}
}
