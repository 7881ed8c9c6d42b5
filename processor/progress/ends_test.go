package progress

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// A partition that cannot be listed must not make the sum fall: that would look like a counter reset, and the following
// rise like new records.
func TestInputEndsKeepWhatIsKnown(t *testing.T) {
	var e Ends
	listed := func(offsets ...int64) kadm.ListedOffsets {
		all := kadm.ListedOffsets{"a": {}}
		for i, offset := range offsets {
			o := kadm.ListedOffset{Topic: "a", Partition: int32(i), Offset: offset}
			if offset < 0 {
				o.Err = errors.New("no leader")
			}
			all["a"][int32(i)] = o
		}
		return all
	}
	f := func(want string, offsets ...int64) {
		t.Helper()
		e.Set(listed(offsets...))
		if got := fmt.Sprint(e.All()); got != want {
			t.Errorf("%v: %s, want %s", offsets, got, want)
		}
	}
	f("[]", -1, 5)
	f("[{a 2 15}]", 10, 5)
	f("[{a 2 15}]", -1, 8)
	f("[{a 2 18}]", 10, 8)
}
