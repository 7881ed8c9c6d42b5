package setup

import (
	"slices"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/processor/output"
)

// Settings refuse what the processor would: the two know the headers of alerts, and how many may be chosen, by themselves.
func TestCopyHeaders(t *testing.T) {
	f := func(ok bool, names ...string) {
		t.Helper()
		s, err := config.Load(config.Sources{Environ: []string{"REGIONWATCH_COPY_HEADERS=" + strings.Join(names, ",")}})
		if (err == nil) != ok || (output.CheckCarried(names) == nil) != ok {
			t.Errorf("%q: settings %v, processor %v", names, err, output.CheckCarried(names))
		}
		if got := Processor(s).CopyHeaders; ok && !slices.Equal(got, names) {
			t.Errorf("%q are %q for the processor", names, got)
		}
	}
	f(true, "traceparent", "x")
	f(true, slices.Repeat([]string{"x"}, output.MaxCarriedNames)...)
	f(false, slices.Repeat([]string{"x"}, output.MaxCarriedNames+1)...)
	for _, name := range []string{
		output.HeaderAlertID, output.HeaderRuleID, output.HeaderSeverity, output.HeaderContentType, output.HeaderPolicyVersion, output.HeaderPolicyHash,
	} {
		f(false, name)
	}
	s, err := config.Load(config.Sources{Environ: []string{"REGIONWATCH_COPY_HEADERS=none"}})
	if err != nil || len(Processor(s).CopyHeaders) != 0 {
		t.Errorf("none is %q for the processor, %v", Processor(s).CopyHeaders, err)
	}
}
