package live

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// collector describes the policy in force at the time of a scrape.
type collector Source

var (
	infoDesc     = prometheus.NewDesc("regionwatch_policy_info", "1, with the policy in force as labels.", []string{"version", "hash"}, nil)
	rejectedDesc = prometheus.NewDesc("regionwatch_policy_rejected", "1 while the newest policy is broken and the last good one stays in force, else 0.", nil, nil)
	shadowDesc   = prometheus.NewDesc("regionwatch_policy_all_shadow", "1 while every level of the policy is in shadow mode, so that nothing alerts, else 0.", nil, nil)
	expiringDesc = prometheus.NewDesc("regionwatch_policy_exceptions_expiring", "Exceptions that expire within 14 days.", nil, nil)
	expiredDesc  = prometheus.NewDesc("regionwatch_policy_exceptions_expired", "Exceptions that have expired and are still in the policy.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{infoDesc, rejectedDesc, shadowDesc, expiringDesc, expiredDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := (*Source)(c)
	p, now := s.Policy(), time.Now()
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	gauge(infoDesc, 1, strings.ToValidUTF8(p.Version(), "\uFFFD"), p.Hash())
	rejected := 0
	if s.news.Load().fault != "" {
		rejected = 1
	}
	gauge(rejectedDesc, rejected)
	shadow := 0
	if p.AllShadow() {
		shadow = 1
	}
	gauge(shadowDesc, shadow)
	expired := p.ExpiredExceptions(now)
	gauge(expiredDesc, expired)
	gauge(expiringDesc, p.ExpiredExceptions(now.Add(policy.WarnAhead))-expired)
}
