package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/regionwatch/regionwatch/config"
)

// hostile is text that an attacker or a broken broker may send.
const hostile = "a\x1b]0;b\a\x9b2J\u202ec\u200b\U000e0001\r\nd\xff"

// TestLogIsPrintable shows that neither log format can control a terminal, and that JSON still contains what was logged.
func TestLogIsPrintable(t *testing.T) {
	for _, format := range []string{"text", "json", "auto"} {
		var b bytes.Buffer
		log := NewLogger(&b, &config.Settings{LogFormat: format, LogLevel: "info"})
		log.Info(hostile, "key", hostile, "error", fmt.Errorf("from a broker: %s", hostile))
		log.Debug("below the level")
		line := strings.TrimSuffix(b.String(), "\n")
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%s: %q", format, line)
		}
		if format == "text" {
			continue
		}
		var entry map[string]string
		if err := json.Unmarshal(b.Bytes(), &entry); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if want := strings.ToValidUTF8(hostile, "\ufffd"); entry["key"] != want {
			t.Errorf("%s: %q, want %q", format, entry["key"], want)
		}
	}
}

// TestQuietLog shows that a repeated warning is written only once in a while, with the number of repetitions.
func TestQuietLog(t *testing.T) {
	var b bytes.Buffer
	log := NewLogger(&b, &config.Settings{LogFormat: "json", LogLevel: "info"})
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	write := func(after time.Duration, level slog.Level, text string, attrs ...slog.Attr) {
		r := slog.NewRecord(now.Add(after), level, text, 0)
		r.AddAttrs(attrs...)
		if err := log.Handler().Handle(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	one, two := slog.String("broker", "1"), slog.String("broker", "2")
	write(0, slog.LevelInfo, "polling")
	write(0, slog.LevelInfo, "polling")
	write(0, slog.LevelWarn, "unable to dial", one, slog.Int("attempt", 1))
	write(1*time.Second, slog.LevelWarn, "unable to dial", one, slog.Int("attempt", 2))
	write(2*time.Second, slog.LevelWarn, "unable to dial", two)
	write(3*time.Second, slog.LevelError, "unable to dial", one)
	write(29*time.Second, slog.LevelWarn, "unable to dial", one)
	write(30*time.Second, slog.LevelWarn, "unable to dial", one)
	write(31*time.Second, slog.LevelWarn, "unable to dial", one)
	write(90*time.Second, slog.LevelWarn, "unable to dial", one)

	type entry struct {
		Time     time.Time `json:"time"`
		Level    string    `json:"level"`
		Broker   string    `json:"broker"`
		Repeated int       `json:"repeated"`
	}
	want := []entry{
		{now, "INFO", "", 0},
		{now, "INFO", "", 0},
		{now, "WARN", "1", 0},
		{now.Add(2 * time.Second), "WARN", "2", 0},
		{now.Add(3 * time.Second), "ERROR", "1", 0},
		{now.Add(30 * time.Second), "WARN", "1", 2},
		{now.Add(90 * time.Second), "WARN", "1", 1},
	}
	for i, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		var got entry
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if i >= len(want) || got != want[i] {
			t.Errorf("line %d is not expected: %s", i, line)
		}
	}
	if n := strings.Count(b.String(), "\n"); n != len(want) {
		t.Errorf("%d lines, want %d", n, len(want))
	}
}

// TestQuietLogKeepsDistinct shows that entries with one text are no repetitions where they are about different things: a policy
// may have several warnings, and two certificates may be half replaced.
func TestQuietLogKeepsDistinct(t *testing.T) {
	for _, key := range []string{"warning", "setting", "folder"} {
		var b bytes.Buffer
		log := NewLogger(&b, &config.Settings{LogFormat: "json", LogLevel: "info"})
		log.Warn("look at this", key, "one")
		log.Warn("look at this", key, "two")
		log.Warn("look at this", key, "one")
		if n := strings.Count(b.String(), "\n"); n != 2 {
			t.Errorf("%s: %d lines, want 2: %s", key, n, b.String())
		}
	}
}

// TestQuietLogKeepsMistakes shows that another mistake in the policy is no repetition, but another port in a network error is.
//
// Guard: ofPolicy in entryKey.
func TestQuietLogKeepsMistakes(t *testing.T) {
	f := func(want int, attrs ...any) {
		t.Helper()
		var b bytes.Buffer
		log := NewLogger(&b, &config.Settings{LogFormat: "json", LogLevel: "info"})
		for _, fault := range []string{"line 1", "line 2", "line 1"} {
			log.Error("look at this", append([]any{"error", fault}, attrs...)...)
		}
		if n := strings.Count(b.String(), "\n"); n != want {
			t.Errorf("%v: %d lines, want %d: %s", attrs, n, want, b.String())
		}
	}
	f(1)
	f(2, "policy_hash", "0123")
}

// TestQuietIsBounded shows that distinct texts do not fill the memory.
func TestQuietIsBounded(t *testing.T) {
	q := &quiet{last: map[string]*lately{}}
	for i := range 10 * maxQuiet {
		if _, write := q.note(fmt.Sprint(i), time.Time{}); !write {
			t.Fatalf("entry %d was kept back", i)
		}
	}
	if len(q.last) > maxQuiet {
		t.Errorf("%d entries are remembered", len(q.last))
	}
}
