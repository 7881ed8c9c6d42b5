package main

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/admin"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// policySource holds the policy that decides, and replaces it whole when a new one comes. A broken one leaves the last
// good one in place: an instance that stopped for it would be silence, which is what an attacker wants.
//
// All but policy and the metrics belongs to the goroutine of run.
type policySource struct {
	settings *config.Settings
	log      *slog.Logger
	topic    *policyTopic // nil where the policy is in none
	current  atomic.Pointer[loadedPolicy]
	news     atomic.Pointer[policyNews]

	reloads, failures prometheus.Counter
	tried             []string        // files and folders that the last try has read
	told              map[string]bool // warnings that stand in the log
	fault             string          // of the last try, as it stands in the log; empty after a good one
}

// openPolicySource returns a source that holds the policy of the start: the one that was loaded with the settings, or
// where they name a topic the newest in there.
func openPolicySource(ctx context.Context, s *config.Settings, first loadedPolicy, log *slog.Logger, registry *prometheus.Registry) (*policySource, error) {
	p := newPolicySource(s, first, log, registry)
	if s.PolicyTopic == "" {
		return p, nil
	}
	topic, err := openPolicyTopic(s)
	if err != nil {
		return nil, err
	}
	p.topic = topic
	first, fault, err := topic.first(ctx)
	if err != nil {
		topic.close()
		return nil, err
	}
	p.current.Store(&first)
	if fault != nil {
		p.replace(loadedPolicy{}, fault) // told as if it had come while the one before held
	}
	return p, nil
}

// close ends what reads the policy's topic.
func (p *policySource) close() {
	if p.topic != nil {
		p.topic.close()
	}
}

func newPolicySource(s *config.Settings, first loadedPolicy, log *slog.Logger, registry *prometheus.Registry) *policySource {
	p := &policySource{
		settings: s, log: log, told: map[string]bool{},
		reloads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "regionwatch_policy_reloads_total", Help: "Times that a changed policy took the place of the one before.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "regionwatch_policy_reload_failures_total", Help: "Times that a broken policy was passed over; the last good one holds on.",
		}),
	}
	p.current.Store(&first)
	p.news.Store(&policyNews{since: time.Now()})
	registry.MustRegister(p.reloads, p.failures, (*policyCollector)(p))
	return p
}

// policyNews is what became of the tries to replace the policy.
type policyNews struct {
	since   time.Time // since when the policy decides
	fault   string    // of the last try; empty after a good one
	faultAt time.Time
}

// state returns the policy and what is to be known about it. It may be called from any goroutine.
func (p *policySource) state() admin.PolicyState {
	news := p.news.Load()
	return admin.PolicyState{
		Policy: p.policy(), Origin: policyOrigin(p.settings), Since: news.since, Fault: news.fault, FaultAt: news.faultAt,
	}
}

// policy returns the policy of the next batch. It may be called from any goroutine.
func (p *policySource) policy() *policy.Policy { return p.current.Load().Policy }

// warnEvery is how often is looked whether an exception is about to expire.
const warnEvery = time.Hour

// run keeps the policy up to date until ctx ends.
func (p *policySource) run(ctx context.Context) error {
	p.warn()
	switch {
	case p.settings.Policy != "":
		return p.watchFile(ctx)
	case p.topic != nil:
		return p.watchTopic(ctx)
	}
	<-ctx.Done()
	return nil
}

// replace takes a new policy, or notes why there is none. The same fault is told once, the same policy not at all.
func (p *policySource) replace(next loadedPolicy, err error) {
	last, news := p.current.Load(), policyNews{since: p.news.Load().since}
	if err != nil {
		p.failures.Inc()
		news.fault, news.faultAt = err.Error(), time.Now()
		p.news.Store(&news)
		if p.fault != err.Error() {
			p.fault = err.Error()
			p.log.Error("the new policy is broken, the last good one holds on", "error", err, "policy_version", last.Version(), "policy_hash", last.Hash())
		}
		return
	}
	p.fault = ""
	same := next.Hash() == last.Hash() && next.Version() == last.Version()
	p.current.Store(&next) // the same, too: files that it is made of may have come or gone
	if !same {
		news.since = time.Now()
	}
	p.news.Store(&news)
	if !same {
		p.reloads.Inc()
		p.log.Info("the policy has changed", "policy_version", next.Version(), "policy_hash", next.Hash(),
			"old_policy_version", last.Version(), "old_policy_hash", last.Hash())
	}
	p.warn()
}

// maxWarnings bounds the warnings of one policy in the log. validate tells all.
const maxWarnings = 20

// warn writes the warnings that are new.
func (p *policySource) warn() {
	fresh := 0
	for _, w := range p.current.Load().warnings(time.Now()) {
		if p.told[w] {
			continue
		}
		p.told[w] = true
		if fresh++; fresh <= maxWarnings {
			p.log.Warn("the policy is valid, but", "warning", w)
		}
	}
	if fresh > maxWarnings {
		p.log.Warn("the policy has more warnings; regionwatch validate --policy tells them", "more", fresh-maxWarnings)
	}
	if len(p.told) > 100*maxWarnings {
		clear(p.told) // of policies long gone
	}
}

// policyCollector tells of the policy that holds at the time of a scrape.
type policyCollector policySource

var (
	policyInfoDesc     = prometheus.NewDesc("regionwatch_policy_info", "1, with the policy that holds as labels.", []string{"version", "hash"}, nil)
	policyRejectedDesc = prometheus.NewDesc("regionwatch_policy_rejected", "1 while the newest policy is broken and the last good one holds on, else 0.", nil, nil)
	policyExpiringDesc = prometheus.NewDesc("regionwatch_policy_exceptions_expiring", "Exceptions that expire within 14 days.", nil, nil)
	policyExpiredDesc  = prometheus.NewDesc("regionwatch_policy_exceptions_expired", "Exceptions that have expired and still stand in the policy.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *policyCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- policyInfoDesc
	ch <- policyRejectedDesc
	ch <- policyExpiringDesc
	ch <- policyExpiredDesc
}

// Collect implements prometheus.Collector.
func (c *policyCollector) Collect(ch chan<- prometheus.Metric) {
	source := (*policySource)(c)
	p, now := source.policy(), time.Now()
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	expired := p.ExpiredExceptions(now)
	gauge(policyInfoDesc, 1, strings.ToValidUTF8(p.Version(), "\uFFFD"), p.Hash())
	rejected := 0
	if source.news.Load().fault != "" {
		rejected = 1
	}
	gauge(policyRejectedDesc, rejected)
	gauge(policyExpiredDesc, expired)
	gauge(policyExpiringDesc, p.ExpiredExceptions(now.Add(policy.WarnAhead))-expired)
}
