package live

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/prometheus/client_golang/prometheus"
)

// logged collects the messages of a log.
type logged struct {
	slog.Handler
	mu   sync.Mutex
	told []string
}

// messages returns what was logged so far.
func (l *logged) messages() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.told)
}

// Enabled is true for all.
func (*logged) Enabled(context.Context, slog.Level) bool { return true }

// Handle keeps the message and the warning in it.
func (l *logged) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "warning" {
			text += ": " + a.Value.String()
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, text)
	return nil
}

// follower is a source that follows a file, with signs of changes at the test's hand and the time of a bubble.
type follower struct {
	*Source
	t      *testing.T
	name   string
	log    *logged
	hangUp chan os.Signal
	events chan fsnotify.Event
	faults chan error
}

// follow runs f in a bubble with a source that follows a new policy file.
func follow(t *testing.T, text string, f func(*follower)) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "policy.yaml")
	replaceFile(t, name, text)
	synctest.Test(t, func(t *testing.T) {
		first, err := LoadFile(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		log := &logged{Handler: slog.DiscardHandler}
		s := open(t, Options{First: first, File: name, Logger: slog.New(log), Registry: prometheus.NewRegistry()})
		w := &follower{s, t, name, log, make(chan os.Signal), make(chan fsnotify.Event), make(chan error)}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.follow(ctx, nil, w.hangUp, w.events, w.faults)
		}()
		synctest.Wait()
		f(w)
		cancel()
		<-ended
	})
}

// change writes a policy of that version, not yet noticed.
func (f *follower) change(version string) { replaceFile(f.t, f.name, policyOf(version)) }

// event says that a file has changed.
func (f *follower) event(name string) {
	f.events <- fsnotify.Event{Name: name}
	synctest.Wait()
}

// after lets time pass and checks which version is in force then.
func (f *follower) after(d time.Duration, version string) {
	f.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	if got := f.Policy().Version(); got != version {
		f.t.Errorf("version %q is in force, want %q", got, version)
	}
}

// A change is read when it has settled, settleTime after its first sign: not before, and not later for more signs.
func TestFollowSettles(t *testing.T) {
	follow(t, policyOf("v1"), func(f *follower) {
		f.change("v2")
		f.event(f.name)
		f.after(settleTime-1, "v1")
		f.event(f.name)
		f.after(1, "v2")
		f.change("v3")
		f.after(settleTime, "v2") // the second sign was of the same change
		f.event(f.name)
		f.after(settleTime, "v3")
	})
}

// What others write into the folder is not a sign of a change.
func TestFollowIgnoresOthers(t *testing.T) {
	follow(t, policyOf("v1"), func(f *follower) {
		f.change("v2")
		f.event(filepath.Join(filepath.Dir(f.name), "other"))
		f.event(f.name + ".minisig") // without keys
		f.after(time.Minute, "v1")
	})
}

// A watch that lost events is a sign of a change, and worth a warning.
func TestFollowLostEvents(t *testing.T) {
	follow(t, policyOf("v1"), func(f *follower) {
		f.change("v2")
		f.faults <- errors.New("queue overflow")
		f.after(settleTime-1, "v1")
		f.after(1, "v2")
		if !slices.Contains(f.log.messages(), "watching the policy") {
			t.Error(f.log.messages())
		}
	})
}

// SIGHUP has the policy read at once. A fault is logged again for those who ask.
func TestFollowSIGHUP(t *testing.T) {
	follow(t, policyOf("v1"), func(f *follower) {
		f.change("v2")
		f.hangUp <- syscall.SIGHUP
		f.after(0, "v2")
		replaceFile(t, f.name, "default: [")
		for range 2 {
			f.hangUp <- syscall.SIGHUP
			f.after(0, "v2")
		}
		f.event(f.name)
		f.after(settleTime, "v2")
		if got := strings.Count(strings.Join(f.log.messages(), "\n"), brokenMessage); got != 2 {
			t.Errorf("told %d times, want 2: %q", got, f.log.messages())
		}
	})
}

// Time alone makes a warning: an exception about to expire is logged within the hour, once.
func TestFollowWarnsHourly(t *testing.T) {
	const exception = "exceptions: [{name: x, owner: o, reason: r, regions: [eu-central-1], expires: 2000-01-16}]\n" // a bubble starts in 2000
	follow(t, policyOf("v1")+exception, func(f *follower) {
		expiring := func() bool { return strings.Contains(strings.Join(f.log.messages(), "\n"), "expires at 2000-01-16") }
		f.after(23*time.Hour, "v1")
		if expiring() {
			t.Errorf("more than 14 days ahead: %q", f.log.messages())
		}
		f.after(3*time.Hour, "v1")
		if !expiring() {
			t.Errorf("less than 14 days ahead: %q", f.log.messages())
		}
		before := len(f.log.messages())
		f.after(5*time.Hour, "v1")
		if len(f.log.messages()) != before {
			t.Errorf("more than once: %q", f.log.messages())
		}
	})
}

