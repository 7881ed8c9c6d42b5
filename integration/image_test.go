package integration

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	networktypes "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tcexec "github.com/testcontainers/testcontainers-go/exec"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What the image under test says of itself.
const (
	imageVersion = "v1.2.3-test"
	imageCommit  = "0123456789abcdef0123456789abcdef01234567"
)

// TestKafkaContainerImage wants the image, built from nothing with the binary that a release gives out, to work where it
// may do as little as can be: as a user without a name, without capabilities, on a root file system that it cannot write
// to. It is stopped as an orchestrator does it, and must finish its work.
func TestKafkaContainerImage(t *testing.T) {
	s := newScene(t, sharedBroker(t), 2)
	c := startImage(t, "run", map[string]string{
		"REGIONWATCH_BROKERS": inNetwork, "REGIONWATCH_INPUT_TOPIC": s.input, "REGIONWATCH_ALERT_TOPIC": s.alerts,
		"REGIONWATCH_DEAD_LETTER_TOPIC": s.deadLetters, "REGIONWATCH_GROUP": s.group, "TZ": "Asia/Kathmandu",
	})
	checkImage(t, c)
	eventually(t, time.Minute, func() error {
		if status, said := inContainer(t, c, "/regionwatch", "health", "--ready"); status != 0 {
			return fmt.Errorf("regionwatch health --ready: status %d, %q", status, said)
		}
		return nil
	})
	if status, said := inContainer(t, c, "/regionwatch", "health", "--admin-address", "127.0.0.1:1"); status != 1 {
		t.Errorf("regionwatch health where nothing listens: status %d, want 1; %q", status, said)
	}
	if _, said := inContainer(t, c, "/regionwatch", "version"); !strings.Contains(said, imageVersion+" commit "+imageCommit) {
		t.Errorf("version: %q", said)
	}

	var want []string
	for n := range 1000 {
		s.produce(t, &kgo.Record{Partition: int32(n % 2), Value: []byte(event(eventID(n), "eu-central-1", n%10 != 0))})
		if n%10 == 0 {
			want = append(want, alertID("123456789012", eventID(n)))
		}
	}
	s.settle(t, time.Minute)
	stopAfter := time.Minute // not Docker's 10 s: the drain timeout is 25 s
	if err := c.Stop(t.Context(), &stopAfter); err != nil {
		t.Fatalf("stopping the container: %v", err)
	}
	checkEnd(t, c)
	group, err := s.admin.DescribeGroups(t.Context(), s.group)
	if err != nil || len(group[s.group].Members) != 0 {
		t.Errorf("the group still has members: %v, %v", group[s.group].Members, err)
	}
	got := map[string]int{}
	for _, r := range s.readAll(t, s.alerts) {
		got[header(r, "alert-id")]++
	}
	once := map[string]int{}
	for _, id := range want {
		once[id] = 1
	}
	if diff := cmp.Diff(once, got); diff != "" {
		t.Errorf("alerts by id (-want +got):\n%s", diff)
	}
}

// imageContext returns a folder with the binary of a release and the Dockerfile that puts it in an image.
func imageContext(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	release := exec.CommandContext(t.Context(), "../.ci/release", folder)
	release.Env = append(os.Environ(), "PLATFORMS=linux/"+runtime.GOARCH, "SBOM=no", "VERSION="+imageVersion, "COMMIT="+imageCommit)
	if out, err := release.CombinedOutput(); err != nil {
		t.Fatalf("making the binary: %v\n%s", err, out)
	}
	if err := os.Rename(filepath.Join(folder, "regionwatch-linux-"+runtime.GOARCH), filepath.Join(folder, "regionwatch")); err != nil {
		t.Fatal(err)
	}
	dockerfile, err := os.ReadFile("../deploy/docker/Dockerfile")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "Dockerfile"), dockerfile, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// startImage builds the image and starts it in a new network, in which the shared broker is kafka. It returns when
