package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// deleteOffsets removes the group's commits for partitions of the input, as brokers do when they have expired.
func (s *scene) deleteOffsets(t *testing.T, partitions ...int32) {
	t.Helper()
	set := kadm.TopicsSet{}
	set.Add(s.input, partitions...)
	eventually(t, time.Minute, func() error {
		deleted, err := s.admin.DeleteOffsets(t.Context(), s.group, set)
		if err != nil {
			return err
		}
		return deleted.Error()
	})
}

// TestKafkaOffsetsGone takes the commits of a group that begins at the latest record: all of them, as when they expire, and
// those of one partition. What is skipped is counted and told; a partition of which only the commit is gone is read from
// its first record.
func TestKafkaOffsetsGone(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		t.Parallel()
		s := newScene(t, broker, 2)
		latest := s.run("--delivery", delivery, "--start", "latest", "--instance-id", "one", "--sessions", "1")
		const skips = "records before the start position are not read"
		run := func(first, alerts int, skipped float64) {
			t.Helper()
			p := start(t, latest...)
			p.ready(t)
			s.produce(t, events(first, 10, 2)...)
			s.haveAlerts(t, alerts)
			s.settle(t, time.Minute, p.ended)
			if got := sum(p.metrics(t), "regionwatch_start_skipped_records_total"); got != skipped {
				t.Errorf("%v records skipped, want %v", got, skipped)
			}
			p.stop(t)
			if warned := strings.Contains(p.log.String(), skips); warned != (skipped > 0) {
				t.Errorf("warned of skipped records: %v, skipped: %v", warned, skipped)
			}
		}
		run(0, 10, 0)

		if deleted, err := s.admin.DeleteGroup(t.Context(), s.group); err != nil || deleted.Err != nil {
			t.Fatal(err, deleted.Err)
		}
		s.produce(t, events(10, 10, 2)...) // while no instance runs
		run(20, 20, 20)

		s.deleteOffsets(t, 1)
		s.produce(t, events(30, 10, 2)...)
		run(40, 45, 0) // 10 to 14 of the skipped ones are in partition 1: read now
	})
}
