package topics

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/regionwatch/regionwatch/processor/retry"
)

// known holds the topics in which the group has begun, for good: it has commits in them, or reads them from their first
// record. The start position never applies to them again.
type known struct {
	mu     sync.Mutex
	topics map[string]bool
}

func (k *known) add(topics ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, topic := range topics {
		k.topics[topic] = true
	}
}

func (k *known) has(topic string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.topics[topic]
}

// list returns the known topics, sorted.
func (k *known) list() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.topics))
}

// Brokers delete the commits in a topic with it. If it is created again while no instance runs, only the commits in other
// topics can tell that it is not new to the group. Therefore each commit names the input topics that the group knows.
const (
	inputsKey   = ",inputs="
	inputsSep   = "."
	everyInput  = "*"  // more than fit: also those that the group does not know
	inputsLimit = 1000 // bytes, about 140 topics; brokers take 4096 of metadata, unless they are set to less
)

// knownInputs returns the part of the metadata that names the inputs that the group knows, with those in which it begins by
// this commit. There is none with patterns, for which any commit tells enough, and none with one input.
func (ts *Topics) knownInputs(begins []string) string {
	if ts.o.Pattern || len(ts.o.Inputs) < 2 {
		return ""
	}
	var names []string
	for _, topic := range ts.o.Inputs {
		if ts.known.has(topic) || slices.Contains(begins, topic) {
			names = append(names, shortName(topic))
		}
	}
	list := strings.Join(names, inputsSep)
	if len(list) > inputsLimit {
		list = everyInput
	}
	return inputsKey + list
}

// shortName returns six letters for a topic. Two topics may share them: then one that is new is read from its first record.
func shortName(topic string) string {
	h := fnv.New32a()
	h.Write([]byte(topic))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// learn adds the topics that have commits of the group, and those that commits name. Commits of another cluster name none: the
// topic is not lost there, and where nothing was translated the start position applies.
func (ts *Topics) learn(commits kadm.OffsetResponses) {
	lists := make(map[string]bool) // few: most commits have the same
	for topic, partitions := range commits {
		if hasCommit(partitions) {
			ts.known.add(topic)
		}
		for _, o := range partitions {
			if _, inputs, ours := ts.cutMetadata(o.Metadata); ours {
				lists[inputs] = true
			}
		}
	}
	for list := range lists {
		names := strings.Split(list, inputsSep)
		for _, topic := range ts.o.Inputs {
			if list == everyInput || slices.Contains(names, shortName(topic)) {
				ts.known.add(topic)
			}
		}
	}
}

// learnFromMembers adds those topics that members of the group read, unless the group commits offsets in them soon. Without
// commits they were deleted and created again while those members ran, which commits in other topics cannot tell if there are
// none. Members count as long as the group has not lost them, those of our own former life too.
func (ts *Topics) learnFromMembers(ctx context.Context, admin *kadm.Client, topics []string) error {
	read := make(map[string]bool)
	for since := time.Now(); ; {
		stable, err := ts.readByMembers(ctx, admin, topics, read)
		if err != nil {
			return err
		}
		if _, err := ts.groupCommits(ctx, admin); err != nil {
			return err
		}
		maps.DeleteFunc(read, func(topic string, _ bool) bool { return ts.known.has(topic) })
		if stable && len(read) == 0 || time.Since(since) > ts.knownPatience {
			break
		}
		if err := retry.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	ts.known.add(slices.Collect(maps.Keys(read))...)
	return nil
}

// knownPatience is how long a member that joined just before us has to decide where the group begins, and the group to end a
// rebalance, in which brokers do not tell what members read. It is less than retry.AttemptTimeout.
const knownPatience = 7 * time.Second

// readByMembers adds to read the topics that members of the group read, and reports whether all members said so.
func (ts *Topics) readByMembers(ctx context.Context, admin *kadm.Client, topics []string, read map[string]bool) (stable bool, err error) {
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
		for _, topic := range topics {
			if ok && slices.Contains(joined.Topics, topic) {
				read[topic] = true
			}
		}
	}
	return len(group.Members) == 0 || group.State == "Stable", nil
}