// Which changes concern the policy: those of its files, of where links to them lead, of the folders on the way, of the
// signatures if it has to be signed, and what Kubernetes swaps.
func TestConcerns(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "policy.yaml")
	target := filepath.Join(folder, "target.yaml")
	replaceFile(t, target, policyOf("v1")+"accounts_from: [accounts.d/a.csv]\n")
	if err := os.MkdirAll(filepath.Join(folder, "accounts.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	replaceFile(t, filepath.Join(folder, "accounts.d", "a.csv"), "account,name\n111111111111,payments\n")
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
	first, err := LoadFile(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{First: first, File: name, Logger: slog.New(slog.DiscardHandler)})
	f := func(want bool, changed ...string) {
		t.Helper()
		if got := s.concerns(filepath.Join(append([]string{folder}, changed...)...)); got != want {
			t.Errorf("%v: %t", changed, got)
		}
	}
	f(true, "policy.yaml")
	f(true, "target.yaml")
	f(true, "..data")
	f(true, "accounts.d")
	f(true, "accounts.d", "a.csv")
	f(false, "accounts.d", "b.csv")
	f(false, "accounts")
	f(false, "policy.yaml.swp")
	f(false, "policy.yaml.minisig")
	s.o.Keys = Keys{}
	f(true, "policy.yaml.minisig")
	f(true, "a.csv.minisig")
	f(false, "b.csv.minisig")
}

// What is watched: the folders of the policy's files, of where links to them lead, and folders of accounts.
func TestFolders(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	name, accounts := filepath.Join(folder, "policy.yaml"), filepath.Join(folder, "accounts.d")
	replaceFile(t, filepath.Join(elsewhere, "target.yaml"), policyOf("v1")+"accounts_from: [accounts.d/]\n")
	if err := errors.Join(os.Mkdir(accounts, 0o700), os.Symlink(filepath.Join(elsewhere, "target.yaml"), name)); err != nil {
		t.Fatal(err)
	}
	replaceFile(t, filepath.Join(accounts, "a.csv"), "account\n111111111111\n")
	first, err := LoadFile(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{First: first, File: name, Logger: slog.New(slog.DiscardHandler)})
	if got, want := s.folders(), map[string]bool{folder: true, elsewhere: true, accounts: true}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// A missing folder is waited for in the one above it, however it is written.
	missing := filepath.Join(folder, "missing")
	s.tried = []string{missing + "/a.csv"}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	s.current.Store(&Loaded{})
	if got, want := s.folders(), map[string]bool{folder: true}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	s.tried = []string{accounts} // in which there is no file yet
	if got, want := s.folders(), map[string]bool{folder: true, accounts: true}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	s.tried = []string{missing + "/./b.d/"}
	if !s.concerns(filepath.Join(missing, "b.d", "a.csv")) {
		t.Error("a new file of a folder is not noticed")
	}
}

// SIGHUP reloads the policy, and without a watcher only that does.
func TestSIGHUP(t *testing.T) {
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP) // which would end the program
	defer signal.Stop(hangUp)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	f := func(limit uint64, want ...string) {
		t.Helper()
		name := filepath.Join(t.TempDir(), "policy.yaml")
		replaceFile(t, name, policyOf("v1"))
		first, err := LoadFile(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		log := make(messages, 1000)
		s := open(t, Options{First: first, File: name, Logger: slog.New(log)})
		replaceFile(t, name, "default: [")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit, Max: before.Max}); err != nil {
			t.Fatal(err)
		}
		go func() { ended <- s.Run(ctx) }()
		for _, message := range want {
			log.await(t, message)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		log.await(t, brokenMessage)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	f(before.Cur, brokenMessage)
	f(0, "watching the policy; SIGHUP still reloads it", brokenMessage)
}

// A folder that cannot be watched is worth a warning each time, one that can be is not.
func TestWatchFoldersWarns(t *testing.T) {
	name := filepath.Join(t.TempDir(), "policy.yaml")
	replaceFile(t, name, policyOf("v1"))
	first, err := LoadFile(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := &logged{Handler: slog.DiscardHandler}
	s := open(t, Options{First: first, File: name, Logger: slog.New(log)})
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	if more := s.watchFolders(watcher); !more {
		t.Error("the first folder is not new")
	}
	if more := s.watchFolders(watcher); more {
		t.Error("the folder is new a second time")
	}
	if got := log.messages(); len(got) != 0 {
		t.Errorf("a folder that is watched: %q", got)
	}
	watcher.Close()
	s.watchFolders(watcher)
	if got := log.messages(); len(got) != 1 || !strings.HasPrefix(got[0], "watching a folder of the policy") {
		t.Errorf("a folder that is not watched: %q", got)
	}
}
