package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
)

// binary is the program under test, built once.
var binary string

// shared is the container that the TestKafka tests have in common, started by the first that needs it.
var shared struct {
	once    sync.Once
	cluster *containerCluster
	err     error
}

func TestMain(m *testing.M) {
	if os.Getenv(bareConsumerVariable) != "" {
		runBareConsumer()
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "regionwatch-integration")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the binary:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "regionwatch")
	build := exec.CommandContext(context.Background(), "go", "-C", "..", "build", "-o", binary, "./cmd/regionwatch")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the binary:", err)
		return 1
	}
	defer func() {
		for _, c := range []*containerCluster{shared.cluster, sharedSecured.cluster} {
			if c != nil {
				_ = testcontainers.TerminateContainer(c.container, testcontainers.StopTimeout(0))
			}
		}
	}()
	return m.Run()
}

// sharedBroker returns the address of the broker that the TestKafka tests have in common.
func sharedBroker(t *testing.T) string {
	t.Helper()
	shared.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		shared.cluster, shared.err = startContainer(ctx, containerSetup{})
	})
	if shared.err != nil {
		t.Fatalf("starting Kafka in a container (is there a Docker engine?): %v", shared.err)
	}
	return shared.cluster.brokers
}
