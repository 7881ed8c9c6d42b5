package docs_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// bin is the folder of the regionwatch binary that built builds.
var bin string

// built builds regionwatch from this tree, once for all tests that run it.
var built = sync.OnceValue(func() error {
	build := exec.Command("go", "build", "-o", bin, "./cmd/regionwatch")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return errors.New(string(out))
	}
	return nil
})

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "regionwatch-docs-"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(bin)
	os.Exit(status)
}

func binFolder(t *testing.T) string {
	t.Helper()
	if err := built(); err != nil {
		t.Fatal(err)
	}
	return bin
}

// run runs a command in a folder, without this process's settings, and returns its output and exit status.
func run(t *testing.T, folder string, input []byte, name string, args ...string) (stdout, stderr []byte, status int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir, command.Stdin = folder, bytes.NewReader(input)
	command.Env = []string{"PATH=" + binFolder(t) + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + folder}
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Run(); err != nil {
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
			t.Fatal(err)
		}
	}
	return out.Bytes(), errs.Bytes(), command.ProcessState.ExitCode()
}

func regionwatch(t *testing.T, folder string, input []byte, args ...string) (stdout, stderr []byte, status int) {
	t.Helper()
	return run(t, folder, input, filepath.Join(binFolder(t), "regionwatch"), args...)
}

var (
	continued = regexp.MustCompile(`\\\n\s*`)
	comment   = regexp.MustCompile(`\s#\s.*$`)
	quoted    = regexp.MustCompile("`(?:bin/)?(regionwatch [^`]*)`")
	// invocation matches a call of the program in a shell line: at its start, or after variables, a pipe, another command
	// or "--", and up to a redirection.
	invocation = regexp.MustCompile(`(?:^|[|;&]\s*|^(?:[A-Z_]+=\S+\s+)+| -- )(?:bin/)?regionwatch ([a-z][^|;&<>]*)`)
	word       = regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)
)

// invocations returns the program's command lines in a page, from shell blocks and from quotes in the text.
func invocations(page, text string) []string {
	var found []string
	for _, b := range blocks(page, text) {
		if language, _, _ := strings.Cut(b.info, " "); language != "sh" && language != "yaml ci" {
			continue
		}
		for line := range strings.Lines(continued.ReplaceAllString(b.text, " ")) {
			line = comment.ReplaceAllString(strings.TrimSpace(line), "")
			for _, match := range invocation.FindAllStringSubmatch(line, -1) {
				found = append(found, match[1])
			}
		}
	}
	for _, match := range quoted.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		if match := invocation.FindStringSubmatch(match[1]); match != nil {
			found = append(found, match[1])
		}
	}
	return found
}

// form identifies a command line by its subcommand and flags: values make no difference to parsing.
func form(args []string) string {
	names := []string{args[0]}
	for i, arg := range args[1:] {
		if flag, _, _ := strings.Cut(arg, "="); strings.HasPrefix(flag, "-") || i == 0 {
			names = append(names, flag)
		}
	}
	return strings.Join(names, " ")
}

// TestCommands makes the program parse every command line of every page: its subcommand and each flag must exist. With
// --help the program does nothing else.
func TestCommands(t *testing.T) {
	seen := map[string]bool{}
	for page, text := range documents(t) {
		for _, line := range invocations(page, text) {
			args := word.FindAllString(strings.NewReplacer("…", "x", " ...", "").Replace(line), -1)
			for i := range args {
				args[i] = strings.Trim(args[i], `'"`)
			}
			if len(args) == 0 || args[0] == "completion" || seen[form(args)] {
				continue
			}
			seen[form(args)] = true
			out, errs, status := regionwatch(t, t.TempDir(), nil, append(args, "--help")...)
			if status != 0 || !strings.Contains(string(out), "Usage:\n  regionwatch "+args[0]) {
				t.Errorf("%s: regionwatch %s: status %d: %s", page, line, status, errs)
			}
		}
	}
	if len(seen) < 30 {
		t.Errorf("only %d command lines found", len(seen))
	}
}

// TestRunnable runs the blocks that are marked as runnable, page by page and in order, like a reader who copies them into
// a shell in one folder. A block may name its exit status.
func TestRunnable(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("the blocks are for bash")
	}
	ran := 0
	for page, text := range documents(t) {
		var runnable []block
		for _, b := range blocks(page, text) {
			if strings.HasPrefix(b.info, "sh runnable") || strings.Contains(b.info, " file=") {
				runnable = append(runnable, b)
			}
		}
		if len(runnable) == 0 {
			continue
		}
		t.Run(page, func(t *testing.T) {
			folder := t.TempDir()
			for _, b := range runnable {
				if _, name, ok := strings.Cut(b.info, " file="); ok {
					if err := os.WriteFile(filepath.Join(folder, name), []byte(b.text), 0o600); err != nil {
						t.Fatal(err)
					}
					continue
				}
				ran++
				want := strings.TrimPrefix(strings.TrimPrefix(b.info, "sh runnable"), " status=")
				if want == "" {
					want = "0"
				}
				out, errs, status := run(t, folder, nil, shell, "-euo", "pipefail", "-c", b.text)
				if want != string(rune('0'+status)) {
					t.Fatalf("%s:%d: status %d, want %s:\n%s%s", b.page, b.line, status, want, out, errs)
				}
			}
		})
	}
	if ran < 5 {
		t.Errorf("only %d runnable blocks found", ran)
	}
}
