package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// What sets a place apart: the running kernel (random(4)) and the network namespace in it (namespaces(7)).
const (
	bootIDFile  = "/proc/sys/kernel/random/boot_id"
	networkLink = "/proc/self/ns/net"
)

// placeMark returns a mark of this network namespace that no other has, on this host or another, until
// the host is booted again. Hosts and containers that share a name thus have different marks, and
// whatever shares the mark shares the names of [holdName]. A container that Kubernetes starts again in
// its pod finds its old mark.
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

// holdName takes a name in the network namespace: an abstract socket (unix(7)) that nobody talks to. It
// beats a locked file, which a cleaner of the temporary folder may delete under a long-lived process, and
// which a service with a temporary folder of its own does not share.
func holdName(name string) (io.Closer, error) {
	held, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: "@" + name})
	if err != nil {
		return nil, err
	}
	return held, nil
}
