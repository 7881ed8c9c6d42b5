package policyfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// A policy whose reading or compiling panics is a broken policy like any other: it must not end the program.
//
// Guard: recover in reader.read.
func TestPanicIsAFault(t *testing.T) {
	name := "testdata/good/policy.yaml"
	_, err := Load(name, func(string, []byte) error { panic("boom") })
	check := func(what string, err error) {
		t.Helper()
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].File != name || !strings.Contains(err.Error(), "panicked: boom") {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("reading", err)
	r := &reader{name: name, file: name, places: places{}}
	_, err = r.read(func() {}, func(policy.Options) (*policy.Policy, error) { panic("boom") })
	check("compiling", err)
}
