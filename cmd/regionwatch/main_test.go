package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// asCommand makes the test binary run as the command, so that exit statuses and signals are real.
const asCommand = "TEST_AS_REGIONWATCH"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// ours reports whether a variable of the test's environment would change the command.
func ours(entry string) bool {
	name, _, _ := strings.Cut(entry, "=")
	return strings.HasPrefix(name, config.Prefix) || name == "GOGC" || name == "GOMEMLIMIT"
}

// command returns the command with these arguments and without settings from the test's environment.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	for _, entry := range os.Environ() {
		if !ours(entry) {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	// With the race detector a process sleeps for a second before it exits, by default.
	cmd.Env = append(cmd.Env, asCommand+"=1", "GORACE=atexit_sleep_ms=0")
	return cmd
}

// runCommand runs the command and returns its output and exit status.
func runCommand(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return result(t, command(t, args...))
}

// result runs a command that ends by itself, and returns its output and exit status.
func result(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, status int) {
	t.Helper()
	var out strings.Builder
	errs := untilStart{cmd: cmd}
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() }) // it hangs
	defer kill.Stop()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.text.String(), cmd.ProcessState.ExitCode()
}

// untilStart is the standard error of a command. It kills a service that starts although it should have refused.
type untilStart struct {
	cmd  *exec.Cmd
	text strings.Builder
}

// Write implements io.Writer.
func (u *untilStart) Write(p []byte) (int, error) {
	u.text.Write(p)
	if strings.Contains(u.text.String(), `"msg":"starting"`) {
		_ = u.cmd.Process.Kill()
	}
	return len(p), nil
}

// Standard output that cannot be written is a fault with its cause, and no mistake in the command line.
func TestFullOutput(t *testing.T) {
	for _, args := range []string{"--help", "help scan", "scan --help", "policy", "--version", "completion bash", "regions", "generate --count 1"} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip("this system has no /dev/full")
		}
		cmd := command(t, strings.Fields(args)...)
		var stderr strings.Builder
		cmd.Stdout, cmd.Stderr = full, &stderr
		_ = cmd.Run()
		full.Close()
		if status := cmd.ProcessState.ExitCode(); status != cli.ExitFault || !strings.Contains(stderr.String(), "no space left on device") {
			t.Errorf("%s: status %d: %s", args, status, &stderr)
		}
	}
}

func TestCommandLineFailure(t *testing.T) {
	f := func(args string, want ...string) {
		t.Helper()
		stdout, stderr, status := runCommand(t, strings.Fields(args)...)
		if status != cli.ExitMistake || stdout != "" {
			t.Errorf("%s: status %d, want %d; standard output %q", args, status, cli.ExitMistake, stdout)
		}
		for i := range want {
			want[i] = "regionwatch: " + want[i]
		}
		got := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", args, diff)
		}
	}
	const required = "brokers: is required: give flag --brokers, environment REGIONWATCH_BROKERS or file key brokers;" +
		" allowed: host:port, several with commas"
	f("versio", `no such command: "versio", did you mean version?`)
	f("zzzzzz", `no such command: "zzzzzz"; there are bench, check, completion, deadletter, demo, explain, generate, health, help, incidents, policy, regions, run, scan, validate, version`)
	f("policy tset cases.yaml", `no such policy command: "tset", did you mean test?`)
	f("policy init", `no such policy command: "init"; there are diff, export-scp, import-scp, learn, schema, show, test`)
	f("policy tset --x", `no such policy command: "tset", did you mean test?`)
	f("deadletter lst", `no such deadletter command: "lst", did you mean list?`)
	f("completion bsah", `no such completion command: "bsah", did you mean bash?`)
	f("help scna", `no such command: "scna", did you mean scan?`)
	f("help policy tset", `no such policy command: "tset", did you mean test?`)
	f("run", required)
	f("run --brokers=a:1 extra", `regionwatch run: "extra" is not expected; it takes flags only`)
	f("version --format yaml", `flag --format: "yaml" is not known; allowed: text, json`)
	f("version --formt text --format yaml --x=1 -q",
		"flag --formt: no such flag, did you mean --format?",
		`flag --format: "yaml" is not known; allowed: text, json`,
		"flag --x: no such flag; regionwatch version --help lists them",
		"flag -q: no such flag")
	f("run --brokers a:1 --delivry=x --sessions many --group",
		"flag --delivry: no such flag, did you mean --delivery?",
		"flag --group: has no value; allowed: printable text of up to 249 characters",
		`flag --sessions: "many" is not a whole number; allowed: a number from 0 to 64`)
	f("run --delivery x --unused-regions eu-centrl-1,xx-nowhere-9",
		`flag --delivery: "x" is unknown; allowed: at-least-once, exactly-once`,
		required,
		`flag --unused-regions: "eu-centrl-1" is not an AWS region, did you mean "eu-central-1"?`,
		`flag --unused-regions: "xx-nowhere-9" is not an AWS region (as of `+regions.Date+`)`)
	f("validate --brokers=a:1 --unused-regions Frankfurt", `flag --unused-regions: "Frankfurt" is not an AWS region, did you mean "eu-central-1"?`)
	f("validate --config=testdata/nothing --brokers=a:1", `flag --config: reading testdata/nothing: no such file or directory`)
	f("scan x --policy=testdata/nothing", "flag --policy: testdata/nothing: no such file or directory")
	f("run --brokers=a\x1b]0;x\x07:1", `flag --brokers: "a\x1b]0;x\a:1" is not host:port; allowed: host:port, several with commas`)
	f("run\x1b[2J", `no such command: "run\x1b[2J", did you mean run?`)
	f("run --br\x1b[2Jok --brokers=a:1", `flag --br\x1b[2Jok: no such flag; regionwatch run --help lists them`)
}

