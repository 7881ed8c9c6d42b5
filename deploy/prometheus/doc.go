// Package rules only holds tests: that the rules in this folder fire when they should, that they and the dashboard in
// ../grafana only query series the program has, and that docs/operating.md lists all of those series.
//
// It is a separate module, which keeps Prometheus's packages out of the program's module.
package rules
