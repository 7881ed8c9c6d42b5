package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// quietFor is how long an entry of the Kafka client is not repeated.
const quietFor = 30 * time.Second

// maxQuiet bounds how many entries are remembered.
const maxQuiet = 512

// clientHandler makes the Kafka client's log fit for people: its information is our debugging, and a
// warning that comes with every attempt is written once in a while, with how often it came.
type clientHandler struct {
	slog.Handler
	quiet *quiet
}

// quiet is what was written lately. It is shared by all handlers made of one.
type quiet struct {
	mu   sync.Mutex
	last map[string]*lately
}

type lately struct {
	until time.Time
	kept  int
}

// newClientLogger returns the log for the Kafka client.
func newClientLogger(log *slog.Logger) *slog.Logger {
	return slog.New(clientHandler{log.Handler(), &quiet{last: map[string]*lately{}}})
}

// demoted returns the level at which an entry of the client is written.
func demoted(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return level - 4
	}
	return level
}

// Enabled reports whether entries of the client's level are written.
func (h clientHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, demoted(level))
}

// Handle writes the entry unless the same one was written a moment ago.
func (h clientHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Level = demoted(r.Level)
	if r.Level >= slog.LevelWarn {
		kept, write := h.quiet.note(entryKey(r), r.Time)
		if !write {
			return nil
		}
		if kept > 0 {
			r.AddAttrs(slog.Int("repeated", kept))
		}
	}
	r.AddAttrs(slog.String("component", "kafka-client"))
	return h.Handler.Handle(ctx, r)
}

// WithAttrs returns the handler with the attributes.
func (h clientHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return clientHandler{h.Handler.WithAttrs(attrs), h.quiet}
}

// WithGroup returns the handler with the group.
func (h clientHandler) WithGroup(name string) slog.Handler {
	return clientHandler{h.Handler.WithGroup(name), h.quiet}
}

// entryKey tells entries apart that are not repetitions: by text and broker.
func entryKey(r slog.Record) string {
	key := r.Level.String() + r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "broker" || a.Key == "addr" || a.Key == "topic" {
			key += "\x00" + a.Value.String()
		}
		return true
	})
	return key
}

// note reports whether an entry is to be written, and how many like it were kept back before.
func (q *quiet) note(key string, now time.Time) (kept int, write bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	entry := q.last[key]
	if entry != nil && now.Before(entry.until) {
		entry.kept++
		return 0, false
	}
	if entry == nil {
		if len(q.last) >= maxQuiet {
			clear(q.last)
		}
		entry = &lately{}
		q.last[key] = entry
	}
	kept, entry.kept, entry.until = entry.kept, 0, now.Add(quietFor)
	return kept, true
}
