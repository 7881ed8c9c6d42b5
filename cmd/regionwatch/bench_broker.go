package main

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

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/regionwatch/regionwatch/internal/cli"
)

// benchBrokerName is the command that is the embedded broker of bench: in a process of its own, its processor time and
// its memory are not taken for ours.
const benchBrokerName = "bench-broker"

func newBenchBrokerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    benchBrokerName,
		Short:  "The embedded broker of bench, until its standard input ends",
		Hidden: true,
		Args:   cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGTERM)                                                // bench deletes its topics first
			cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("regionwatch-bench")) // on a port of the system's choice
			if err != nil {
				return fmt.Errorf("starting the broker: %w", err)
			}
			defer cluster.Close()
			fmt.Fprintln(cmd.OutOrStdout(), cluster.ListenAddrs()[0])
			_, err = io.Copy(io.Discard, cmd.InOrStdin())
			return err
		},
	}
}

// benchBroker is a process that is a broker.
type benchBroker struct {
	command *exec.Cmd
	stdin   io.Closer
	address string
}

// startBenchBroker starts the broker. It ends with close, and with this process whatever ends that.
func startBenchBroker(ctx context.Context) (*benchBroker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	b := &benchBroker{command: exec.CommandContext(context.WithoutCancel(ctx), self, benchBrokerName)}
	b.command.Stderr = os.Stderr
	stdin, err := b.command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	stdout, err := b.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	b.stdin = stdin
	if err := b.command.Start(); err != nil {
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the broker: it did not tell its address: %w", err), b.close())
	}
	b.address = strings.TrimSpace(line)
	return b, nil
}

// close ends the broker and waits for it.
func (b *benchBroker) close() error {
	return errors.Join(b.stdin.Close(), b.command.Wait())
}