// the image's own check calls the container healthy.
func startImage(t *testing.T, command string, environment map[string]string) testcontainers.Container {
	t.Helper()
	version, commit := imageVersion, imageCommit
	c, err := testcontainers.Run(t.Context(), "",
		testcontainers.WithDockerfile(testcontainers.FromDockerfile{
			Context: imageContext(t), BuildArgs: map[string]*string{"VERSION": &version, "COMMIT": &commit},
			BuildOptionsModifier: func(o *client.ImageBuildOptions) { o.Target = "prebuilt" },
		}),
		testcontainers.WithCmd(command),
		testcontainers.WithEnv(environment),
		network.WithNetwork(nil, brokerNetwork(t)),
		testcontainers.WithConfigModifier(func(c *container.Config) {
			c.Healthcheck = &container.HealthConfig{Interval: time.Second} // the command stays that of the image
		}),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.ReadonlyRootfs, h.CapDrop, h.SecurityOpt = true, []string{"ALL"}, []string{"no-new-privileges"}
			h.Memory = 1 << 30 // as in the chart
		}),
		testcontainers.WithWaitStrategy(wait.ForHealthCheck().WithStartupTimeout(time.Minute)),
	)
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatalf("starting the image: %v\n%s", err, containerLog(t, c))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the container:\n%s", containerLog(t, c))
		}
	})
	return c
}

// brokerNetwork makes a network and has the shared broker join it as kafka.
func brokerNetwork(t *testing.T) *testcontainers.DockerNetwork {
	t.Helper()
	n, err := network.New(t.Context())
	testcontainers.CleanupNetwork(t, n)
	if err != nil {
		t.Fatalf("making a network: %v", err)
	}
	shared.cluster.docker(t, "connecting", func(ctx context.Context, d *testcontainers.DockerClient, id string) error {
		_, err := d.NetworkConnect(ctx, n.ID, client.NetworkConnectOptions{
			Container: id, EndpointConfig: &networktypes.EndpointSettings{Aliases: []string{"kafka"}},
		})
		return err
	})
	t.Cleanup(func() {
		shared.cluster.docker(t, "disconnecting", func(ctx context.Context, d *testcontainers.DockerClient, id string) error {
			_, err := d.NetworkDisconnect(ctx, n.ID, client.NetworkDisconnectOptions{Container: id, Force: true})
			return err
		})
	})
	return n
}

// checkImage looks at what the image says of itself and at its size.
func checkImage(t *testing.T, c testcontainers.Container) {
	t.Helper()
	state, err := c.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shared.cluster.docker(t, "looking at", func(ctx context.Context, d *testcontainers.DockerClient, _ string) error {
		image, err := d.ImageInspect(ctx, state.Image)
		if err != nil {
			return err
		}
		t.Logf("the image has %.1f MB in %d layers", float64(image.Size)/1e6, len(image.RootFS.Layers))
		if image.Config.User != "65532:65532" {
			t.Errorf("user %q, want one without a name that is not root", image.Config.User)
		}
		for label, want := range map[string]string{"version": imageVersion, "revision": imageCommit, "licenses": "Apache-2.0"} {
			if got := image.Config.Labels["org.opencontainers.image."+label]; got != want {
				t.Errorf("label %s: %q, want %q", label, got, want)
			}
		}
		return nil
	})
}

// checkEnd checks that the container ended well, its time zone known and its file system untouched.
func checkEnd(t *testing.T, c testcontainers.Container) {
	t.Helper()
	state, err := c.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if state.State.ExitCode != 0 || state.State.OOMKilled {
		t.Errorf("exit status %d, out of memory: %v", state.State.ExitCode, state.State.OOMKilled)
	}
	if log := containerLog(t, c); !strings.Contains(log, "+05:45") {
		t.Error("the log's times are not of Asia/Kathmandu: the image has no time zones")
	}
	shared.cluster.docker(t, "looking at", func(ctx context.Context, d *testcontainers.DockerClient, _ string) error {
		diff, err := d.ContainerDiff(ctx, c.GetContainerID(), client.ContainerDiffOptions{})
		if len(diff.Changes) != 0 {
			t.Errorf("the container's files have changed: %v", diff.Changes)
		}
		return err
	})
}

// inContainer runs a command in the container, and returns its exit status and what it wrote.
func inContainer(t *testing.T, c testcontainers.Container, command ...string) (status int, said string) {
	t.Helper()
	status, out, err := c.Exec(t.Context(), command, tcexec.Multiplexed())
	if err != nil {
		t.Fatalf("running %q in the container: %v", command, err)
	}
	all, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	return status, string(all)
}

// containerLog is what the container has written.
func containerLog(t *testing.T, c testcontainers.Container) string {
	t.Helper()
	if c == nil {
		return ""
	}
	r, err := c.Logs(context.WithoutCancel(t.Context()))
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	all, _ := io.ReadAll(r)
	return string(all)
}
