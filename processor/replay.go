package processor

import (
	"regexp"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The headers that a record has which was replayed from its dead letter, beside its own. Numbers are decimal
// text; the origin is where the record stood when it was read for the first time.
//
// Whoever may write to the input topic may write them too. They choose the identity of alerts for events that
// have no eventID, which the same writer chooses by the event's account and eventID otherwise, and how often a
// dead letter says that it was replayed. The origin in alerts and dead letters is never taken from them.
const (
	ReplayCount     = "replay-count" // of replays, this one included
	ReplayTopic     = "replay-topic"
	ReplayPartition = "replay-partition"
	ReplayOffset    = "replay-offset"
	ReplayTimestamp = "replay-timestamp" // RFC 3339 in UTC with milliseconds
)

// MaxReplays bounds what is believed of a number of replays.
const MaxReplays = 1_000_000

// Replays returns how often the record with these headers has been replayed, 0 where they do not say.
func Replays(headers []kgo.RecordHeader) int {
	n, err := strconv.Atoi(replayHeader(headers, ReplayCount))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, MaxReplays)
}

func replayHeader(headers []kgo.RecordHeader, key string) string {
	for i := range headers {
		if headers[i].Key == key {
			return string(headers[i].Value)
		}
	}
	return ""
}

var (
	topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)
	number    = regexp.MustCompile(`^(0|[1-9][0-9]{0,18})$`)
)

// replayIdentity returns what names a replayed record for good, in the form that detection.Record writes for
// one that was never replayed: the events in it keep their alerts' ids. It is nil for any other record.
func replayIdentity(headers []kgo.RecordHeader) func() string {
	topic := replayHeader(headers, ReplayTopic)
	if topic == "" {
		return nil
	}
	partition, offset := replayHeader(headers, ReplayPartition), replayHeader(headers, ReplayOffset)
	if !topicName.MatchString(topic) || !number.MatchString(partition) || !number.MatchString(offset) {
		return nil
	}
	return func() string { return topic + "/" + partition + "/" + offset }
}
