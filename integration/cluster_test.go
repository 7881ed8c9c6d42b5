package integration

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// cluster is a Kafka whose brokers, numbered from 1, can be made to die and to hang.
type cluster interface {
	Bootstrap() string
	Kill(t *testing.T, id int)    // SIGKILL
	Restart(t *testing.T, id int) // returns when it answers
	Pause(t *testing.T, id int)   // it keeps its connections and says nothing
	Resume(t *testing.T, id int)
}

// startCluster starts as many brokers as asked for, with settings NAME=VALUE, and stops them when the
// test ends. Containers give one broker only; more need the script.
func startCluster(t *testing.T, brokers int, settings ...string) cluster {
	t.Helper()
	if script := os.Getenv("REGIONWATCH_KAFKA_BROKER"); script != "" {
		return startJVM(t, script, brokers, settings)
	}
	environment := map[string]string{}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		environment["KAFKA_"+strings.ToUpper(strings.ReplaceAll(name, ".", "_"))] = value
	}
	if brokers > 1 {
		t.Logf("one broker instead of %d: REGIONWATCH_KAFKA_BROKER is not set", brokers)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c, err := startContainer(ctx, containerSetup{environment: environment})
	if err != nil {
		t.Fatalf("starting Kafka in a container (is there a Docker engine?): %v", err)
	}
	t.Cleanup(func() { c.terminate(t) })
	return c
}

// jvmCluster is made of plain JVM processes by the script that REGIONWATCH_KAFKA_BROKER names.
type jvmCluster struct {
	script, data, bootstrap string
}

func startJVM(t *testing.T, script string, brokers int, settings []string) *jvmCluster {
	t.Helper()
	c := &jvmCluster{script: script, data: filepath.Join(t.TempDir(), "data")}
	t.Cleanup(func() { c.do(t, "stop", "--wipe") })
	var lastErr error
	for range 5 { // the ports may be taken
		arguments := []string{"start", "--data", c.data, "--brokers", strconv.Itoa(brokers), "--port", strconv.Itoa(15000 + 10*rand.IntN(1000))}
		for _, s := range settings {
			arguments = append(arguments, "--set", s)
		}
		var out, progress bytes.Buffer
		command := exec.CommandContext(t.Context(), script, arguments...)
		command.Stdout, command.Stderr = &out, &progress
		if lastErr = command.Run(); lastErr == nil {
			c.bootstrap = strings.TrimSpace(out.String())
			return c
		}
		lastErr = fmt.Errorf("%w\n%s", lastErr, progress.String())
		_ = os.RemoveAll(c.data) // or the next attempt finds this one's brokers
	}
	t.Fatalf("starting brokers: %v", lastErr)
	return nil
}

func (c *jvmCluster) do(t *testing.T, arguments ...string) {
	t.Helper()
	// Not the test's context: brokers are stopped after it has ended.
	command := exec.CommandContext(context.Background(), c.script, append(arguments, "--data", c.data)...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", c.script, strings.Join(arguments, " "), err, out)
	}
}

func (c *jvmCluster) Bootstrap() string            { return c.bootstrap }
func (c *jvmCluster) Kill(t *testing.T, id int)    { c.do(t, "kill", strconv.Itoa(id)) }
func (c *jvmCluster) Restart(t *testing.T, id int) { c.do(t, "restart", strconv.Itoa(id)) }
func (c *jvmCluster) Pause(t *testing.T, id int)   { c.do(t, "pause", strconv.Itoa(id)) }
func (c *jvmCluster) Resume(t *testing.T, id int)  { c.do(t, "resume", strconv.Itoa(id)) }
