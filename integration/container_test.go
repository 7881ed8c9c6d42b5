package integration

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
	"github.com/twmb/franz-go/pkg/kgo"
)

// containerCluster is one Apache Kafka broker in a container, on a fixed port of the loopback interface,
// so that its address outlives a stop and a start.
type containerCluster struct {
	container testcontainers.Container
	brokers   string            // the plaintext listener, for anonymous clients
	secured   map[string]string // the address of each listener beside it
}

// containerSetup is what a container has beyond the usual.
type containerSetup struct {
	environment map[string]string
	files       []testcontainers.ContainerFile
	listeners   []containerListener
}

// containerListener is one beside the plaintext one, on another port in the container.
type containerListener struct{ name, protocol, port string }

// defaultImage is what KAFKA_IMAGE stands in for.
const defaultImage = "apache/kafka:4.3.1"

// startContainer starts one.
func startContainer(ctx context.Context, setup containerSetup) (*containerCluster, error) {
	var err error
	for range 5 { // the port may be taken between our closing it and Docker's opening it
		var c *containerCluster
		if c, err = tryContainer(ctx, setup); err == nil {
			return c, nil
		}
		if !strings.Contains(err.Error(), "already allocated") && !strings.Contains(err.Error(), "address already in use") {
			break
		}
	}
	return nil, err
}

func tryContainer(ctx context.Context, setup containerSetup) (*containerCluster, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	variables := containerEnvironment(address)
	bindings := network.PortMap{}
	ports := []string{"9092/tcp"}
	bind(bindings, ports[0], address)
	secured := map[string]string{}
	for _, l := range setup.listeners {
		if secured[l.name], err = freeAddress(); err != nil {
			return nil, err
		}
		ports = append(ports, l.port+"/tcp")
		bind(bindings, l.port+"/tcp", secured[l.name])
		variables["KAFKA_LISTENERS"] += "," + l.name + "://0.0.0.0:" + l.port
		variables["KAFKA_ADVERTISED_LISTENERS"] += "," + l.name + "://" + secured[l.name]
		variables["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"] += "," + l.name + ":" + l.protocol
	}
	maps.Copy(variables, setup.environment)
	image := os.Getenv("KAFKA_IMAGE")
	if image == "" {
		image = defaultImage
	}
	c, err := testcontainers.Run(ctx, image,
		testcontainers.WithExposedPorts(ports...),
		testcontainers.WithHostConfigModifier(func(hc *container.HostConfig) { hc.PortBindings = bindings }),
		testcontainers.WithEnv(variables),
		testcontainers.WithFiles(setup.files...),
		// Not for the port: Docker's proxy accepts connections before the broker listens.
		testcontainers.WithWaitStrategy(wait.ForLog("Kafka Server started").WithStartupTimeout(time.Minute)),
	)
	if err != nil {
		if c != nil {
			_ = testcontainers.TerminateContainer(c, testcontainers.StopTimeout(0))
		}
		return nil, err
	}
	return &containerCluster{container: c, brokers: address, secured: secured}, nil
}

// bind makes a port of the container ours at the address, which is of the loopback interface; Docker's
// default is every address.
func bind(bindings network.PortMap, port, address string) {
	_, number, _ := net.SplitHostPort(address)
	bindings[network.MustParsePort(port)] = []network.PortBinding{{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: number}}
}

// inNetwork is where containers of the same network reach the broker, once it has joined that as kafka.
const inNetwork = "kafka:9090"

// containerEnvironment is that of one node which clients reach at address.
func containerEnvironment(address string) map[string]string {
	return map[string]string{
		"KAFKA_NODE_ID":                                          "1",
		"KAFKA_PROCESS_ROLES":                                    "broker,controller",
		"KAFKA_CONTROLLER_QUORUM_VOTERS":                         "1@localhost:9093",
		"KAFKA_CONTROLLER_LISTENER_NAMES":                        "CONTROLLER",
		"KAFKA_LISTENERS":                                        "CLIENT://0.0.0.0:9092,NETWORK://0.0.0.0:9090,BROKER://localhost:9094,CONTROLLER://localhost:9093",
		"KAFKA_ADVERTISED_LISTENERS":                             "CLIENT://" + address + ",NETWORK://" + inNetwork + ",BROKER://localhost:9094",
		"KAFKA_LISTENER_SECURITY_PROTOCOL_MAP":                   "CLIENT:PLAINTEXT,NETWORK:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"KAFKA_INTER_BROKER_LISTENER_NAME":                       "BROKER",
		"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR":                 "1",
		"KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS":                     "8",
		"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR":         "1",
		"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR":                    "1",
		"KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS":             "8",
		"KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
		"KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR":            "1",
		"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS":                 "0",
		"KAFKA_BROKER_SESSION_TIMEOUT_MS":                        "3000",
		"KAFKA_BROKER_HEARTBEAT_INTERVAL_MS":                     "500",
		"KAFKA_MESSAGE_MAX_BYTES":                                "1048588", // Kafka's own default, as an operator has it
		"KAFKA_HEAP_OPTS":                                        "-Xms256m -Xmx768m",
	}
}

// freeAddress returns an address of the loopback interface that was free a moment ago.
func freeAddress() (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (c *containerCluster) Bootstrap() string { return c.brokers }

func (c *containerCluster) terminate(t *testing.T) {
	t.Helper()
	if err := testcontainers.TerminateContainer(c.container, testcontainers.StopTimeout(0)); err != nil {
		t.Errorf("removing the container: %v", err)
	}
}

// docker does one thing to the container that testcontainers has no call for.
func (c *containerCluster) docker(t *testing.T, what string, do func(ctx context.Context, d *testcontainers.DockerClient, id string) error) {
	t.Helper()
	ctx := context.Background()
	d, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := do(ctx, d, c.container.GetContainerID()); err != nil {
		t.Errorf("%s the broker's container: %v", what, err)
	}
}

func (c *containerCluster) Kill(t *testing.T, _ int) {
	t.Helper()
	c.docker(t, "killing", func(ctx context.Context, d *testcontainers.DockerClient, id string) error {
		_, err := d.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "KILL"})
		return err
	})
}

// Restart waits with a client: the log still has the line of the first start.
func (c *containerCluster) Restart(t *testing.T, _ int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.container.Start(ctx); err != nil {
		t.Errorf("starting the broker's container: %v", err)
	}
	ping, err := kgo.NewClient(kgo.SeedBrokers(c.brokers))
	if err != nil {
		t.Fatal(err)
	}
	defer ping.Close()
	for ping.Ping(ctx) != nil {
		if ctx.Err() != nil {
			t.Fatal("the broker does not answer after its restart")
		}
	}
}

func (c *containerCluster) Pause(t *testing.T, _ int) {
	t.Helper()
	c.docker(t, "pausing", func(ctx context.Context, d *testcontainers.DockerClient, id string) error {
		_, err := d.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})
}

func (c *containerCluster) Resume(t *testing.T, _ int) {
	t.Helper()
	c.docker(t, "resuming", func(ctx context.Context, d *testcontainers.DockerClient, id string) error {
		_, err := d.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	})
}
