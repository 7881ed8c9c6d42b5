package config

import (
	"regexp"
	"strings"
)

// fromEnvironment returns the values given as variables, and a fault for each unknown one with our prefix. An empty
// variable counts as unset: container specifications write it so.
func (t table) fromEnvironment(environ []string) ([]candidate, Faults) {
	var found []candidate
	var faults Faults
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, Prefix) || value == "" {
			continue
		}
		origin := Origin{Source: FromEnvironment, Name: name}
		row := t.byVariable(name)
		switch {
		case row != nil:
			found = append(found, candidate{setting: row, words: row.split(value), origin: origin})
		case !fromKubernetes(name, value):
			text := "no such setting" + didYouMean(name, t.variables())
			faults = append(faults, Fault{"environment " + quoteName(name), text})
		}
	}
	return found, faults
}

func (t table) byVariable(name string) *Setting {
	for i := range t {
		if t[i].Variable() == name {
			return &t[i]
		}
	}
	return nil
}

func (t table) variables() []string {
	names := make([]string, len(t))
	for i := range t {
		names[i] = t[i].Variable()
	}
	return names
}

// serviceVariable matches what Kubernetes injects into every container of a namespace for a service whose name starts
// with regionwatch (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
var serviceVariable = regexp.MustCompile(
	`^REGIONWATCH_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// fromKubernetes reports whether the variable describes a service, not a setting.
func fromKubernetes(name, value string) bool {
	return serviceVariable.MatchString(name) || strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
}
