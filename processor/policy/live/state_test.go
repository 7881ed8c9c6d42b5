package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aead.dev/minisign"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// cacheOf returns a cache with a policy of that version.
func cacheOf(t *testing.T, version string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "cache")
	l := parsedPolicy(t, policyOf(version))
	l.From, l.At, l.Author = "file before.yaml", time.Unix(1_800_000_000, 0), "ada@example.com"
	if err := writeCache(name, &l); err != nil {
		t.Fatal(err)
	}
	return name
}

// The cache keeps where its policy comes from, for the audit.
func TestCacheKeepsOrigin(t *testing.T) {
	l, err := readCache(cacheOf(t, "v1"))
	if err != nil || l.Version() != "v1" || l.From != "file before.yaml" || l.At.Unix() != 1_800_000_000 || l.Author != "ada@example.com" {
		t.Errorf("%+v, %v", l, err)
	}
}

// A cache that cannot be written leaves nothing behind, and is an error in the log; the policy takes over nevertheless.
func TestCacheFailure(t *testing.T) {
	folder := t.TempDir()
	cache := filepath.Join(folder, "cache")
	if err := os.MkdirAll(filepath.Join(cache, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := open(t, Options{First: parsedPolicy(t, policyOf("v1")), Cache: cache, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if s.Policy().Version() != "v1" || !strings.Contains(log.String(), "writing the policy's cache") {
		t.Error(log.String())
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	missing := filepath.Join(folder, "missing", "cache")
	if err := writeCache(missing, s.current.Load()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// What is wrong with a cache is what the error says.
func TestCacheUnreadable(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cache")
	f := func(want string) {
		t.Helper()
		if _, err := readCache(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	f("no such file")
	for text, want := range map[string]string{`{"Hash`: "unexpected end of JSON input", `{}`: "its policy has hash sha256:"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f(want)
	}
}

// A cache that is written again and again is closed each time.
func TestCacheCloses(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // garbage collection would close forgotten files
	descriptors := func() int {
		cacheOf(t, "v1")
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc")
		}
		return len(open)
	}
	if before, after := descriptors(), descriptors(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// A policy from the settings is not cached: it is there at every start.
func TestCacheLeavesSettings(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cache")
	compiled, err := policy.Compile(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	open(t, Options{First: Loaded{Policy: compiled}, Cache: cache, Logger: slog.New(slog.DiscardHandler)})
	if _, err := os.Stat(cache); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// A policy is as old as the newest of its files.
func TestLoadFileTime(t *testing.T) {
	folder := t.TempDir()
	name, accounts := filepath.Join(folder, "policy.yaml"), filepath.Join(folder, "accounts.csv")
	replaceFile(t, name, policyOf("v1")+"accounts_from: [accounts.csv]\n")
	replaceFile(t, accounts, "account,name\n111111111111,payments\n")
	older, newer := time.Unix(1_700_000_000, 0), time.Unix(1_800_000_000, 0)
	for _, newest := range []string{name, accounts} {
		for _, file := range []string{name, accounts} {
			at := older
			if file == newest {
				at = newer
			}
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
		}
		if l, err := LoadFile(name, nil); err != nil || !l.At.Equal(newer) || l.From != "file "+name {
			t.Errorf("%v, %v", l.At, err)
		}
	}
}

// A signature must be a file of usual size: a named pipe, or a folder, would not end.
//
// Guard: verifyFile asks what the signature is before it reads it.
func TestSignatureFile(t *testing.T) {
	private, public := newKey(t)
	keys, err := ReadKeys(public)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "policy.yaml")
	text := []byte(policyOf("v1"))
	if err := os.Mkdir(name+signatureSuffix, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := keys.verifyFile(name, text); !errors.Is(err, errSignature) {
		t.Errorf("a folder: %v", err)
	}
	if err := os.Remove(name + signatureSuffix); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" { // where one file cannot be read, even by root
		if err := os.Symlink("/proc/self/mem", name+signatureSuffix); err != nil {
			t.Fatal(err)
		}
		if err := keys.verifyFile(name, text); !errors.Is(err, syscall.EIO) {
			t.Errorf("a file that cannot be read: %v", err)
		}
	}
	replaceFile(t, name+signatureSuffix, " \n")
	if err := keys.verifyFile(name, text); !errors.Is(err, errUnsigned) {
		t.Errorf("white space: %v", err)
	}
	signature := string(minisign.Sign(private, text))
	replaceFile(t, name+signatureSuffix, signature)
	if err := keys.verifyFile(name, text); err != nil {
		t.Error(err)
	}
	if err := keys.verifyFile(strings.Repeat("x", 1000), text); !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Errorf("a name that cannot be: %v", err)
	}
}

// The state says since when the policy is in force, and what was wrong with the last attempt, and when. The same policy
// read again is no change.
func TestStateTimes(t *testing.T) {
	first := parsedPolicy(t, policyOf("v1"))
	next := parsedPolicy(t, policyOf("v2"))
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{First: first, Origin: "file p", Logger: slog.New(slog.DiscardHandler)})
		began := time.Now()
		f := func(version string, since time.Time, fault string, faultAt time.Time) {
			t.Helper()
			state := s.State()
			if state.Policy.Version() != version || !state.Since.Equal(since) || state.Fault != fault || !state.FaultAt.Equal(faultAt) || state.Origin != "file p" {
				t.Errorf("%+v", state)
			}
			time.Sleep(time.Hour)
		}
		f("v1", began, "", time.Time{})
		s.replace(Loaded{}, errors.New("broken"))
		f("v1", began, "broken", began.Add(time.Hour))
		s.replace(first, nil)
		f("v1", began, "", time.Time{})
		s.replace(next, nil)
		f("v2", began.Add(3*time.Hour), "", time.Time{})
	})
}

// A policy in the settings is in force until the end.
func TestRunOfSettings(t *testing.T) {
	first := parsedPolicy(t, policyOf("v1"))
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{First: first, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithTimeout(t.Context(), 1000*time.Hour)
		defer cancel()
		began := time.Now()
		if err := s.Run(ctx); err != nil || time.Since(began) != 1000*time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// The metrics say whether the newest policy was rejected, and whether anything can alert.
func TestMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry() // which refuses what Describe does not name
	s := open(t, Options{First: parsedPolicy(t, policyOf("v1")), Logger: slog.New(slog.DiscardHandler), Registry: registry})
	f := func(rejected, shadow, expired, expiring float64) {
		t.Helper()
		got := processortest.Scrape(t, registry)
		for name, want := range map[string]float64{"rejected": rejected, "all_shadow": shadow, "exceptions_expired": expired, "exceptions_expiring": expiring} {
			if got["regionwatch_policy_"+name] != want {
				t.Errorf("%s is %v, want %v", name, got["regionwatch_policy_"+name], want)
			}
		}
	}
	f(0, 0, 0, 0)
	s.replace(Loaded{}, errors.New("broken"))
	f(1, 0, 0, 0)
	text := policyOf("v2") + "mode: shadow\nexceptions:\n"
	for i, expires := range []time.Duration{-time.Hour, time.Hour, 2 * time.Hour, 100 * 24 * time.Hour} {
		text += fmt.Sprintf("- {name: x%d, owner: o, reason: r, regions: [eu-central-1], expires: '%s'}\n", i, time.Now().Add(expires).UTC().Format(time.RFC3339))
	}
	s.replace(parsedPolicy(t, text), nil)
	f(0, 1, 1, 2)
}

// Warnings name their place; a key that is spelled as a flag is one.
func TestWarnings(t *testing.T) {
	f, err := policyfile.Parse("p", []byte("default: { allowed-regions: [us-east-1, ap-east-1] }"))
	if err != nil {
		t.Fatal(err)
	}
	got := Loaded{Policy: f.Policy, File: f}.Warnings(time.Now())
	want := []string{"p:1:12: allowed-regions is spelled allowed_regions", "p:1:41: ap-east-1 is not enabled by default; nothing happens there unless the account enables it"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (Loaded{Policy: f.Policy}).Warnings(time.Now()); got != nil {
		t.Errorf("of a policy that is no file: %q", got)
	}
}

// A policy may have any number of warnings: the log gets the first ones and a count of the rest, once.
func TestWarningsAreBounded(t *testing.T) {
	var log bytes.Buffer
	text := "version: v1\ndefault: {allowed_regions: [us-east-1]}\nexceptions:\n"
	for i := range maxWarnings + 3 {
		text += fmt.Sprintf("- {name: x%d, owner: o, reason: r, regions: [eu-central-1], expires: 2001-01-01}\n", i)
	}
	s := open(t, Options{First: parsedPolicy(t, text), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 2 {
		s.warn()
	}
	if n := strings.Count(log.String(), `msg="policy warning"`); n != maxWarnings || !strings.Contains(log.String(), "more=3\n") || strings.Count(log.String(), "more=") != 1 {
		t.Errorf("%d warnings: %s", n, log.String())
	}
	fewer := parsedPolicy(t, strings.Join(strings.SplitAfter(text, "\n")[:3+maxWarnings], ""))
	log.Reset()
	s.told = map[string]bool{}
	s.replace(fewer, nil)
	if n := strings.Count(log.String(), `msg="policy warning"`); n != maxWarnings || strings.Contains(log.String(), "more=") {
		t.Errorf("%d warnings: %s", n, log.String())
	}
	for i := range 100 * maxWarnings {
		s.told[fmt.Sprint(i)] = true
	}
	if s.warn(); len(s.told) != 0 {
		t.Errorf("%d warnings are remembered", len(s.told))
	}
}