// Help fits 100 columns, and shows an example of every command.
func TestHelpOfEveryCommand(t *testing.T) {
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			visit(c)
		}
		if cmd.Hidden || !cmd.HasParent() {
			return
		}
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		var help bytes.Buffer
		cmd.SetOut(&help)
		cmd.InitDefaultHelpFlag()
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(help.String()) {
			if n := display.Width(strings.TrimSuffix(line, "\n")); n > 100 {
				t.Errorf("%s: a line of %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
	}
	visit(newRootCommand())
	for _, args := range []string{"help --help", "completion --help", "completion bash --help", "completion zsh --help", "completion fish --help", "completion powershell --help"} {
		if stdout, _, _ := runCommand(t, strings.Fields(args)...); !strings.Contains(stdout, "\nExamples:\n  regionwatch ") {
			t.Errorf("%s shows no example: %s", args, stdout)
		}
	}
}

// A file that does not exist is a mistake in the command line, for every command that reads or writes one.
func TestMissingFileStatus(t *testing.T) {
	policyFile, cases := "../../docs/policy/policy.yaml", "../../docs/policy/tests.yaml"
	for _, args := range []string{
		"scan nothing", "scan nothing*", "scan s3://bucket/", "scan testdata/scan/mixed.ndjson nothing", "scan testdata/scan --dead-letters nothing/x", "scan testdata/scan --report nothing/x",
		"scan testdata/scan --policy nothing", "explain nothing", "validate --policy nothing", "validate --brokers=a:1 --config nothing",
		"run --config nothing", "run --brokers a:1 --tls --tls-ca nothing", "check --brokers a:1 --tls --tls-ca nothing",
		"policy show --policy nothing", "policy test nothing --policy " + policyFile, "policy test " + cases + " --policy nothing",
		"policy diff nothing " + policyFile, "policy diff " + policyFile + " " + policyFile + " --events nothing", "policy import-scp nothing", "policy export-scp nothing",
		"deadletter list --config nothing", "deadletter show x:0:0 --config nothing", "deadletter replay --config nothing",
		"demo --policy nothing", "generate --count 1 --truth nothing/x", "bench --file nothing", "health --config nothing",
	} {
		_, stderr, status := runCommand(t, strings.Fields(args)...)
		if status != cli.ExitMistake || !strings.Contains(stderr, "nothing") && !strings.Contains(stderr, "s3://") {
			t.Errorf("%s: exit status %d, want %d:\n%s", args, status, cli.ExitMistake, stderr)
		}
	}
}

func TestCommandLineSuccess(t *testing.T) {
	f := func(args string, want ...string) {
		t.Helper()
		stdout, stderr, status := runCommand(t, strings.Fields(args)...)
		if status != cli.ExitDone || stderr != "" {
			t.Errorf("%s: status %d, standard error %q", args, status, stderr)
		}
		flat := strings.Join(strings.Fields(stdout), " ") // help is wrapped
		for _, w := range want {
			if !strings.Contains(stdout, w) && !strings.Contains(flat, w) {
				t.Errorf("%s lacks %q:\n%s", args, w, stdout)
			}
		}
	}
	f("", "Exit status: 0 done", "run", "scan", "demo", "generate", "validate", "version")
	f("--help", "Exit status: 0 done")
	f("run --help", "--dead-letter-topic", "REGIONWATCH_INPUT_TOPIC", "Settings: ", "(default at-least-once)")
	f("version", "regionwatch ", " go1.")
	f("--version", "regionwatch ", " go1.", "\n  GOARCH=")
	f("-v", "regionwatch ", " go1.")
	f("policy", "  test ", "Usage:")
	f("help policy test", "Outcome")
	f("version --format json", `"go":"go1.`)
	f("validate --brokers=a:1 --group=b --settings", "group ", "flag --group", "policy version sha256:")
	f("validate --brokers=a:1 --policy-version=v1 --format=json", `"policyVersion":"v1"`, `{"name":"brokers","value":"a:1","from":"flag --brokers"}`)
	f("regions", "REGION", "eu-central-1", "Europe (Frankfurt)", "opt-in", regions.Date)
	f("regions --partition aws-cn --format json", `{"code":"cn-north-1"`)
	f("regions --optional", "ap-east-1", "opt-in")
	f("regions --format json", `{"code":"us-east-1","partition":"aws","name":"US East (N. Virginia)","optIn":false}`)
	f("completion bash", "complete")
}

// TestCompletion checks what a shell offers after the flag.
func TestCompletion(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		stdout, _, status := runCommand(t, append([]string{"__complete"}, args...)...)
		if status != cli.ExitDone || stdout != want {
			t.Errorf("%q: status %d, offers %q, want %q", args, status, stdout, want)
		}
	}
	const noFiles, filesOf = ":4\n", ":8\n" // cobra's directives
	f("at-least-once\nexactly-once\n"+noFiles, "run", "--delivery", "")
	f("earliest\nlatest\n"+noFiles, "validate", "--start", "")
	f("text\njson\n"+noFiles, "version", "--format", "")
	f("yaml\nyml\n"+filesOf, "run", "--config", "")
	const noSpace = ":6\n"
	shapes := strings.Join(sample.ShapeNames(), "\n") + "\n"
	f(shapes+noSpace, "generate", "--shape", "")
	f("event,gzip+"+strings.ReplaceAll(strings.TrimSuffix(shapes, "\n"), "\n", "\nevent,gzip+")+"\n"+noSpace, "demo", "--shape", "event,gzip+r")
	f("alert\ndead-letter\n"+noSpace, "scan", "--fail-on", "")
	f("alert,alert\nalert,dead-letter\n"+noSpace, "scan", "--fail-on", "alert,d")
	file := writePolicy(t, `{accounts: {"222222222222": {name: payments, unused_regions: [eu-west-3]}}}`)
	f("222222222222\tpayments\n"+noFiles, "policy", "show", "--policy", file, "--account", "")
	for _, args := range [][]string{{"scan", "--unused-regions", "ap-east-1,eu-"}, {"generate", "--regions", "ap-east-1,eu-"}, {"run", "--unused-regions", "ap-east-1,eu-"}} {
		stdout, _, _ := runCommand(t, append([]string{"__complete"}, args...)...)
		if !strings.Contains(stdout, "ap-east-1,eu-central-1\tEurope (Frankfurt)\n") || !strings.HasSuffix(stdout, noSpace) {
			t.Errorf("%q offers %q", args, stdout)
		}
	}
}

