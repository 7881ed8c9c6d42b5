package deadletter

import (
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
)

// replayed returns the letter's record as it is replayed, where it stood when it was last read: with key,
// value and headers as they came, and those that say that it is a replay and of what.
func (l *Letter) replayed() *kgo.Record {
	headers := make([]kgo.RecordHeader, 0, len(l.Headers)+5)
	for _, h := range l.Headers {
		if !isReplayHeader(h.Key) {
			headers = append(headers, h)
		}
	}
	for _, h := range l.firstOrigin() {
		headers = append(headers, kgo.RecordHeader{Key: h.key, Value: []byte(h.value)})
	}
	headers = append(headers, kgo.RecordHeader{Key: processor.ReplayCount, Value: []byte(strconv.Itoa(l.Replays + 1))})
	return &kgo.Record{
		Topic: l.Origin.Topic, Partition: l.Origin.Partition, Offset: l.Origin.Offset, Timestamp: l.Timestamp,
		Key: l.Key, Value: l.Value, Headers: headers,
	}
}

// originHeaders say where a record stood when it was read for the first time.
var originHeaders = []string{processor.ReplayTopic, processor.ReplayPartition, processor.ReplayOffset, processor.ReplayTimestamp}

func isReplayHeader(key string) bool {
	return key == processor.ReplayCount || slices.Contains(originHeaders, key)
}

type textHeader struct{ key, value string }

// firstOrigin returns the origin headers of a replay: those of the replay before, if the letter's own headers
// say that there was one, else the place that the letter names.
func (l *Letter) firstOrigin() (list []textHeader) {
	if _, known := l.header(processor.ReplayTopic); l.Replays == 0 || !known {
		return []textHeader{
			{processor.ReplayTopic, l.Origin.Topic},
			{processor.ReplayPartition, strconv.Itoa(int(l.Origin.Partition))},
			{processor.ReplayOffset, strconv.FormatInt(l.Origin.Offset, 10)},
			{processor.ReplayTimestamp, l.Timestamp.UTC().Format(milliseconds)},
		}
	}
	for _, key := range originHeaders {
		if value, ok := l.header(key); ok {
			list = append(list, textHeader{key, value})
		}
	}
	return list
}

// header returns a header of the record's own.
func (l *Letter) header(key string) (value string, ok bool) {
	i := slices.IndexFunc(l.Headers, func(h kgo.RecordHeader) bool { return h.Key == key })
	if i < 0 {
		return "", false
	}
	return string(l.Headers[i].Value), true
}

const milliseconds = "2006-01-02T15:04:05.000Z07:00"

// FirstOrigin returns where the record of a letter with replays stood when it was read for the first time, as its
// headers say. Whoever can write to the input topic can have written them.
func (l *Letter) FirstOrigin() (place string, ok bool) {
	topic, ok := l.header(processor.ReplayTopic)
	partition, _ := l.header(processor.ReplayPartition)
	offset, _ := l.header(processor.ReplayOffset)
	return topic + ":" + partition + ":" + offset, ok
}
