package deadletters

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor"
)

// seedTopic makes a topic of one partition.
func seedTopic(name string) kfake.Opt { return kfake.SeedTopics(1, name) }

// open has n letters in partition 0 and a transaction open behind them. The client ends it.
func (s *scene) open(n int) *kgo.Client {
	s.t.Helper()
	for i := range n {
		s.Produce(letterRecord(inputTopic, 0, int64(i)))
	}
	client := s.Client(kgo.TransactionalID("open"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := client.BeginTransaction(); err != nil {
		s.t.Fatal(err)
	}
	if err := client.ProduceSync(s.t.Context(), letterRecord(inputTopic, 0, int64(n))).FirstErr(); err != nil {
		s.t.Fatal(err)
	}
	return client
}

// stalledAt is a reading of all that is written, of which partition 0 is read up to an offset.
func (s *scene) stalledAt(offset int64) *reading {
	s.t.Helper()
	topic := s.topic()
	e, err := topic.written(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	span := e[0]
	span.from = offset
	client, err := topic.Client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{letterTopic: {0: kgo.NewOffset().At(offset)}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(client.Close)
	return &reading{topic: &topic, client: client, left: extent{0: span}, total: e.total(), wait: time.Millisecond}
}

// A reader that waits for an abandoned transaction gives up, and says at which offset it is open.
//
// Guards: run asks stalled, which ends after maxStalls.
func TestStalledByTransaction(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.open(2)
	g := s.stalledAt(2)
	err := g.run(t.Context(), func(r *kgo.Record) error { t.Errorf("it reads offset %d", r.Offset); return nil })
	if err == nil || g.stalls != maxStalls || !strings.Contains(err.Error(), "a transaction is open in partition 0 from offset 2 on") {
		t.Errorf("after %d stalls: %v", g.stalls, err)
	}
}

// A reader that gets nothing although all is committed gives up, too.
func TestStalledByBroker(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(letterRecord(inputTopic, 0, 0), letterRecord(inputTopic, 0, 1))
	g := s.stalledAt(1)
	g.stalls = maxStalls - 1
	if err := g.stalled(t.Context()); err == nil || !strings.Contains(err.Error(), "hand out no record of partition 0 from offset 1 on") {
		t.Errorf("%v", err)
	}
}

// A reader whose records retention deletes ends: it reads what is left and waits for nothing.
//
// Guard: stalled looks where the partition begins now.
func TestStalledByRetention(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for i := range 4 {
		s.Produce(letterRecord(inputTopic, 0, int64(i)))
	}
	g := s.stalledAt(0)
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: letterTopic, At: 3})
	admin := kadm.NewClient(s.Client())
	if _, err := admin.DeleteRecords(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	if err := g.stalled(t.Context()); err != nil || len(g.left) != 1 {
		t.Errorf("one is left: %v, %v", err, g.left)
	}
	offsets = nil
	offsets.Add(kadm.Offset{Topic: letterTopic, At: 4})
	if _, err := admin.DeleteRecords(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	if err := g.stalled(t.Context()); err != nil || len(g.left) != 0 {
		t.Errorf("none is left: %v, %v", err, g.left)
	}
}

// The end of the extent is read also where it is the end of a transaction, and what comes later is not.
func TestReadEnds(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	client := s.open(2)
	if err := client.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	topic := s.topic()
	e, err := topic.written(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Produce(letterRecord(inputTopic, 0, 99))
	var last struct{ read, total int64 }
	topic.Progress = func(read, total int64) { last.read, last.total = read, total }
	n := 0
	if err := topic.read(t.Context(), e, func(*kgo.Record) error { n++; return nil }); err != nil || n != 3 {
		t.Errorf("%d records, %v", n, err)
	}
	if last.read != 4 || last.total != 4 { // the marker of the transaction is the fourth
		t.Errorf("progress %+v", last)
	}
	n = 0
	if err := topic.Read(t.Context(), time.Time{}, func(*kgo.Record) error { n++; return ErrEnough }); err != nil || n != 1 {
		t.Errorf("%d records, %v", n, err)
	}
	everything := everything()
	for limit, want := range map[uint64]uint64{0: 4, 2: 2, 4: 4, 5: 4} {
		if tally, err := topic.Count(t.Context(), &everything, limit); err != nil || tally.Letters != want {
			t.Errorf("limit %d: %d letters, want %d, %v", limit, tally.Letters, want, err)
		}
	}
	broken := errors.New("broken")
	if err := topic.Read(t.Context(), time.Time{}, func(*kgo.Record) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// If writing fails and so does the abort, both errors are reported.
//
// Guard: write joins the error of the abort.
func TestAbortFails(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	refuseAbort := true
	s.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge, Count: -1})
	s.ControlKey(int16(kmsg.EndTxn), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		s.KeepControl()
		resp := kreq.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.TransactionalIDAuthorizationFailed.Code
		return resp, nil, refuseAbort
	})
	o := s.replay()
	o.Options.TransactionTimeout, o.Options.DeliveryTimeout = processor.DefaultTransactionTimeout, time.Minute
	w, err := newWriter(t.Context(), &o, func(string) int32 { return 1 << 20 })
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	err = w.write(t.Context(), []*kgo.Record{letterRecord(inputTopic, 0, 0)})
	if !isTooLarge(err) || !errors.Is(err, kerr.TransactionalIDAuthorizationFailed) || !strings.Contains(err.Error(), "aborting a transaction") {
		t.Errorf("%v", err)
	}
}
