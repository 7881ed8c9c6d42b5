package rebuild

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/processor/topics"
)

// Of two records of one time, that of the lower partition comes first, so that every run has the same order.
func TestBefore(t *testing.T) {
	at := func(partition int32, second int64) *lane {
		return &lane{partition: partition, queue: []*kgo.Record{record("a", partition, second)}}
	}
	for _, test := range []struct {
		a, b *lane
		want bool
	}{{at(1, 1), at(0, 2), true}, {at(0, 2), at(1, 1), false}, {at(0, 1), at(1, 1), true}, {at(1, 1), at(0, 1), false}, {at(1, 1), at(1, 1), false}} {
		if got := before(test.a, test.b); got != test.want {
			t.Errorf("%v before %v: %v", *test.a.queue[0], *test.b.queue[0], got)
		}
	}
}

// What comes at or after the end of a span is not read, nor is what ends a transaction, and either may complete a span.
func TestAddWithinTheSpan(t *testing.T) {
	l := &lane{span: span{0, 3}}
	m := &merge{lanes: map[int32]*lane{0: l}}
	end := &kgo.Record{Offset: 1, Attrs: kgo.RecordAttrs{}}
	for _, r := range []*kgo.Record{{Offset: 0}, end, {Offset: 3}} {
		if l.done() {
			t.Errorf("done before offset %d", r.Offset)
		}
		m.add(r)
	}
	if len(l.queue) != 2 || l.queue[1] != end || !l.done() || l.start != 4 {
		t.Errorf("%d records wait, the next is %d", len(l.queue), l.start)
	}
}

// An error of what takes the records ends the merge.
func TestMergeEnds(t *testing.T) {
	broken := errors.New("broken")
	m := merge{lanes: map[int32]*lane{0: {queue: []*kgo.Record{record("a", 0, 1), record("a", 0, 2)}}}}
	taken := 0
	if err := m.each(t.Context(), func(*kgo.Record) error { taken++; return broken }); !errors.Is(err, broken) || taken != 1 {
		t.Errorf("%d records, %v", taken, err)
	}
}

// More accounts than are remembered are an error; those that are known are none.
func TestTooManyAccounts(t *testing.T) {
	p := &Placement{newest: make(map[string]place, maxAccounts)}
	for n := range maxAccounts {
		p.newest[strconv.Itoa(n)] = place{}
	}
	if err := p.see(record("7", 0, 1)); err != nil {
		t.Errorf("a known account: %v", err)
	}
	if err := p.see(record("new", 0, 1)); err == nil || !strings.Contains(err.Error(), "more than 2000000 accounts") {
		t.Errorf("a new account: %v", err)
	}
}

// The reason told is what a broker says, the first of several, and otherwise the first of all.
func TestProduced(t *testing.T) {
	result := func(topic string, err error) kgo.ProduceResult {
		return kgo.ProduceResult{Record: &kgo.Record{Topic: topic}, Err: err}
	}
	broken := errors.New("broken")
	for want, results := range map[string]kgo.ProduceResults{
		`topic "b": ` + kerr.MessageTooLarge.Error(): {result("a", broken), result("b", kerr.MessageTooLarge), result("c", kerr.TopicAuthorizationFailed)},
		`topic "a": broken`:                          {result("z", nil), result("a", broken), result("b", errors.New("other"))},
	} {
		if err := produced(results); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := produced(kgo.ProduceResults{result("a", nil)}); err != nil {
		t.Error(err)
	}
}

// A partition whose records wait for older ones of another does not fill the memory, and goes on when it is its turn.
//
// Guards: PauseFetchPartitions and ResumeFetchPartitions in fetch.
func TestMergePauses(t *testing.T) {
	t.Parallel()
	const n = 6 * maxQueued
	c := processortest.New(t, kfake.SeedTopics(2, alertTopic))
	for partition := range int32(2) {
		var records []*kgo.Record
		for i := range int64(n) {
			r := record("a", partition, i+n*int64(1-partition)) // those of partition 1 are older
			r.Topic = alertTopic
			records = append(records, r)
		}
		for batch := range slices.Chunk(records, 100) { // a fetch takes whole ones
			c.Produce(batch...)
		}
	}
	r := &Rebuild{Topics: topics.Rebuild{Input: alertTopic}, NewClient: func(opts ...kgo.Opt) (*kgo.Client, error) {
		return c.Client(append(opts, kgo.FetchMaxPartitionBytes(64<<10))...), nil // some hundred records
	}}
	m, err := r.newMerge(map[int32]span{0: {0, n}, 1: {0, n}})
	if err != nil {
		t.Fatal(err)
	}
	next, most := int64(0), 0
	err = m.each(t.Context(), func(r *kgo.Record) error {
		if at := r.Timestamp.Unix(); at != next {
			t.Fatalf("the record of second %d comes, want that of %d", at, next)
		}
		next++
		most = max(most, len(m.lanes[0].queue))
		return nil
	})
	if err != nil || next != 2*n || most >= n {
		t.Errorf("%d records of %d, of which %d waited: %v", next, 2*n, most, err)
	}
}

// A transaction that fails on the way ends the rebuild: what it held is not written later.
func TestGroupFailsOnTheWay(t *testing.T) {
	t.Parallel()
	r, c := newRebuild(t)
	p := prepare(t, r)
	b, err := r.newBuilder()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.begin(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	b.taken = alertsPerTransaction - 1
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.TransactionalIDAuthorizationFailed, Count: 1})
	if err := b.group(t.Context(), p); !errors.Is(err, kerr.TransactionalIDAuthorizationFailed) {
		t.Errorf("got %v", err)
	}
}

// Every client is closed.
func TestClientsAreClosed(t *testing.T) {
	t.Parallel()
	r, _ := newRebuild(t)
	var mu sync.Mutex
	var clients []*kgo.Client
	works := r.NewClient
	r.NewClient = func(opts ...kgo.Opt) (*kgo.Client, error) {
		client, err := works(opts...)
		mu.Lock()
		defer mu.Unlock()
		clients = append(clients, client)
		return client, err
	}
	if err := r.Build(t.Context(), prepare(t, r)); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for i, client := range clients {
		if client.Ping(t.Context()) == nil {
			t.Errorf("client %d of %d works on", i+1, len(clients))
		}
	}
}
