package deadletter

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// The headers that a replayed record has beside its own. Numbers are decimal text; the origin is where the record
// stood when it was first read.
//
// Anyone who can write to the input topic can write them too. They then choose the identity of alerts for events
// without an eventID (they already choose it for all others, through account and eventID), and how many replays a
// dead letter reports. The origin in alerts and dead letters is never taken from them.
const (
	ReplayCount     = "replay-count" // of replays, this one included
	ReplayTopic     = "replay-topic"
	ReplayPartition = "replay-partition"
	ReplayOffset    = "replay-offset"
	ReplayTimestamp = "replay-timestamp" // RFC 3339 in UTC with milliseconds
)

// originHeaders say where a record stood when it was first read.
var originHeaders = []string{ReplayTopic, ReplayPartition, ReplayOffset, ReplayTimestamp}

// MaxReplays is the largest number of replays that is believed.
const MaxReplays = 1_000_000

// Replays returns how often the record with these headers has been replayed, 0 if they do not say.
func Replays(headers []kgo.RecordHeader) int {
	text, _ := find(headers, ReplayCount)
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return min(max(n, 0), MaxReplays)
}

// find returns the first header with a key.
func find(headers []kgo.RecordHeader, key string) (value string, ok bool) {
	for i := range headers {
		if headers[i].Key == key {
			return string(headers[i].Value), true
		}
	}
	return "", false
}

var (
	topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)
	number    = regexp.MustCompile(`^(0|[1-9][0-9]{0,18})$`)
)

// maxTopicName is Kafka's bound (org.apache.kafka.common.internals.Topic). As part of the expression it would take a
// quarter of a megabyte for as long as the process runs.
const maxTopicName = 249

// ReplayIdentity returns the lasting name of a replayed record, in the form that detection.Record writes for one
// that was never replayed, so that the events in it keep their alerts' ids. It is nil for any other record.
func ReplayIdentity(headers []kgo.RecordHeader) func() string {
	topic, _ := find(headers, ReplayTopic)
	if topic == "" {
		return nil
	}
	partition, _ := find(headers, ReplayPartition)
	offset, _ := find(headers, ReplayOffset)
	if len(topic) > maxTopicName || !topicName.MatchString(topic) || !number.MatchString(partition) || !number.MatchString(offset) {
		return nil
	}
	return func() string { return topic + "/" + partition + "/" + offset }
}

// Replayed returns the letter's record for its replay, at the place where it was last read: with key, value and
// headers as they came, and the replay headers.
func (l *Letter) Replayed() *kgo.Record {
	headers := make([]kgo.RecordHeader, 0, len(l.Headers)+5)
	for _, h := range l.Headers {
		if h.Key != ReplayCount && !slices.Contains(originHeaders, h.Key) {
			headers = append(headers, h)
		}
	}
	headers = append(headers, l.originHeaders()...)
	headers = append(headers, header(ReplayCount, strconv.Itoa(l.Replays+1)))
	return &kgo.Record{
		Topic: l.Origin.Topic, Partition: l.Origin.Partition, Offset: l.Origin.Offset, Timestamp: l.Timestamp,
		Key: l.Key, Value: l.Value, Headers: headers,
	}
}

// originHeaders returns the origin headers of a replay: those of the replay before if there was one, else the
// letter's origin.
func (l *Letter) originHeaders() (list []kgo.RecordHeader) {
	if _, known := find(l.Headers, ReplayTopic); l.Replays == 0 || !known {
		return []kgo.RecordHeader{
			header(ReplayTopic, l.Origin.Topic),
			header(ReplayPartition, strconv.Itoa(int(l.Origin.Partition))),
			header(ReplayOffset, strconv.FormatInt(l.Origin.Offset, 10)),
			header(ReplayTimestamp, l.Timestamp.UTC().Format(alert.TimestampLayout)),
		}
	}
	for _, key := range originHeaders {
		if value, ok := find(l.Headers, key); ok {
			list = append(list, header(key, value))
		}
	}
	return list
}

// FirstOrigin returns where the record stood when it was first read, as its replay headers say. Anyone who can
// write to the input topic can have written them.
func (l *Letter) FirstOrigin() (place string, ok bool) {
	topic, ok := find(l.Headers, ReplayTopic)
	partition, _ := find(l.Headers, ReplayPartition)
	offset, _ := find(l.Headers, ReplayOffset)
	return topic + ":" + partition + ":" + offset, ok
}
