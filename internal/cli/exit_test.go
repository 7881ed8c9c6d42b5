package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestExitStatus(t *testing.T) {
	f := func(err error, want int) {
		t.Helper()
		if got := ExitStatus(err); got != want {
			t.Errorf("ExitStatus(%v) = %d, want %d", err, got, want)
		}
	}
	f(nil, ExitDone)
	f(Mistake(nil), ExitDone)
	f(errors.New("a"), ExitFault)
	f(Mistake(errors.New("a")), ExitMistake)
	f(errors.Join(Mistake(errors.New("a"))), ExitMistake)
	f(Logged(errors.New("a")), ExitFault)
	f(Logged(Mistake(errors.New("a"))), ExitMistake)
}

func TestReport(t *testing.T) {
	f := func(err error, want string) {
		t.Helper()
		var b strings.Builder
		Report(&b, err)
		if b.String() != want {
			t.Errorf("got %q, want %q", b.String(), want)
		}
	}
	f(nil, "")
	f(Logged(errors.New("a")), "")
	f(errors.New("a\nb\x1b[2Jc\u202e"), "regionwatch: a\nregionwatch: b\\x1b[2Jc\\u202e\n")
}

func TestCommandLine(t *testing.T) {
	cmd := &cobra.Command{Use: "scan"}
	cmd.Flags().StringSlice("regions", nil, "")
	cmd.Flags().String("name", "", "")
	if err := cmd.Flags().Parse([]string{"--regions", "a,b", "--name", "it's $x"}); err != nil {
		t.Fatal(err)
	}
	if got, want := CommandLine(cmd, []string{"logs/", "*.gz"}), `scan '--name=it'\''s $x' --regions=a,b logs/ '*.gz'`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
