package integration

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestKafkaMarkersRemoved has a partition end with transaction markers and with the records of an aborted transaction, and
// removes them as retention does: neither lag nor a loss, until a record that nobody has read is removed.
func TestKafkaMarkersRemoved(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		t.Parallel()
		s := newScene(t, broker, 1)
		producer, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.TransactionalID(s.group+"-producer"), kgo.DefaultProduceTopic(s.input))
		if err != nil {
			t.Fatal(err)
		}
		defer producer.Close()
		transact := func(try kgo.TransactionEndTry, first, n int) {
			t.Helper()
			if err := producer.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			if err := producer.ProduceSync(t.Context(), events(first, n, 1)...).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if err := producer.EndTransaction(t.Context(), try); err != nil {
				t.Fatal(err)
			}
		}
		remove := func() { // all that is there
			t.Helper()
			ends, err := s.admin.ListEndOffsets(t.Context(), s.input)
			if err != nil {
				t.Fatal(err)
			}
			deleted, err := s.admin.DeleteRecords(t.Context(), ends.Offsets())
			if err == nil {
				err = deleted.Error()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		arguments := s.run("--delivery", delivery, "--instance-id", "one", "--sessions", "1")
		p := start(t, arguments...)
		transact(kgo.TryCommit, 0, 5)
		transact(kgo.TryAbort, 100, 5)
		s.haveAlerts(t, 5)
		s.settle(t, time.Minute, p.ended) // to the end: markers and aborted records are done with
		noLag := func() {
			t.Helper()
			eventually(t, time.Minute, func() error {
				if m := p.metrics(t); sum(m, "regionwatch_lag_records") != 0 || sum(m, "regionwatch_lag_seconds") != 0 {
					return fmt.Errorf("lag %v, %v s", sum(m, "regionwatch_lag_records"), sum(m, "regionwatch_lag_seconds"))
				}
				return nil
			})
		}
		noLag()
		remove()
		transact(kgo.TryCommit, 5, 5)
		s.haveAlerts(t, 10)
		s.settle(t, time.Minute, p.ended)
		transact(kgo.TryAbort, 105, 5)
		s.settle(t, time.Minute, p.ended)
		noLag()
		if got := sum(p.metrics(t), "regionwatch_records_dropped_total"); got != 0 {
			t.Errorf("%v records dropped, want none", got)
		}
		p.stop(t)

		remove() // while none runs, and then what nobody has read
		p = start(t, arguments...)
		p.ready(t)
		transact(kgo.TryCommit, 10, 5)
		s.haveAlerts(t, 15)
		s.settle(t, time.Minute, p.ended)
		if got := sum(p.metrics(t), "regionwatch_records_dropped_total"); got != 0 {
			t.Errorf("%v records dropped after a restart, want none", got)
		}
		p.stop(t)
		transact(kgo.TryCommit, 15, 5)
		remove()
		transact(kgo.TryCommit, 20, 5)
		p = start(t, arguments...)
		s.haveAlerts(t, 20)
		if got := sum(p.metrics(t), "regionwatch_records_dropped_total"); got < 5 {
			t.Errorf("%v records dropped, want those that nobody has read", got)
		}
		p.stop(t)
	})
}
