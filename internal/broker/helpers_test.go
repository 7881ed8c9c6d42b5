package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/broker/brokertest"
)

// lines collects log lines.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// folder is where a test keeps files.
type folder struct {
	t    *testing.T
	path string
}

func newFolder(t *testing.T) folder {
	t.Helper()
	return folder{t, t.TempDir()}
}

// put replaces a file atomically, as a rotation does, and returns its name.
func (f folder) put(name string, content []byte) string {
	f.t.Helper()
	path := filepath.Join(f.path, name)
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		f.t.Fatal(err)
	}
	return path
}

func newAuthority(t *testing.T, name string) *brokertest.Authority {
	t.Helper()
	a, err := brokertest.NewAuthority(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// issue returns a certificate that expires after the given time, and its key.
func issue(t *testing.T, a *brokertest.Authority, name string, left time.Duration) (certificate, key []byte) {
	t.Helper()
	certificate, key, err := a.Issue(name, time.Now().Add(left))
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// serverPair returns a broker's certificate.
func serverPair(t *testing.T, a *brokertest.Authority, left time.Duration) tls.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(issue(t, a, "broker", left))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func pool(a *brokertest.Authority) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(a.PEM)
	return p
}

// newCluster starts an embedded cluster and returns its addresses.
func newCluster(t *testing.T, opts ...kfake.Opt) []string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

func mustOpen(t *testing.T, o Options) *Connection {
	t.Helper()
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ping opens a new connection and sends a request that requires authentication.
func ping(t *testing.T, c *Connection, more ...kgo.Opt) error {
	t.Helper()
	client, err := kgo.NewClient(append(append(c.ClientOpts(), kgo.RequestRetries(0)), more...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return client.Ping(ctx)
}

func mustMention(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error lacks %q: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error has more than one line: %v", err)
	}
}
