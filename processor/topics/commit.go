package topics

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The keys in the metadata of a commit, but for inputsKey.
const (
	topicKey   = "topic-id="
	clusterKey = ",cluster-id="
)

// commitMetadata returns the metadata of a commit for a topic, empty if the brokers have no topic ids. The group begins in
// some topics by this commit.
func (ts *Topics) commitMetadata(id kadm.TopicID, begins ...string) string {
	if id == (kadm.TopicID{}) {
		return ""
	}
	return ts.commitIDs(id) + ts.knownInputs(begins)
}

// commitIDs returns the part of the metadata that says whose commit it is.
func (ts *Topics) commitIDs(id kadm.TopicID) string {
	return topicKey + topicID(id) + clusterKey + ts.cluster
}

// cutMetadata returns the parts of a commit's metadata, and whether it is one of ours, on this cluster.
func (ts *Topics) cutMetadata(metadata string) (ids, inputs string, ours bool) {
	ids, inputs, _ = strings.Cut(metadata, inputsKey)
	_, cluster, _ := strings.Cut(ids, clusterKey)
	return ids, inputs, strings.HasPrefix(ids, topicKey) && cluster == ts.cluster
}

// isOlderTopic reports whether a commit belongs to another topic than the one with this id. Commits without an id, such as those
// that an administrator sets, are trusted. So are those of another cluster: MirrorMaker translates their offsets and copies
// their metadata.
func (ts *Topics) isOlderTopic(metadata string, id kadm.TopicID) bool {
	ids, _, ours := ts.cutMetadata(metadata)
	return ours && id != (kadm.TopicID{}) && ids != ts.commitIDs(id)
}

// tagCommits makes clients created with ctx write the ids of topic and cluster into the metadata of their commits, and refuses
// a commit in another topic than the one in which the member found where to begin.
func (m *member) tagCommits(ctx context.Context) context.Context {
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i := range req.Topics {
			t := &req.Topics[i]
			metadata, err := m.metadata(t.Topic, t.TopicID)
			if err != nil {
				return err
			}
			for j := range t.Partitions {
				t.Partitions[j].Metadata = &metadata
			}
		}
		return nil
	})
	return kgo.PreTxnCommitFnContext(ctx, func(req *kmsg.TxnOffsetCommitRequest) error {
		for i := range req.Topics {
			t := &req.Topics[i]
			metadata, err := m.metadata(t.Topic, t.TopicID)
			if err != nil {
				return err
			}
			for j := range t.Partitions {
				t.Partitions[j].Metadata = &metadata
			}
		}
		return nil
	})
}

// metadata returns the metadata of a commit, or an error if the client reads another topic than adjust has seen: it was
// created again in between. The client asks by name where the old offset is in the new topic, gets its end, and goes on there.
func (m *member) metadata(name string, id kadm.TopicID) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seen := m.seen[name]; seen != (kadm.TopicID{}) && id != (kadm.TopicID{}) && seen != id {
		return "", fmt.Errorf("topic %q was created again after its commits were read: %w", name, kerr.UnknownTopicID)
	}
	return m.ts.commitMetadata(id), nil
}

// CommitError returns the first error of a commit.
func CommitError(resp *kmsg.OffsetCommitResponse) error {
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("topic %q partition %d: %w", t.Topic, p.Partition, err)
			}
		}
	}
	return nil
}
