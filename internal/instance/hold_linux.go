package instance

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// The running kernel (random(4)) and the network namespace (namespaces(7)) identify a place.
const (
	bootIDFile  = "/proc/sys/kernel/random/boot_id"
	networkLink = "/proc/self/ns/net"
)

// placeMark returns a mark of this network namespace that is unique across hosts until the host reboots. Hosts and
// containers with the same host name therefore differ, and processes with the same mark share the names of [holdName]. A
// container that Kubernetes restarts in its pod gets the same mark again.
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

// holdName claims a name in the network namespace: an abstract socket (unix(7)) that nothing connects to. A locked file
// would not work: a cleaner of the temporary folder may delete it under a long-lived process, and a service with a private
// temporary folder does not share it.
func holdName(name string) (io.Closer, error) {
	held, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: "@" + name})
	if err != nil {
		return nil, err
	}
	return held, nil
}
