// Package live keeps the policy in force up to date. It reads the policy from a file or a topic, watches for changes,
// and replaces it as a whole or not at all. A broken policy changes nothing: the last good one stays in force, and a
// log line and the metrics say so. An instance that stopped instead would be silent, which is what an attacker wants.
//
// It starts no goroutine. One goroutine calls [Source.Run]; Policy, State and the metrics may be used from any.
package live

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// Loaded is a policy and its source.
type Loaded struct {
	*policy.Policy
	File   *policyfile.File // nil for a policy from the settings or the cache; of a broken one it has only the names of files
	From   string           // for audits: file policy.yaml, topic policies offset 7; empty for a policy from the settings
	At     time.Time        // when it was written: the newest change of a file, the record's timestamp
	Author string           // the record's header author; empty if there is none
}

// LoadFile reads a policy file. With keys, it and each account file must be signed. The error is [policyfile.Faults];
// File then names the files that were read.
func LoadFile(name string, keys Keys) (Loaded, error) {
	var verify policyfile.Verify
	if keys != nil {
		verify = keys.verifyFile
	}
	file, err := policyfile.Load(name, verify)
	if err != nil {
		return Loaded{File: file}, err
	}
	l := Loaded{Policy: file.Policy, File: file, From: "file " + name}
	for _, name := range file.Files {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(l.At) {
			l.At = info.ModTime()
		}
	}
	return l, nil
}

// Warnings returns the warnings at a time, each with its place. A policy from the settings has none: serious policies
// are files.
func (l Loaded) Warnings(now time.Time) (lines []string) {
	if l.File == nil {
		return nil
	}
	for _, w := range l.File.Spelled {
		lines = append(lines, w.Error())
	}
	for _, w := range l.Policy.Warnings(now) {
		lines = append(lines, l.File.Locate(w).Error())
	}
	return lines
}

// Options of a [Source].
type Options struct {
	First      Loaded    // the policy to start with; with a Topic the newest record replaces it
	FirstErr   error     // why there is no First; with a Cache this need not be fatal
	File       string    // the policy file to watch; empty means none
	Topic      string    // the topic that holds the policy; empty means none
	ClientOpts []kgo.Opt // how to reach the brokers of Topic
	Keys       Keys      // who may sign policies; nil requires no signature
	Cache      string    // file that keeps the last good policy, for a start with a broken one; empty means none
	Origin     string    // where the policy comes from, for people: file policy.yaml
	Logger     *slog.Logger
	Registry   prometheus.Registerer
}

// Source holds the policy in force. Make it with [Open].
type Source struct {
	o       Options
	topic   *topic // nil if the policy is not in one
	current atomic.Pointer[Loaded]
	news    atomic.Pointer[news]

	reloads, failures prometheus.Counter

	// The rest belongs to Run.
	tried []string        // files and folders that the last attempt read
	told  map[string]bool // warnings already logged
	fault string          // of the last attempt, as logged; empty after a good one

	topicGone bool // the policy topic did not exist at the last look
}

// news is the result of the attempts to replace the policy.
type news struct {
	since   time.Time // when the policy in force took over
	fault   string    // of the last attempt; empty after a good one
	faultAt time.Time
}

