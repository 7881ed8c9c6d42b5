package processor

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/detection"
)

// Records that together take longer than a transaction may are decided in several, however slow they are.
//
// Guards: portion.learn in transact; the portion in both polls; runSession keeps it.
func TestSlowRecordsNeedSeveralTransactions(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	const n = 60
	c.ProduceValues(inputTopic, 1, values(n, "alert %d")...)
	o := exactlyOnce(c)
	o.TransactionTimeout = 1200 * time.Millisecond
	r := start(t, o, holding(func(*detection.Record) { time.Sleep(40 * time.Millisecond) }))
	c.Eventually("all committed", func() bool { return committedToEnd(c, 1) })
	r.mustStop()
	if r.tally.Snapshot().Aborted == 0 {
		t.Error("no transaction was too long: the test tests nothing")
	}
	ids := alertIDs(c.ReadAll(alertTopic))
	for id, times := range ids {
		if times != 1 {
			t.Errorf("alert %s stands %d times", id, times)
		}
	}
	if len(ids) != n {
		t.Errorf("%d alerts, want %d", len(ids), n)
	}
}

// A record whose output takes longer than a transaction may is named in the log, with the setting to change, and is
// committed once brokers are faster.
//
// Guard: Overran in transact.
func TestOneRecordTooSlow(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	fast := make(chan struct{})
	id := c.TopicInfo(deadLetterTopic).TopicID
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if topic := req.(*kmsg.ProduceRequest).Topics[0]; topic.Topic == deadLetterTopic || topic.TopicID == id {
			c.SleepControl(func() {
				select {
				case <-fast:
				case <-time.After(3500 * time.Millisecond):
				}
			})
		}
		return nil, nil, false
	})
	o := exactlyOnce(c)
	o.TransactionTimeout, o.MaxRecordBytes = 3*time.Second, 100_000
	var log lines
	o.Logger = log.logger()
	r := start(t, o)
	value := "bad " + randomText(250_000)
	c.ProduceValues(inputTopic, 1, value) // its dead letter has parts, because the first request only begins the transaction
	c.Eventually("it is logged", func() bool { return log.count("a record takes longer than a transaction may") > 0 })
	close(fast)
	c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
	r.mustStop()
	if log.count("offset=0") == 0 || log.count("transaction_timeout=3s") == 0 {
		t.Error("the line names neither record nor setting")
	}
	if all := letters(t, c); len(all) != 1 || string(all[0].Value) != value {
		t.Errorf("%d dead letters, want one of the whole record", len(all))
	}
}
