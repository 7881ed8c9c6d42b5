package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
)

// healthTimeout bounds how long an instance may take to answer. It is shorter than the image's limit for the command.
const healthTimeout = 4 * time.Second

// maxHealthAnswer bounds how much of an answer is read: the listener may be another program.
const maxHealthAnswer = 4 << 10

func newHealthCommand() *cobra.Command {
	ready := false
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running instance of this host or container whether it is alive",
		Long: "Ask the instance at admin-address whether it is alive, or with --ready whether it has its partitions\n" +
			"and a broker answers. The exit status is 0 if so, 1 if not or if nothing answers.\n\n" +
			"It is for health checks where there is no shell and no curl, as in an image made from scratch. It\n" +
			"reads the settings as run does: give both the same environment or file.",
		Example: "  regionwatch health --config /etc/regionwatch.yaml\n" +
			"  regionwatch health --ready --admin-address 127.0.0.1:9464",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := cli.ReadSettings(cmd)
			if err != nil {
				return cli.Mistake(err)
			}
			return health(cmd.Context(), cmd.OutOrStdout(), s.AdminAddress, s.AdminTLSCertificate != "", ready)
		},
	}
	cli.AddSettings(cmd, "config", "admin-address", "admin-tls-certificate", "admin-tls-key")
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether it is ready, not only alive")
	return cmd
}

// health queries the instance that listens on the address, and prints its answer.
func health(ctx context.Context, w io.Writer, listens string, secured, ready bool) error {
	address, err := askAt(listens)
	if err != nil {
		return cli.Mistake(err)
	}
	path := "/livez"
	if ready {
		path = "/readyz"
	}
	scheme := "http://"
	if secured {
		scheme = "https://"
	}
	answer, err := ask(ctx, scheme+address+path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, display.Text(answer))
	return err
}

// askAt returns the address for reaching an instance that listens on listens: loopback if it listens on all addresses.
func askAt(listens string) (string, error) {
	if listens == config.None {
		return "", errors.New("admin-address is none: an instance without one cannot be asked")
	}
	host, port, err := net.SplitHostPort(listens)
	switch {
	case err != nil: // checked by the settings
		return "", fmt.Errorf("admin-address: %w", err)
	case port == "0":
		return "", errors.New("admin-address has port 0, so the instance chose a free port, which health cannot know; set a port")
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.Is6() {
			host = "::1"
		}
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// ask returns the answer. An answer other than OK is an error.
func ask(ctx context.Context, url string) (string, error) {
	client := http.Client{
		Timeout: healthTimeout,
		Transport: &http.Transport{ // no proxy: it is this host
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // this host by address; nothing secret is sent
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("asking the instance: %w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("asking the instance: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxHealthAnswer))
	if err != nil {
		return "", fmt.Errorf("asking the instance: %w", err)
	}
	answer := strings.TrimSpace(string(body))
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("asking %s: %s: %s", url, response.Status, answer)
	}
	return answer, nil
}