// Open returns a source that holds the policy to start with: First, or the newest valid record of the topic, or the
// cached one if that is broken. An error means that there is no policy at all.
func Open(ctx context.Context, o Options) (*Source, error) {
	s := &Source{
		o: o, told: map[string]bool{},
		reloads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "regionwatch_policy_reloads_total", Help: "Times a changed policy replaced the one before.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "regionwatch_policy_reload_failures_total", Help: "Times a broken policy was refused; the last good one stayed in force.",
		}),
	}
	first, fault, err := o.First, error(nil), o.FirstErr
	if o.Topic != "" {
		if s.topic, err = openTopic(o.Topic, o.ClientOpts, o.Keys, o.Logger); err != nil {
			return nil, err
		}
		read := s.topic.wait
		if o.Cache != "" {
			read = s.topic.first // there is a policy to start with
		}
		first, fault, err = read(ctx)
	}
	fromCache := err != nil && o.Cache != ""
	if fromCache {
		fault = err
		if first, err = readCache(o.Cache); err != nil {
			err = errors.Join(fault, err)
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.current.Store(&first)
	s.news.Store(&news{since: time.Now()})
	o.Registry.MustRegister(s.reloads, s.failures, (*collector)(s))
	if fault != nil {
		s.replace(Loaded{}, fault) // as if it had come later
	}
	if fromCache {
		o.Logger.Error("the policy cannot be used, the cached one is in force", append(audit("", &first), "cache", o.Cache)...)
	} else {
		s.keep(&first)
	}
	return s, nil
}

// keep writes a policy to the cache.
func (s *Source) keep(l *Loaded) {
	if s.o.Cache == "" || l.File == nil {
		return
	}
	if err := writeCache(s.o.Cache, l); err != nil {
		s.o.Logger.Error("writing the policy's cache", "cache", s.o.Cache, "error", err)
	}
}

// Close closes the client of the policy topic.
func (s *Source) Close() {
	if s.topic != nil {
		s.topic.close()
	}
}

// Policy returns the policy in force.
func (s *Source) Policy() *policy.Policy { return s.current.Load().Policy }

// State is the policy in force and the result of the last attempt to replace it.
type State struct {
	Policy  *policy.Policy
	Origin  string    // for people: file policy.yaml
	Since   time.Time // when it took over
	Fault   string    // why the last attempt failed; empty after a good one
	FaultAt time.Time
}

// State returns the state.
func (s *Source) State() State {
	n := s.news.Load()
	return State{Policy: s.Policy(), Origin: s.o.Origin, Since: n.since, Fault: n.fault, FaultAt: n.faultAt}
}

// warnEvery is how often the policy is checked for exceptions about to expire.
const warnEvery = time.Hour

// Run keeps the policy up to date until ctx ends.
func (s *Source) Run(ctx context.Context) error {
	s.warn()
	switch {
	case s.o.File != "":
		return s.watchFile(ctx)
	case s.topic != nil:
		return s.watchTopic(ctx)
	}
	<-ctx.Done()
	return nil
}

// replace takes a new policy, or records why there is none. It logs a fault once while it lasts, and an unchanged
// policy not at all.
func (s *Source) replace(next Loaded, err error) {
	last, n := s.current.Load(), news{since: s.news.Load().since}
	if err != nil {
		s.failures.Inc()
		n.fault, n.faultAt = err.Error(), time.Now()
		s.news.Store(&n)
		if s.fault != err.Error() {
			s.fault = err.Error()
			s.o.Logger.Error("the new policy was rejected, the last good one stays in force", "error", err, "policy_version", last.Version(), "policy_hash", last.Hash())
		}
		return
	}
	s.fault = ""
	same := next.Hash() == last.Hash() && next.Version() == last.Version()
	s.current.Store(&next) // even an unchanged policy: its files may be others
	if !same {
		n.since = time.Now()
	}
	s.news.Store(&n)
	if !same {
		s.reloads.Inc()
		s.keep(&next)
		s.o.Logger.Info("the policy has changed", append(audit("", &next), audit("old_", last)...)...)
	}
	s.warn()
}

// audit returns what an auditor needs to know about a policy, as log attributes.
func audit(prefix string, l *Loaded) []any {
	size := l.Size()
	attrs := []any{
		prefix + "policy_version", l.Version(), prefix + "policy_hash", l.Hash(), prefix + "accounts", size.Accounts,
		prefix + "unused_regions", size.UnusedRegions, prefix + "exceptions", size.Exceptions, prefix + "from", l.From,
	}
	if !l.At.IsZero() {
		attrs = append(attrs, prefix+"written", l.At.UTC().Format(time.RFC3339))
	}
	if l.Author != "" {
		attrs = append(attrs, prefix+"author", l.Author)
	}
	return attrs
}

// maxWarnings limits the warnings of one policy in the log. regionwatch validate prints all of them.
const maxWarnings = 20

// warn logs new warnings.
func (s *Source) warn() {
	fresh := 0
	for _, w := range s.current.Load().Warnings(time.Now()) {
		if s.told[w] {
			continue
		}
		s.told[w] = true
		if fresh++; fresh <= maxWarnings {
			s.o.Logger.Warn("policy warning", "warning", w)
		}
	}
	if fresh > maxWarnings {
		s.o.Logger.Warn("the policy has more warnings; regionwatch validate --policy lists them", "more", fresh-maxWarnings)
	}
	if len(s.told) > 100*maxWarnings {
		clear(s.told) // of policies long gone
	}
}
