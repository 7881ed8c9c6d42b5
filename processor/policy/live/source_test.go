package live

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// open returns a source of no topic.
func open(t *testing.T, o Options) *Source {
	t.Helper()
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// replaceFile puts a file in place as editors do.
func replaceFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func policyOf(version string) string {
	return "version: " + version + "\ndefault: { unused_regions: [eu-central-1] }\n"
}

// The messages that alerts and audits look for.
const (
	changedMessage = "the policy has changed"
	brokenMessage  = "the new policy was rejected, the last good one stays in force"
	cachedMessage  = "the policy cannot be used, the cached one is in force"
)

// parsedPolicy compiles a policy that is no file.
func parsedPolicy(t *testing.T, text string) Loaded {
	t.Helper()
	f, err := policyfile.Parse("p", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Loaded{Policy: f.Policy, File: f}
}

// A fault is logged once however often it occurs, and again after it was fixed; the last good policy stays.
func TestReplaceTellsOnce(t *testing.T) {
	var log bytes.Buffer
	registry := prometheus.NewRegistry()
	expires := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	good := parsedPolicy(t, "version: good\ndefault: {allowed_regions: [us-east-1]}")
	p := open(t, Options{First: good, Logger: slog.New(slog.NewTextHandler(&log, nil)), Registry: registry})
	f := func(next Loaded, err error, version string, want ...string) {
		t.Helper()
		log.Reset()
		p.replace(next, err)
		if got := p.Policy().Version(); got != version {
			t.Errorf("version %q holds, want %q", got, version)
		}
		if n := strings.Count(log.String(), "\n"); n != len(want) {
			t.Errorf("%d lines, want %d: %s", n, len(want), log.String())
		}
		for _, w := range want {
			if !strings.Contains(log.String(), w) {
				t.Errorf("lacks %q: %s", w, log.String())
			}
		}
	}
	broken := errors.New("p:1:1: broken")
	f(Loaded{}, broken, "good", "broken")
	f(Loaded{}, broken, "good")
	f(good, nil, "good")
	f(Loaded{}, broken, "good", "broken")
	expiring := parsedPolicy(t, "version: next\ndefault: {allowed_regions: [us-east-1]}\n"+
		"exceptions: [{name: x, owner: o, reason: r, regions: [eu-west-3], expires: '"+expires+"'}]")
	f(expiring, nil, "next", "policy has changed", "it expires at "+expires)
	f(expiring, nil, "next")

	got := processortest.Scrape(t, registry)
	for name, want := range map[string]float64{
		"regionwatch_policy_reload_failures_total": 3, "regionwatch_policy_reloads_total": 1, "regionwatch_policy_info": 1,
		"regionwatch_policy_exceptions_expiring": 1, "regionwatch_policy_exceptions_expired": 0,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

// mending is a log that fixes the policy as soon as the fault is logged, before the caller does anything else.
type mending struct {
	slog.Handler
	mend func() error
}

// Enabled is true for what it mends.
func (mending) Enabled(context.Context, slog.Level) bool { return true }

// Handle mends for an error.
func (m mending) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelError {
		return m.mend()
	}
	return nil
}

// Changes after a broken policy is logged are read, even in a folder that was unknown before.
//
// Guard: reload watches the folders before it replaces.
func TestMendedAtOnce(t *testing.T) {
	folder, name := t.TempDir(), filepath.Join(t.TempDir(), "policy.yaml")
	replaceFile(t, name, policyOf("v1"))
	accounts := filepath.Join(folder, "accounts.csv")
	replaceFile(t, accounts, "") // which is none
	mended := filepath.Join(folder, "mended")
	replaceFile(t, mended, "account,name\n111111111111,payments\n")
	first, err := LoadFile(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := mending{slog.DiscardHandler, sync.OnceValue(func() error { return os.Rename(mended, accounts) })}
	p := open(t, Options{First: first, File: name, Logger: slog.New(log)})
	replaceFile(t, name, policyOf("v2")+"accounts_from: ["+accounts+"]\n")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	for p.Policy().Version() != "v2" && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	if v := p.Policy().Version(); v != "v2" {
		t.Errorf("version %q after a minute: what mends the policy has not been read", v)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// messages is a log that hands over its messages.
type messages chan string

func (messages) Enabled(context.Context, slog.Level) bool { return true }
func (m messages) Handle(_ context.Context, r slog.Record) error {
	m <- r.Message
	return nil
}
func (m messages) WithAttrs([]slog.Attr) slog.Handler { return m }
func (m messages) WithGroup(string) slog.Handler      { return m }

// await waits for a message.
func (m messages) await(t *testing.T, want string) {
	t.Helper()
	for deadline := time.After(10 * time.Second); ; {
		select {
		case got := <-m:
			if got == want {
				return
			}
		case <-deadline:
			t.Fatalf("no message %q", want)
		}
	}
}

// A file of accounts that is missing is read when it appears, in a folder that appears with it, too.
func TestMissingAccountsAppear(t *testing.T) {
	for _, accounts := range []string{"accounts.csv", "new/accounts.csv", "new/deeper/accounts.csv", "new/accounts.d/a.csv"} {
		t.Run(accounts, func(t *testing.T) {
			folder, elsewhere := t.TempDir(), t.TempDir()
			name := filepath.Join(folder, "policy.yaml")
			replaceFile(t, name, policyOf("v1"))
			first, err := LoadFile(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			log := make(messages, 100)
			s := open(t, Options{First: first, File: name, Logger: slog.New(log)})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- s.Run(ctx) }()
			from := filepath.Join(elsewhere, accounts)
			if strings.Contains(accounts, ".d/") {
				from = filepath.Dir(from)
			}
			replaceFile(t, name, policyOf("v2")+"accounts_from: ["+from+"]\n")
			log.await(t, brokenMessage)
			if s.State().Fault == "" || s.Policy().Version() != "v1" {
				t.Errorf("version %q with a policy whose accounts are missing", s.Policy().Version())
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(elsewhere, accounts)), 0o700); err != nil {
				t.Fatal(err)
			}
			replaceFile(t, filepath.Join(elsewhere, accounts), "account,name\n111111111111,payments\n")
			log.await(t, changedMessage)
			if v := s.Policy().Version(); v != "v2" {
				t.Errorf("version %q once the accounts are there", v)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}
