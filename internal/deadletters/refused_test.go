package deadletters

import (
	"context"
	"errors"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// refuse answers each request to produce with the next error; nil takes what is produced, and all that comes later. It
// returns how many requests there were.
func (s *scene) refuse(answers ...*kerr.Error) *atomic.Int32 {
	var requests atomic.Int32
	s.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		s.KeepControl()
		n := min(int(requests.Add(1)), len(answers)) - 1
		if answers[n] == nil {
			return nil, nil, false
		}
		req := kreq.(*kmsg.ProduceRequest)
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range req.Topics {
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
			for _, p := range topic.Partitions {
				refused := kmsg.NewProduceResponseTopicPartition()
				refused.Partition, refused.ErrorCode = p.Partition, answers[n].Code
				answer.Partitions = append(answer.Partitions, refused)
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
	return &requests
}

// A batch that its topic refuses as too large is replayed record by record. An error of one of them, or a signal after
// one, ends the replay.
func TestReplayOneByOneEnds(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(letterRecord(inputTopic, 0, 0), letterRecord(inputTopic, 0, 1))
	s.refuse(kerr.MessageTooLarge, kerr.TopicAuthorizationFailed)
	if a, err := s.replay(toInput).Run(t.Context()); !errors.Is(err, kerr.TopicAuthorizationFailed) || a.Replayed > 0 {
		t.Errorf("refused: %+v, %v", a, err)
	}
	s = newScene(t)
	s.Produce(letterRecord(inputTopic, 0, 0), letterRecord(inputTopic, 0, 1))
	s.refuse(kerr.MessageTooLarge, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.ControlKey(int16(kmsg.EndTxn), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		if s.KeepControl(); kreq.(*kmsg.EndTxnRequest).Commit {
			cancel()
		}
		return nil, nil, false
	})
	if a, err := s.replay(toInput).Run(ctx); !errors.Is(err, context.Canceled) || a.Replayed != 1 {
		t.Errorf("stopped: %+v, %v", a, err)
	}
}

// A topic that refuses a replay as too large although it fits its limit, which may have changed, gets smaller alerts.
//
// Guard: replay asks the target for smaller records.
func TestReplayMakesSmaller(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(letterRecord(inputTopic, 0, 0))
	refusals := s.refuse(kerr.MessageTooLarge, nil)
	if a := s.mustReplay(1); a.TooLarge != 0 || refusals.Load() < 2 {
		t.Errorf("%+v after %d requests", a, refusals.Load())
	}
	s.mustAlertOnce(1)
}

// The partitions of the input topics are known, or there is an error: a topic whose partitions are not known would count
// as one that does not exist, and its records as failed.
func TestPartitionsOfInputs(t *testing.T) {
	t.Parallel()
	s := newScene(t, seedTopic("trail.eu"))
	admin := func() *kadm.Client { return kadm.NewClient(s.Client()) } // each asks for itself
	literal, pattern := &inputs{names: []string{inputTopic, "gone"}}, &inputs{patterns: []*regexp.Regexp{regexp.MustCompile("^trail")}}
	if got, err := literal.partitions(t.Context(), admin()); err != nil || !maps.Equal(got, map[string]int32{inputTopic: 2}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := pattern.partitions(t.Context(), admin()); err != nil || !maps.Equal(got, map[string]int32{"trail.eu": 1}) {
		t.Errorf("%v, %v", got, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for want, in := range map[string]*inputs{`looking for input topic "cloudtrail": `: literal, "looking for the input topics: ": pattern} {
		if _, err := in.partitions(ended, admin()); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	s.ControlKey(int16(kmsg.Metadata), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		s.KeepControl()
		resp := kreq.ResponseKind().(*kmsg.MetadataResponse)
		host, port, _ := net.SplitHostPort(s.ListenAddrs()[0])
		number, _ := strconv.Atoi(port)
		resp.Brokers = append(resp.Brokers, kmsg.MetadataResponseBroker{Host: host, Port: int32(number)})
		for _, topic := range kreq.(*kmsg.MetadataRequest).Topics {
			refused := kmsg.NewMetadataResponseTopic()
			refused.Topic, refused.ErrorCode = topic.Topic, kerr.TopicAuthorizationFailed.Code
			resp.Topics = append(resp.Topics, refused)
		}
		return resp, nil, true
	})
	if _, err := literal.partitions(t.Context(), admin()); !errors.Is(err, kerr.TopicAuthorizationFailed) || !strings.Contains(err.Error(), inputTopic) {
		t.Errorf("%v", err)
	}
	if a, err := s.replay(toInput).Run(t.Context()); !errors.Is(err, kerr.TopicAuthorizationFailed) || !strings.Contains(err.Error(), "looking for input topic") {
		t.Errorf("a replay goes on: %+v, %v", a, err)
	}
}

// A record that was read goes back to its topic, however large the settings let new ones be.
func TestReplayOfALargeRecord(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.limit(inputTopic, "5000000")
	value := `{"bad ` + noise(2_000_000)
	if err := s.Client(kgo.ProducerBatchMaxBytes(4<<20)).ProduceSync(t.Context(), &kgo.Record{Topic: inputTopic, Value: []byte(value)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s.run(0)
	s.o.MaxRecordBytes = 1_500_000
	s.mustReplay(1, toInput)
	got := s.ReadAll(inputTopic)
	if len(got) != 2 || string(got[1].Value) != value {
		t.Errorf("%d records", len(got))
	}
}

// Without a client nothing is found, which is not the same as that there is nothing.
func TestFindFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	topic := Topic{Name: letterTopic, Client: func(...kgo.Opt) (*kgo.Client, error) { return nil, broken }}
	if _, err := topic.Letter(t.Context(), 0, 0); !errors.Is(err, broken) {
		t.Errorf("by its place: %v", err)
	}
	if _, err := topic.OfRecord(t.Context(), deadletter.Place{}); !errors.Is(err, broken) {
		t.Errorf("by its record: %v", err)
	}
	g := &reading{topic: &topic, left: extent{0: {0, 1}}}
	if err := g.stalled(t.Context()); !errors.Is(err, broken) {
		t.Errorf("in a wait: %v", err)
	}
	empty := newScene(t).topic()
	if _, err := empty.Letter(t.Context(), 0, 0); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "the partition holds no records") {
		t.Errorf("in an empty partition: %v", err)
	}
}

// A read that is cancelled, or that the brokers refuse, has not read to the end.
func TestReadFails(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(letterRecord(inputTopic, 0, 0))
	topic := s.topic()
	e, err := topic.written(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e[1] = struct{ from, to int64 }{0, 1} // which never comes
	topic.Progress = func(read, total int64) {
		if read != 1 || total != 2 {
			t.Errorf("%d of %d are read, want 1 of 2", read, total)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := topic.read(ctx, e, func(*kgo.Record) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	s.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	err = topic.Read(t.Context(), time.Time{}, func(*kgo.Record) error { return nil })
	if !errors.Is(err, kerr.TopicAuthorizationFailed) || !strings.Contains(err.Error(), `reading topic "dead-letters": `) {
		t.Errorf("refused: %v", err)
	}
}

// A batch that is larger than the bound when it is decompressed is refused, and does not fill the memory.
func TestReadBoundsBatches(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(&kgo.Record{Topic: letterTopic, Value: []byte(strings.Repeat("x", 100_000))})
	topic := s.topic()
	for bound, ok := range map[int]bool{0: true, 200_000: true, 10_000: false} {
		topic.MaxBatchBytes = bound
		if err := topic.Read(t.Context(), time.Time{}, func(*kgo.Record) error { return nil }); (err == nil) != ok {
			t.Errorf("at most %d bytes: %v", bound, err)
		}
	}
}

// A record that arrives ends a wait: only waits in a row count.
func TestStallsInARow(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(letterRecord(inputTopic, 0, 0), letterRecord(inputTopic, 0, 1))
	g := s.stalledAt(1)
	g.stalls, g.wait = maxStalls-1, time.Minute
	if err := g.run(t.Context(), func(*kgo.Record) error { return nil }); err != nil || g.stalls != 0 {
		t.Errorf("%d stalls, %v", g.stalls, err)
	}
}

// What comes at or after the end is not read, even where the last offsets before it are missing, and ends the partition.
func TestReadUpToTheEnd(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(letterRecord(inputTopic, 0, 0), letterRecord(inputTopic, 0, 1))
	g := s.stalledAt(0)
	g.left[0] = struct{ from, to int64 }{0, 5}
	var visited []int64
	arrive := func(offsets ...int64) {
		t.Helper()
		var records []*kgo.Record
		for _, offset := range offsets {
			records = append(records, &kgo.Record{Topic: letterTopic, Offset: offset})
		}
		fetches := kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: letterTopic, Partitions: []kgo.FetchPartition{{Records: records}}}}}}
		if err := g.visit(fetches, func(r *kgo.Record) error { visited = append(visited, r.Offset); return nil }); err != nil {
			t.Error(err)
		}
	}
	arrive(0, 2)
	if span := g.left[0]; span.from != 3 || span.to != 5 {
		t.Errorf("left are %+v", span)
	}
	arrive(5, 6)
	if len(g.left) > 0 || !slices.Equal(visited, []int64{0, 2}) {
		t.Errorf("left are %v, visited %v", g.left, visited)
	}
}

// A record is replayed once unless more is allowed, and a marker that cannot be read is counted.
func TestReplayByDefault(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(&kgo.Record{Topic: inputTopic, Value: []byte(`{"bad`)})
	s.run(0)
	s.mustReplay(1)
	for _, r := range s.ReadAll(letterTopic) {
		if deadletter.IsMarker(r) {
			s.Produce(&kgo.Record{Topic: letterTopic, Partition: r.Partition, Headers: r.Headers, Value: []byte("spoiled")})
		}
	}
	s.Produce(&kgo.Record{Topic: letterTopic, Value: []byte("no letter")})
	if a := s.mustReplay(0); a.Refused != 1 || a.Already != 1 || a.Unreadable != 2 {
		t.Errorf("%+v", a)
	}
}

// A topic that does not exist is not empty, nor is one whose offsets the brokers do not tell.
func TestTopicThatCannotBeMeasured(t *testing.T) {
	t.Parallel()
	s := newScene(t, seedTopic("one"))
	one := s.topic()
	one.Name = "one"
	if err := one.Read(t.Context(), time.Time{}, func(*kgo.Record) error { return nil }); err != nil {
		t.Errorf("a topic of one partition: %v", err)
	}
	gone := s.topic()
	gone.Name = "gone"
	none := func(*kgo.Record) error { return nil }
	if err := gone.Read(t.Context(), time.Time{}, none); !errors.Is(err, ErrNoTopic) || !strings.Contains(err.Error(), `topic "gone": `) {
		t.Errorf("%v", err)
	}
	s.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	topic := s.topic()
	err := topic.Read(t.Context(), time.Time{}, none)
	if !errors.Is(err, kerr.TopicAuthorizationFailed) || !strings.Contains(err.Error(), `looking for the offsets of topic "dead-letters": `) {
		t.Errorf("%v", err)
	}
}

// A replay that may not use its transactional id has not begun.
func TestReplayWithoutItsID(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(letterRecord(inputTopic, 0, 0))
	s.ControlKey(int16(kmsg.InitProducerID), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		s.KeepControl()
		resp := kreq.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = kerr.TransactionalIDAuthorizationFailed.Code
		return resp, nil, true
	})
	a, err := s.replay().Run(t.Context())
	if !errors.Is(err, kerr.TransactionalIDAuthorizationFailed) || !strings.Contains(err.Error(), `taking the transactional id "dead-letters-replay": `) || a.Replayed > 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

// A record goes back to the partition it came from: records of one partition are in order.
func TestReplayToTheSamePartition(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for i := range 20 {
		r := letterRecord(inputTopic, i%2, int64(i))
		r.Key, r.Value = []byte(strconv.Itoa(i)), []byte(strconv.Itoa(i%2))
		s.Produce(r)
	}
	s.mustReplay(20, toInput)
	for _, r := range s.ReadAll(inputTopic) {
		if string(r.Value) != strconv.Itoa(int(r.Partition)) {
			t.Errorf("a record of partition %s is in partition %d", r.Value, r.Partition)
		}
	}
}

// However the brokers say that another replay has taken over, the error says so; others stay as they are.
func TestReplaced(t *testing.T) {
	t.Parallel()
	for err, replaced := range map[error]bool{
		kerr.ProducerFenced: true, kerr.InvalidProducerEpoch: true, kerr.TransactionCoordinatorFenced: true, kerr.MessageTooLarge: false,
	} {
		if got := new(writer).explain(err); errors.Is(got, ErrReplaced) != replaced || !errors.Is(got, err) {
			t.Errorf("%v: %v", err, got)
		}
	}
}
