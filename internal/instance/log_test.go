package instance

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/regionwatch/regionwatch/processor"
)

// scripted is a processor whose status and readiness a test sets.
type scripted struct {
	status processor.Status
	ready  error
}

// Status implements Progress.
func (s *scripted) Status() processor.Status { return s.status }

// Ready implements Progress.
func (s *scripted) Ready() error { return s.ready }

// One line for each change, none without a change, and a summary for each interval.
func TestLogProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		p := &scripted{ready: errors.New("no partitions")}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			LogProgress(ctx, p, time.Hour, slog.New(slog.NewTextHandler(&log, nil)))
		}()
		after := func(d time.Duration, want ...string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
			if log.Len() == 0 {
				lines = nil
			}
			if len(lines) != len(want) {
				t.Errorf("%d lines, want %d: %s", len(lines), len(want), log.String())
			}
			for _, w := range want {
				if !strings.Contains(log.String(), w) {
					t.Errorf("lacks %q: %s", w, log.String())
				}
			}
			log.Reset()
		}
		after(10 * time.Second)
		p.status.Assigned, p.status.Partitions = 1, []processor.PartitionStatus{{Topic: "a", Partition: 3, Next: -1}}
		after(2 * time.Second) // the offset is not known yet
		p.status.Partitions[0].Next = 42
		after(2*time.Second, `msg="partitions assigned" partitions=1 next_offsets=a:3:42`)
		p.ready = nil
		after(2*time.Second, "msg=ready")
		p.ready = errors.New("lost")
		after(2*time.Second, `level=WARN msg="not ready" error=lost`)
		p.ready, p.status.Counts.Events, p.status.Acked, p.status.Lag = nil, 10, 2, 5
		after(2*time.Second, "msg=ready")
		after(time.Hour, "msg=summary seconds=3600 events=10 alerts=2 dead_letters=0 shadowed=0 exempted=0 partitions=1 lag=5")
		after(time.Hour, "events=0 alerts=0")
		cancel()
		<-ended
	})
}
