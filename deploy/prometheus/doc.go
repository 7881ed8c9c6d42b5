// Package rules holds nothing but tests: that the rules of this folder fire when they should, that they and the dashboard
// in ../grafana ask for series that the program really has, and that docs/operating.md names all of them.
//
// It is a module of its own, so that the packages of Prometheus stay out of the program's.
package rules