// TestMistakesKeepNothing shows that parsing the command line again past its mistakes does not count repeated flags twice.
func TestMistakesKeepNothing(t *testing.T) {
	_, stderr, _ := runCommand(t, "run", "--brokers=a:1", "--brokers=b", "--zzzzzz", "--yyyyyy")
	if n := strings.Count(stderr, `"b" is not host:port`); n != 1 {
		t.Errorf("told %d times:\n%s", n, stderr)
	}
}

// TestDefaultRegions checks that the settings' default is the rule's own list.
func TestDefaultRegions(t *testing.T) {
	s, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(policy.DefaultUnusedRegions, s.UnusedRegions); diff != "" {
		t.Errorf("default of unused-regions (-rule +settings):\n%s", diff)
	}
}

// TestRoots checks that TLS has roots on a system without any. A process reads the system's roots once, so this uses a
// second process.
func TestRoots(t *testing.T) {
	const variable = "TEST_ROOTS"
	if os.Getenv(variable) != "" {
		if roots, err := x509.SystemCertPool(); err != nil || roots.Equal(x509.NewCertPool()) {
			t.Errorf("no roots: %v", err)
		}
		return
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRoots$")
	nowhere := filepath.Join(t.TempDir(), "none")
	command.Env = append(os.Environ(), variable+"=1", "SSL_CERT_FILE="+nowhere, "SSL_CERT_DIR="+nowhere)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// What a package keeps from its init the collector multiplies: the heap may grow to five times what is in use. A regular
// expression with a large bound, such as [a-z]{1,64}, is easily a megabyte.
func TestInitIsSmall(t *testing.T) {
	const most = 256 << 10
	cmd := command(t, "version")
	cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
	_, trace, _ := result(t, cmd)
	lines := regexp.MustCompile(`(?m)^init (\S*regionwatch\S*) .* (\d+) bytes`).FindAllStringSubmatch(trace, -1)
	if len(lines) < 5 {
		t.Fatalf("the trace names %d packages of this program:\n%s", len(lines), trace)
	}
	for _, line := range lines {
		if n, err := strconv.Atoi(line[2]); err != nil || n > most {
			t.Errorf("%s allocates %s bytes when the process starts, at most %d are allowed", line[1], line[2], most)
		}
	}
}
