package rebuild

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// record returns an alert of an account, as of a second.
func record(account string, partition int32, second int64) *kgo.Record {
	return &kgo.Record{
		Partition: partition, Timestamp: time.Unix(second, 0),
		Value: fmt.Appendf(nil, `{"id":"00000000-0000-5000-8000-%012d","ruleId":"r","severity":"High","recipientAccountId":%q}`, second, account),
	}
}

// An account's partition is that of its newest alert, in whatever order they are seen. What has no account stays.
//
// Guards: the timestamps in see; the account in of.
func TestPlacement(t *testing.T) {
	records := []*kgo.Record{
		record("a", 0, 1), record("a", 2, 9), record("a", 0, 5), // newest in 2
		record("b", 2, 1), record("b", 1, 7), record("b", 0, 3), // newest in 1, three partitions
		record("c", 1, 4), record("c", 1, 5), // only there
		record("", 0, 1), record("", 1, 2),
		record("d", 0, 6), record("d", 1, 6), // at the same time
	}
	want := map[string]int32{"a": 2, "b": 1, "c": 1, "d": 1}
	for range 2 {
		p := &Placement{newest: make(map[string]place)}
		for _, r := range records {
			if err := p.see(r); err != nil {
				t.Fatal(err)
			}
		}
		if p.Moved != 3 || p.Alerts != len(records) {
			t.Errorf("%d accounts moved, %d alerts", p.Moved, p.Alerts)
		}
		for account, partition := range want {
			if got := p.of(record(account, 0, 1)); got != partition {
				t.Errorf("account %s is in partition %d, want %d", account, got, partition)
			}
		}
		for _, r := range []*kgo.Record{record("", 3, 1), record("other", 3, 1), {Partition: 3, Value: []byte("{")}} {
			if got := p.of(r); got != 3 {
				t.Errorf("%s is in partition %d", r.Value, got)
			}
		}
		slices.Reverse(records)
	}
}

// Records of several partitions come by timestamp, and those of one in their order.
//
// Guard: before.
func TestMergeOrder(t *testing.T) {
	m := merge{lanes: make(map[int32]*lane)}
	for partition, seconds := range [][]int64{{1, 4, 3, 9}, {2, 2, 8}, {}} {
		l := &lane{partition: int32(partition)}
		for _, second := range seconds {
			l.queue = append(l.queue, record("a", l.partition, second))
		}
		m.lanes[l.partition] = l
	}
	var got []int64
	if err := m.each(t.Context(), func(r *kgo.Record) error {
		got = append(got, r.Timestamp.Unix())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if want := []int64{1, 2, 2, 4, 3, 8, 9}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
