package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Embedded is a broker in a separate process, so that its CPU time and memory are not counted.
type Embedded struct {
	Address string

	command *exec.Cmd
	stdin   io.Closer
}

// StartEmbedded runs this executable with the command that calls [ServeEmbedded]. The broker ends with Close, or when
// this process ends for any reason.
func StartEmbedded(ctx context.Context, command string) (*Embedded, error) {
	b, err := startEmbedded(ctx, command)
	if err != nil {
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	return b, nil
}

func startEmbedded(ctx context.Context, command string) (*Embedded, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &Embedded{command: exec.CommandContext(context.WithoutCancel(ctx), self, command)}
	b.command.Stderr = os.Stderr
	stdin, err := b.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := b.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	b.stdin = stdin
	if err := b.command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading its address: %w", err), b.Close())
	}
	b.Address = strings.TrimSpace(line)
	return b, nil
}

// Close ends the broker and waits for it.
func (b *Embedded) Close() error { return errors.Join(b.stdin.Close(), b.command.Wait()) }

// ServeEmbedded runs the broker: it writes its address to stdout and serves until stdin ends. It ignores signals,
// because an interrupted benchmark deletes its topics first.
func ServeEmbedded(stdin io.Reader, stdout io.Writer) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("regionwatch-bench")) // on a port chosen by the system
	if err != nil {
		return fmt.Errorf("starting the broker: %w", err)
	}
	defer cluster.Close()
	fmt.Fprintln(stdout, cluster.ListenAddrs()[0])
	_, err = io.Copy(io.Discard, stdin)
	return err
}
