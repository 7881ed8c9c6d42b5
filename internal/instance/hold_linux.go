package instance

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// A place is identified by the running kernel (random(4)) and its network namespace (namespaces(7)).
const (
	bootIDFile  = "/proc/sys/kernel/random/boot_id"
	networkLink = "/proc/self/ns/net"
)

// placeMark returns a mark that is unique to this network namespace, on this host and among all, until the host reboots.
// Hosts and containers that share a host name thus differ, and processes with the same mark share the names of
// [holdName]. A container that Kubernetes restarts in its pod finds its old mark.
func placeMark() (string, error) {
	boot, err := os.ReadFile(bootIDFile)
	if err != nil {
		return "", fmt.Errorf("reading the boot id: %w", err)
	}
	network, err := os.Readlink(networkLink)
	if err != nil {
		return "", fmt.Errorf("reading the network namespace: %w", err)
	}
	return shortHash(strings.TrimSpace(string(boot)) + " " + network), nil
}

// holdName takes a name in the network namespace: an abstract socket (unix(7)) that nobody connects to. A locked file
// would not do: a cleaner of the temporary folder may delete it under a long-lived process, and a service with a private
// temporary folder does not share it.
func holdName(name string) (io.Closer, error) {
	held, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: "@" + name})
	if err != nil {
		return nil, err
	}
	return held, nil
}
