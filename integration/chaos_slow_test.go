package integration

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestChaosSlowPartition gives one partition records that take thousands of times longer than those of
// the others: 20 MB log files, compressed, with a thousand alerts in each. The others must not wait for it.
func TestChaosSlowPartition(t *testing.T) {
	c := startCluster(t, 1)
	for _, delivery := range []string{atLeastOnce, exactlyOnce} {
		t.Run(delivery, func(t *testing.T) {
			d := startDrill(t, c, delivery, 6, 1, 300)
			d.load.stop(t)
			d.load = startLoad(t, d.scene, d.ledger, 300, func(n int) int32 { return 1 + int32(n)%5 })
			for range 20 {
				d.produce(t, &kgo.Record{Value: d.logFile(t, 20_000, 1000), Partition: 0})
			}
			d.finish(t)
		})
	}
}

// logFile returns a compressed CloudTrail log file of so many events, some of which alert.
func (d *drill) logFile(t *testing.T, events, alerting int) []byte {
	t.Helper()
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	lines := make([]string, 0, events)
	for i := range events {
		if i%(events/alerting) == 0 {
			lines = append(lines, event(eventID(d.ledger.next(alerts)), "eu-west-3", false))
		} else {
			lines = append(lines, event(eventID(d.ledger.next(passes)), "us-east-1", true))
		}
	}
	if _, err := z.Write([]byte(`{"Records":[` + strings.Join(lines, ",") + `]}`)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
