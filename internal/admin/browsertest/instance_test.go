package browsertest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// policy makes every region unused but one, so that events with regions of no catalogue alert too.
const policy = "version: v1\ndefault: {allowed_regions: [us-east-1]}\n"

// instance is the program, with an embedded broker before it.
type instance struct {
	t      *testing.T
	cmd    *exec.Cmd
	client *kgo.Client
	page   string   // its URL
	binary string   // the program
	args   []string // of every command
}

// buildProgram builds the program in a folder.
func buildProgram(t *testing.T, folder string) (binary string) {
	t.Helper()
	binary = filepath.Join(folder, "regionwatch")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/regionwatch")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return binary
}

// startInstance builds the program and starts it until the test ends.
func startInstance(t *testing.T) *instance {
	t.Helper()
	folder := t.TempDir()
	binary := buildProgram(t, folder)
	name := filepath.Join(folder, "policy.yaml")
	if err := os.WriteFile(name, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "cloudtrail"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("cloudtrail"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	i := &instance{t: t, client: client, binary: binary, args: []string{
		"--brokers", cluster.ListenAddrs()[0], "--create-topics", "--admin-address", "127.0.0.1:0", "--policy", name, "--log-format", "json",
	}}
	i.start("run")
	return i
}

// stageTwo starts an instance that groups the alerts of the first one.
func (i *instance) stageTwo() *instance {
	i.t.Helper()
	two := &instance{t: i.t, client: i.client, binary: i.binary, args: append([]string{"--instance-id", "two"}, i.args...)}
	two.start("incidents")
	return two
}

func (i *instance) start(command string) {
	i.t.Helper()
	i.cmd = exec.CommandContext(context.WithoutCancel(i.t.Context()), i.binary, append([]string{command}, i.args...)...)
	i.cmd.Cancel = nil
	log, err := i.cmd.StderrPipe()
	if err != nil {
		i.t.Fatal(err)
	}
	if err := i.cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = i.cmd.Process.Kill() })
	i.page = "http://" + i.adminAddress(bufio.NewScanner(log)) + "/"
}

// adminAddress reads the log up to the line that tells it, and leaves the rest to be thrown away.
func (i *instance) adminAddress(lines *bufio.Scanner) string {
	i.t.Helper()
	for lines.Scan() {
		var entry struct {
			Admin string `json:"admin_address"`
		}
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Admin != "" {
			go func() {
				for lines.Scan() {
				}
			}()
			return entry.Admin
		}
	}
	i.t.Fatal("the program has ended without telling its admin address")
	return ""
}

// stop ends the instance as an operator does, and wants it to end well.
func (i *instance) stop() {
	i.t.Helper()
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		i.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- i.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			i.t.Errorf("the instance ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		i.t.Error("an open page keeps the instance from its end")
	}
}

// produce writes records and waits for their acknowledgement.
func (i *instance) produce(values ...string) {
	i.t.Helper()
	for _, value := range values {
		if err := i.client.ProduceSync(i.t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
			i.t.Fatal(err)
		}
	}
}

// event returns an event that alerts, with text wherever an attacker may write some.
func event(number int, text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return strings.NewReplacer("TEXT", string(quoted), "NUMBER", fmt.Sprint(number)).Replace(`{"eventVersion":"1.08","eventID":"id-NUMBER",` +
		`"eventTime":TEXT,"eventSource":TEXT,"eventName":TEXT,"awsRegion":TEXT,"sourceIPAddress":TEXT,"userAgent":TEXT,` +
		`"errorCode":TEXT,"recipientAccountId":"111122223333","readOnly":false,"userIdentity":{"type":TEXT,"userName":TEXT,` +
		`"arn":TEXT,"principalId":TEXT,"accountId":TEXT}}`)
}
