package cli

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/display"
)

// NewLogger returns the logger that the settings describe. Both formats escape text from events and brokers.
func NewLogger(w io.Writer, s *config.Settings) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		panic("BUG: log-level: " + err.Error())
	}
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "text" || s.LogFormat == "auto" && display.IsTerminal(w) {
		return slog.New(newQuietHandler(slog.NewTextHandler(w, options)))
	}
	return slog.New(newQuietHandler(slog.NewJSONHandler(display.EscapeJSON(w), options)))
}

// quietFor is how long an identical entry is suppressed.
const quietFor = 30 * time.Second

// maxQuiet bounds the number of remembered entries.
const maxQuiet = 512

// quietHandler suppresses repeated warnings and errors and adds the number suppressed: while a broker is down, the Kafka
// client logs one per attempt.
type quietHandler struct {
	slog.Handler
	quiet *quiet
}

// quiet remembers recent entries. All handlers derived from one share it.
type quiet struct {
	mu   sync.Mutex
	last map[string]*lately
}

type lately struct {
	until time.Time
	kept  int
}

// newQuietHandler returns a quietHandler that writes to inner.
func newQuietHandler(inner slog.Handler) slog.Handler {
	return quietHandler{inner, &quiet{last: map[string]*lately{}}}
}

// Handle writes the entry unless an identical one was written recently.
func (h quietHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return h.Handler.Handle(ctx, r)
	}
	kept, write := h.quiet.note(entryKey(r), r.Time)
	if !write {
		return nil
	}
	if kept > 0 {
		r.AddAttrs(slog.Int("repeated", kept))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(attrs), h.quiet}
}

// WithGroup implements slog.Handler.
func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name), h.quiet}
}

// telling are the attributes that distinguish entries with the same text. Other attributes, such as the number of an
// attempt or a port in an error, differ on every repetition.
var telling = []string{"broker", "addr", "topic", "partition", "group", "warning", "setting", "folder"}

// entryKey returns the same key for repetitions of an entry.
func entryKey(r slog.Record) string {
	key, fault, ofPolicy := r.Level.String()+r.Message, "", false
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case slices.Contains(telling, a.Key):
			key += "\x00" + a.Value.String()
		case a.Key == "error":
			fault = a.Value.String()
		case a.Key == "policy_hash":
			ofPolicy = true
		}
		return true
	})
	if ofPolicy { // its error names a mistake: another one must not be missed. The text may be long
		sum := sha256.Sum256([]byte(fault))
		key += "\x00" + string(sum[:])
	}
	return key
}

// note reports whether to write an entry, and how many identical ones were suppressed before it.
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
