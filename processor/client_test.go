package processor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kslog"

	"github.com/regionwatch/regionwatch/processor/decompress"
	"github.com/regionwatch/regionwatch/processor/flow"
	"github.com/regionwatch/regionwatch/processor/progress"
)

// Clients share what may be fetched and buffered, and heartbeats leave room for three that are lost.
//
// Guards: the arithmetic of client.go.
func TestClientSettings(t *testing.T) {
	o := validOptions()
	o.Sessions = 3
	if n := o.clients(); n != 1 {
		t.Errorf("%d clients at least once, want 1", n)
	}
	if o.Delivery = ExactlyOnce; o.clients() != 3 {
		t.Errorf("%d clients exactly once, want 3", o.clients())
	}
	for size, want := range map[int]int{1 << 20: 16 << 20, 8 << 20: 16 << 20, 9 << 20: 18 << 20} {
		if o.MaxRecordBytes = size; o.bufferedBytes() != want {
			t.Errorf("records of %d bytes: %d bytes are buffered, want %d", size, o.bufferedBytes(), want)
		}
	}
	for session, want := range map[time.Duration]time.Duration{4 * time.Second: time.Second, 6 * time.Second: 1500 * time.Millisecond, time.Minute: 1500 * time.Millisecond} {
		if o.SessionTimeout = session; o.heartbeat() != want {
			t.Errorf("heartbeat %v in a session of %v, want %v", o.heartbeat(), session, want)
		}
	}
	for _, c := range []struct{ fetch, brokers, clients, want int }{
		{4 << 20, 1, 1, 2 << 20}, {4 << 20, 2, 1, 2 << 20}, {4 << 20, 3, 1, 4 << 20 / 3}, {4 << 20, 2, 4, 512 << 10},
		{4 << 20, 100, 4, minFetchBytes}, {minFetchBytes, 1, 1, minFetchBytes},
	} {
		p := &Processor{o: Options{FetchBytes: c.fetch}, brokers: c.brokers, health: progress.NewHealth(c.clients, time.Second, time.Second)}
		if got := p.fetchShare(); got != int32(c.want) {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// The library's information is for our debug level. What it says of a client that we have closed is no error.
func TestQuietLogger(t *testing.T) {
	for level, want := range map[slog.Level]kgo.LogLevel{slog.LevelDebug: kgo.LogLevelInfo, slog.LevelInfo: kgo.LogLevelWarn} {
		l := quietLogger{ours: slog.New(slog.NewTextHandler(new(lines), &slog.HandlerOptions{Level: level}))}
		if got := l.Level(); got != want {
			t.Errorf("%v: %v, want %v", level, got, want)
		}
	}
	var log lines
	l := quietLogger{kslog.New(log.logger()), nil}
	for err, told := range map[error]int{kgo.ErrClientClosed: 0, fmt.Errorf("joining: %w", kgo.ErrClientClosed): 0, kerr.UnknownMemberID: 1} {
		before := log.count("level=ERROR")
		if l.Log(kgo.LogLevelError, "group manage loop errored", "group", testGroup, "err", err); log.count("level=ERROR")-before != told {
			t.Errorf("%v: %s", err, log.text.String())
		}
	}
}

// The order of brokers is another each time, and none is missing.
func TestShuffled(t *testing.T) {
	brokers := make([]string, 50)
	for i := range brokers {
		brokers[i] = string(rune('A' + i))
	}
	before := slices.Clone(brokers)
	got := shuffled(brokers)
	if slices.Equal(got, before) || !slices.Equal(brokers, before) {
		t.Errorf("%q of %q", got, brokers)
	}
	if slices.Sort(got); !slices.Equal(got, before) {
		t.Errorf("%q of %q", got, before)
	}
}

// The memory that is needed follows from the options.
func TestMemoryNeeds(t *testing.T) {
	o := validOptions()
	o.FetchBytes, o.MaxBatchBytes, o.MaxEventBytes, o.MaxRecordBytes = 1<<20, 10<<20, 5<<20, 9<<20
	o.Delivery, o.Sessions = ExactlyOnce, 3
	want := []int{64 << 20, 2 * decompress.EagerRatio << 20, flow.HeldBytes, 10 << 20, 15 << 20, 3 * 18 << 20, maxDeciders() * 12 << 20}
	needs := o.MemoryNeeds()
	for i, n := range needs {
		if len(needs) != len(want) || n.Bytes != want[i] || n.Why == "" {
			t.Errorf("%d bytes for %q", n.Bytes, n.Why)
		}
	}
	if want := fmt.Sprintf("%d times fetch-bytes", 2*decompress.EagerRatio); !strings.Contains(needs[1].Why, want) {
		t.Errorf("%q, want %q", needs[1].Why, want)
	}
	if none := (Options{}); !slices.Equal(none.MemoryNeeds(), none.withDefaults().MemoryNeeds()) {
		t.Errorf("%+v of no options are not those of the defaults", none.MemoryNeeds())
	}
}

// A client that cannot be made ends Run with an error; it must not look like a clean end.
//
// Guards: the errors of newClient in start, newConsumer in consume and newSession in runSession.
func TestClientThatCannotBeMade(t *testing.T) {
	for _, run := range []func(*Processor, context.Context) error{(*Processor).start, (*Processor).runAtLeastOnce, (*Processor).runExactlyOnce} {
		p, _ := quietProcessor(t, func(o *Options) { o.ClientOpts, o.Sessions = []kgo.Opt{kgo.SeedBrokers()}, 1 })
		mustMention(t, run(p, t.Context()), "making client: ")
	}
}
