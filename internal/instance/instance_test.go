package instance

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/config"
)

// holdIdentity is the environment variable of a process that claims a name for a group, prints it and holds it until its
// standard input ends.
const holdIdentity = "TEST_HOLD_IDENTITY"

func init() {
	group := os.Getenv(holdIdentity)
	if group == "" {
		return
	}
	id, err := claim(group)
	fmt.Println(id.Name, err)
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// holder is a live process that holds a name.
type holder struct {
	cmd  *exec.Cmd
	stop io.Closer
	name string
}

func newHolder(t *testing.T, group string) *holder {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), holdIdentity+"="+group, "GORACE=atexit_sleep_ms=0")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	name, failure, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || failure != "<nil>" {
		t.Fatalf("claiming a name: %q, %v", line, err)
	}
	t.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
	return &holder{cmd, stdin, name}
}

// kill ends the process with kill -9 and waits until it is gone.
func (h *holder) kill(t *testing.T) {
	t.Helper()
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = h.cmd.Wait()
}

// TestIdentityOfProcesses checks both properties of a name: no two live processes share one, and a process that replaces a
// killed one gets its name at once.
func TestIdentityOfProcesses(t *testing.T) {
	needNames(t)
	group := groupOfOurs(t)
	first, second := newHolder(t, group), newHolder(t, group)
	if first.name == second.name {
		t.Fatalf("two live processes share the name %s", first.name)
	}
	if !regexp.MustCompile(`^[a-zA-Z0-9._-]+-[0-9a-f]{8}-0$`).MatchString(first.name) {
		t.Errorf("name %q", first.name)
	}
	for range 5 {
		first.kill(t)
		again := newHolder(t, group)
		if again.name != first.name {
			t.Fatalf("after a kill the name is %s, it was %s", again.name, first.name)
		}
		first = again
	}
}

func TestIdentityOfGroups(t *testing.T) {
	needNames(t)
	group := groupOfOurs(t)
	one, err := claim(group + "1")
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	other, err := claim(group + "2")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if one.Name != other.Name {
		t.Errorf("groups share numbers: %s, %s", one.Name, other.Name)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := claim(group + "1")
	if err != nil || again.Name != one.Name {
		t.Errorf("a name that was given back: %s, %v, want %s", again.Name, err, one.Name)
	}
	again.Close()
}

// groupOfOurs returns a group unique to this process, because names belong to the whole machine.
func groupOfOurs(t *testing.T) string {
	t.Helper()
	return fmt.Sprint(t.Name(), os.Getpid())
}

// needNames skips systems where names cannot be held; TestIdentityWithout covers those.
func needNames(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("no abstract sockets")
	}
}

// TestIdentityWithout shows what each delivery does when no name can be claimed.
func TestIdentityWithout(t *testing.T) {
	group := groupOfOurs(t)
	for range maxSlots { // take all numbers; on systems without names the effect is the same
		if id, err := claim(group); err == nil {
			defer id.Close()
		}
	}
	f := func(delivery, wantName, wantLog string) {
		t.Helper()
		var log strings.Builder
		id := Identify(&config.Settings{Group: group, Delivery: delivery}, slog.New(slog.NewTextHandler(&log, nil)))
		if !regexp.MustCompile(wantName).MatchString(id.Name) {
			t.Errorf("%s: name %q", delivery, id.Name)
		}
		if wantLog == "" && log.Len() > 0 || !strings.Contains(log.String(), wantLog) {
			t.Errorf("%s: log %q", delivery, log.String())
		}
	}
	f(config.AtLeastOnce, `^$`, "")
	f(config.ExactlyOnce, `^random-[a-z0-9]{26}$`, "--instance-id")
}

func TestIdentityGiven(t *testing.T) {
	f := func(given, want string) {
		t.Helper()
		if id := Identify(&config.Settings{InstanceID: given}, slog.New(slog.DiscardHandler)); id.Name != want || id.held != nil {
			t.Errorf("instance-id %q became %+v", given, id)
		}
	}
	f("pod-0", "pod-0")
	f(config.None, "")
}

func TestAllowedHost(t *testing.T) {
	f := func(host, want string) {
		t.Helper()
		if got := allowedHost(host); got != want {
			t.Errorf("allowedHost(%q) = %q, want %q", host, got, want)
		}
	}
	f("ip-10-0-0-1.ec2.internal", "ip-10-0-0-1.ec2.internal")
	f("Büro Mac", "B-ro-Mac")
	f("azAZ09._-", "azAZ09._-")
	f("`{@[/:", "------")
	f(strings.Repeat("a", 300), strings.Repeat("a", 100))
}
