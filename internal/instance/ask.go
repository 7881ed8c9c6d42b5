package instance

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

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
)

// AskTimeout bounds how long an instance may take to answer. It is shorter than the image's limit for the health command.
const AskTimeout = 4 * time.Second

// maxAnswer bounds how much of an answer is read: the listener may be another program.
const maxAnswer = 4 << 10

// Ask asks the instance with these settings on this host whether it is alive or ready, and returns its answer.
func Ask(ctx context.Context, s *config.Settings, ready bool) (string, error) {
	address, err := askAt(s.AdminAddress)
	if err != nil {
		return "", cli.Mistake(err)
	}
	path := "/livez"
	if ready {
		path = "/readyz"
	}
	scheme := "http://"
	if s.AdminTLSCertificate != "" {
		scheme = "https://"
	}
	return ask(ctx, scheme+address+path)
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
		Timeout: AskTimeout,
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
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("asking the instance: %w", err)
	}
	answer := strings.TrimSpace(string(body))
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("asking %s: %s: %s", url, response.Status, answer)
	}
	return answer, nil
}
