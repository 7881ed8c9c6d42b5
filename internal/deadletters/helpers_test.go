package deadletters

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

func TestMain(m *testing.M) { processortest.Main(m) }

const (
	inputTopic  = "cloudtrail"
	alertTopic  = "alerts"
	letterTopic = "dead-letters"
)

// scene is an embedded broker with the topics, and the options that everything in it shares.
type scene struct {
	*processortest.Cluster
	t *testing.T
	o processor.Options
}

func newScene(t *testing.T, opts ...kfake.Opt) *scene {
	t.Helper()
	c := processortest.New(t, append([]kfake.Opt{kfake.SeedTopics(2, inputTopic, alertTopic, letterTopic)}, opts...)...)
	p, err := policy.Compile(policy.Options{Default: policy.Level{UnusedRegions: []string{"eu-central-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	return &scene{c, t, processor.Options{
		Brokers: c.ListenAddrs(), InputTopics: []string{inputTopic}, AlertTopic: alertTopic, DeadLetterTopic: letterTopic,
		Group: "regionwatch", Policy: func() *policy.Policy { return p },
	}}
}

// smallEvents is a bound that the records here keep within, but not with what they hold.
var smallEvents = len(packed(event("0000"))) + 40

// run runs a processor over all that is in the input topic; maxEventBytes 0 means that all can be read.
func (s *scene) run(maxEventBytes int) {
	s.t.Helper()
	o := s.o
	o.MaxEventBytes = maxEventBytes
	p, err := processor.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	last := make(map[int32]int64)
	for _, r := range s.ReadAll(inputTopic) {
		last[r.Partition] = r.Offset
	}
	s.Eventually("all is committed", func() bool {
		for p, offset := range last {
			if s.Committed("regionwatch", inputTopic, p) <= offset {
				return false
			}
		}
		return true
	})
	cancel()
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
}

// event is one that alerts. An id of "" leaves it out.
func event(id string) string {
	if id != "" {
		id = `"eventID":"` + id + `",`
	}
	return `{"eventVersion":"1.08",` + id + `"awsRegion":"eu-central-1","readOnly":false,"recipientAccountId":"123456789012"}`
}

// packed compresses a text, so that its size is within a bound or not.
func packed(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

// fail writes n records in turn to both partitions of the input that a first run cannot read for their size,
// and has it fail; their events have the ids 0 to n-1. Each has two letters: that it is too large, and that what
// was read of it ends in the middle.
func (s *scene) fail(n int) {
	s.t.Helper()
	for i := range n {
		s.Produce(&kgo.Record{Topic: inputTopic, Partition: int32(i % 2), Value: packed(event(fmt.Sprint(i))), Key: []byte("key")})
	}
	s.run(smallEvents)
	if letters := s.letters(); len(letters) != 2*n {
		s.t.Fatalf("%d letters, want %d", len(letters), 2*n)
	}
}

// letters are those that stand in the topic, without markers.
func (s *scene) letters() (letters []*deadletter.Letter) {
	s.t.Helper()
	for _, r := range s.ReadAll(letterTopic) {
		if deadletter.IsMarker(r) {
			continue
		}
		l, err := deadletter.Parse(r)
		if err != nil {
			s.t.Fatal(err)
		}
		letters = append(letters, l)
	}
	return letters
}

// topic returns the dead-letter topic, reached with more options.
func (s *scene) topic(more ...kgo.Opt) Topic {
	return Topic{Name: letterTopic, Client: func(opts ...kgo.Opt) (*kgo.Client, error) {
		opts = append(opts, kgo.SeedBrokers(s.ListenAddrs()...), kgo.FetchMaxWait(50*time.Millisecond), kgo.MetadataMinAge(50*time.Millisecond))
		return kgo.NewClient(append(opts, more...)...)
	}}
}

func (s *scene) replay(change ...func(*Replay)) Replay {
	r := Replay{Topic: s.topic(), Selection: everything(), Options: s.o}
	for _, f := range change {
		f(&r)
	}
	return r
}

// mustReplay replays and wants a number of records replayed.
func (s *scene) mustReplay(want int, change ...func(*Replay)) Summary {
	s.t.Helper()
	summary, err := s.replay(change...).Run(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if summary.Replayed != uint64(want) {
		s.t.Fatalf("%d records were replayed, want %d: %+v", summary.Replayed, want, summary)
	}
	return summary
}

// alerts counts the committed alerts by id.
func (s *scene) alerts() map[string]int {
	s.t.Helper()
	ids := make(map[string]int)
	for _, r := range s.ReadAll(alertTopic) {
		id, _ := processortest.Header(r, output.HeaderAlertID)
		ids[id]++
	}
	return ids
}

// mustAlertOnce wants n alerts, each of another event.
func (s *scene) mustAlertOnce(n int) {
	s.t.Helper()
	ids := s.alerts()
	for id, count := range ids {
		if count != 1 {
			s.t.Errorf("alert %s stands %d times", id, count)
		}
	}
	if len(ids) != n {
		s.t.Errorf("%d alerts, want %d", len(ids), n)
	}
}

// once calls f the first time only.
func once(f func()) func() {
	var o sync.Once
	return func() { o.Do(f) }
}

// limit sets the largest batch that a topic takes.
func (s *scene) limit(topic, maxMessageBytes string) {
	s.t.Helper()
	admin := kadm.NewClient(s.Client())
	set := kadm.AlterConfig{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &maxMessageBytes}
	if _, err := admin.AlterTopicConfigs(s.t.Context(), []kadm.AlterConfig{set}, topic); err != nil {
		s.t.Fatal(err)
	}
}

// everything selects all letters.
func everything() Selection {
	return Selection{OriginPartition: All(), OriginOffset: All(), Partition: All(), Offset: All()}
}
