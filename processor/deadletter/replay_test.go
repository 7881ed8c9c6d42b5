package deadletter

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A replayed record keeps its first identity; headers of any other form give it none.
//
// Guard: ReplayIdentity checks the form of all three.
func TestReplayIdentity(t *testing.T) {
	f := func(want string, pairs ...string) {
		t.Helper()
		got := ""
		if identity := ReplayIdentity(headersOf(pairs...)); identity != nil {
			got = identity()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", pairs, got, want)
		}
	}
	f("in/3/42", "replay-count=1", "replay-topic=in", "replay-partition=3", "replay-offset=42")
	longest := strings.Repeat("x", 249)
	f(longest+"/3/42", "replay-topic="+longest, "replay-partition=3", "replay-offset=42")
	f("", "replay-topic=x"+longest, "replay-partition=3", "replay-offset=42")
	f("")
	f("", "trace=x")
	f("", "replay-count=1", "replay-topic=in")
	f("", "replay-topic=in/3", "replay-partition=3", "replay-offset=42")
	f("", "replay-topic=", "replay-partition=3", "replay-offset=42")
	f("", "replay-topic=in", "replay-partition=03", "replay-offset=42")
	f("", "replay-topic=in", "replay-partition=-1", "replay-offset=42")
	f("", "replay-topic=in", "replay-partition=3", "replay-offset=42\n")
}

func TestReplays(t *testing.T) {
	f := func(want int, value string) {
		t.Helper()
		if got := Replays(headersOf("a=b", "replay-count="+value)); got != want {
			t.Errorf("%q: %d, want %d", value, got, want)
		}
	}
	f(0, "")
	f(0, "-1")
	f(0, "x\x1b[2J")
	f(3, "3")
	f(MaxReplays, "99999999999")
	f(0, "99999999999999999999999")
}

// The letters of one input partition go to one partition, whatever their keys; those of its neighbours to others.
func TestPartitioner(t *testing.T) {
	p := Partitioner("dead").ForTopic("dead")
	seen := map[int]bool{}
	for _, partition := range []string{"0", "1", "2", "3"} {
		first := -1
		for _, key := range []string{"", "a", "b", "c"} {
			r := &kgo.Record{Key: []byte(key), Headers: headersOf(HeaderTopic+"=in", HeaderPartition+"="+partition)}
			got := p.Partition(r, 4)
			if first >= 0 && got != first {
				t.Errorf("partition %s: letters go to %d and %d", partition, first, got)
			}
			first = got
		}
		seen[first] = true
	}
	if len(seen) != 4 {
		t.Errorf("4 input partitions share %d of 4", len(seen))
	}
	of := map[int]bool{}
	for _, topic := range []string{"a", "b", "c", "d"} {
		of[p.Partition(&kgo.Record{Headers: headersOf(HeaderTopic+"="+topic, HeaderPartition+"=0")}, 1000)] = true
	}
	if len(of) != 4 {
		t.Errorf("the first partitions of 4 topics share %d of 1000", len(of))
	}
	if got := p.Partition(&kgo.Record{Partition: 2}, 4); got != 2 {
		t.Errorf("what is no letter goes to %d, not to the partition that it names", got)
	}
}
