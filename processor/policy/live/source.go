// Package live keeps the policy in force up to date. It reads the policy from a file or a topic, watches for changes, and
// replaces it as a whole or not at all. A broken policy changes nothing: the last good one stays in force, and a log line
// and the metrics say so. An instance that stopped instead would be silent, which is what an attacker wants.
//
// It starts no goroutine. One goroutine calls [Source.Run]; Policy, State and the metrics may be used from any.
package live

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// Loaded is a policy and where it comes from.
type Loaded struct {
	*policy.Policy
	File *policyfile.File // nil where the policy is in the settings; with a broken policy it has only the names of its files
}

// LoadFile reads a policy file. The error is [policyfile.Faults]; File then names the files that were read.
func LoadFile(name string) (Loaded, error) {
	file, err := policyfile.Load(name)
	if err != nil {
		return Loaded{File: file}, err
	}
	return Loaded{file.Policy, file}, nil
}

// Warnings returns the warnings at a time, each with its place. A policy in the settings has none: who wants to keep a
// policy in order writes a file.
func (l Loaded) Warnings(now time.Time) (lines []string) {
	if l.File == nil {
		return nil
	}
	for _, w := range l.Policy.Warnings(now) {
		lines = append(lines, l.File.Locate(w).Error())
	}
	return lines
}

// Options of a [Source].
type Options struct {
	First      Loaded    // the policy to start with; with a Topic the newest record takes its place
	File       string    // the policy file to watch; empty means none
	Topic      string    // the topic that holds the policy; empty means none
	ClientOpts []kgo.Opt // how to reach the brokers of Topic
	Origin     string    // where the policy comes from, for people: file policy.yaml
	Logger     *slog.Logger
	Registry   prometheus.Registerer
}

// Source holds the policy in force. Make it with [Open].
type Source struct {
	o       Options
	topic   *topic // nil where the policy is in none
	current atomic.Pointer[Loaded]
	news    atomic.Pointer[news]

	reloads, failures prometheus.Counter

	// The rest belongs to Run.
	tried []string        // files and folders that the last attempt read
	told  map[string]bool // warnings already logged
	fault string          // of the last attempt, as logged; empty after a good one
}

// news is what became of the attempts to replace the policy.
type news struct {
	since   time.Time // when the policy in force took over
	fault   string    // of the last attempt; empty after a good one
	faultAt time.Time
}

// Open returns a source that holds the policy of the start: First, or the newest valid record of the topic.
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
	s.current.Store(&o.First)
	s.news.Store(&news{since: time.Now()})
	o.Registry.MustRegister(s.reloads, s.failures, (*collector)(s))
	if o.Topic == "" {
		return s, nil
	}
	var err error
	if s.topic, err = openTopic(o.Topic, o.ClientOpts); err != nil {
		return nil, err
	}
	first, fault, err := s.topic.wait(ctx, o.Logger)
	if err != nil {
		s.Close()
		return nil, err
	}
	s.current.Store(&first)
	if fault != nil {
		s.replace(Loaded{}, fault) // as if it had come later
	}
	return s, nil
}

// Close ends the client of the policy's topic.
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

// The messages of the log that alerts and audits look for.
const (
	changedMessage = "the policy has changed"
	brokenMessage  = "the new policy is broken, the last good one holds on"
)

// replace takes a new policy, or notes why there is none. It logs the same fault once and the same policy never.
func (s *Source) replace(next Loaded, err error) {
	last, n := s.current.Load(), news{since: s.news.Load().since}
	if err != nil {
		s.failures.Inc()
		n.fault, n.faultAt = err.Error(), time.Now()
		s.news.Store(&n)
		if s.fault != err.Error() {
			s.fault = err.Error()
			s.o.Logger.Error(brokenMessage, "error", err, "policy_version", last.Version(), "policy_hash", last.Hash())
		}
		return
	}
	s.fault = ""
	same := next.Hash() == last.Hash() && next.Version() == last.Version()
	s.current.Store(&next) // the same, too: files that it is made of may have come or gone
	if !same {
		n.since = time.Now()
	}
	s.news.Store(&n)
	if !same {
		s.reloads.Inc()
		s.o.Logger.Info(changedMessage, "policy_version", next.Version(), "policy_hash", next.Hash(),
			"old_policy_version", last.Version(), "old_policy_hash", last.Hash())
	}
	s.warn()
}

// maxWarnings bounds the warnings of one policy in the log. regionwatch validate prints all of them.
const maxWarnings = 20

// warn logs the warnings that are new.
func (s *Source) warn() {
	fresh := 0
	for _, w := range s.current.Load().Warnings(time.Now()) {
		if s.told[w] {
			continue
		}
		s.told[w] = true
		if fresh++; fresh <= maxWarnings {
			s.o.Logger.Warn("the policy is valid, but", "warning", w)
		}
	}
	if fresh > maxWarnings {
		s.o.Logger.Warn("the policy has more warnings; regionwatch validate --policy tells them", "more", fresh-maxWarnings)
	}
	if len(s.told) > 100*maxWarnings {
		clear(s.told) // of policies long gone
	}
}
