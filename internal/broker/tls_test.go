package broker

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// A replaced certificate and key are presented on the next connection. If only one of the two files is replaced, the
// old pair stays in use, and that is logged once.
//
// Guard: livefile.Value.Get keeps the last good value.
func TestCertificateRotation(t *testing.T) {
	t.Parallel()
	a, f := newAuthority(t, "authority"), newFolder(t)
	var mu sync.Mutex
	var seen []string
	addresses := newCluster(t, kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{serverPair(t, a, time.Hour)},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool(a),
		VerifyConnection: func(s tls.ConnectionState) error {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, s.PeerCertificates[0].Subject.CommonName)
			return nil
		},
	}))
	first, firstKey := issue(t, a, "first", time.Hour)
	second, secondKey := issue(t, a, "second", time.Hour)
	var log lines
	c := mustOpen(t, Options{Addresses: addresses, Logger: log.logger(), TLS: &TLS{
		CAFile: f.put("ca.pem", a.PEM), CertificateFile: f.put("client.pem", first), KeyFile: f.put("client.key", firstKey),
	}})
	shown := func(want string) {
		t.Helper()
		if err := ping(t, c); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if last := seen[len(seen)-1]; last != want {
			t.Errorf("the broker saw %q, want %q", last, want)
		}
	}
	shown("first")
	f.put("client.pem", second)
	shown("first")
	shown("first")
	if n := log.count("keeping their last good content"); n != 1 {
		t.Errorf("half a rotation was logged %d times, want once", n)
	}
	f.put("client.key", secondKey)
	shown("second")
	f.put("client.pem", nil)
	shown("second")
	if n := log.count("keeping their last good content"); n != 2 {
		t.Errorf("two faults were logged %d times", n)
	}
}

// A replaced authority is trusted on the next connection.
func TestAuthorityRotation(t *testing.T) {
	t.Parallel()
	old, young, f := newAuthority(t, "old"), newAuthority(t, "young"), newFolder(t)
	var mu sync.Mutex
	pair := serverPair(t, old, time.Hour)
	addresses := newCluster(t, kfake.TLS(&tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		return &pair, nil
	}}))
	c := mustOpen(t, Options{Addresses: addresses, TLS: &TLS{CAFile: f.put("ca.pem", old.PEM)}})
	if err := ping(t, c); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	pair = serverPair(t, young, time.Hour)
	mu.Unlock()
	mustMention(t, ping(t, c), "unknown authority", `"CN=young"`, "--tls-ca")
	f.put("ca.pem", slices.Concat(old.PEM, young.PEM))
	if err := ping(t, c); err != nil {
		t.Error(err)
	}
}

// Each way authentication can fail yields one line with a remedy, and says whether retrying can help.
func TestRefusals(t *testing.T) {
	t.Parallel()
	a, other, f := newAuthority(t, "authority"), newAuthority(t, "other"), newFolder(t)
	ca := f.put("ca.pem", a.PEM)
	good := serverPair(t, a, time.Hour)
	certificate, key := issue(t, other, "stranger", time.Hour)
	stranger, strangerKey := f.put("stranger.pem", certificate), f.put("stranger.key", key)
	for name, test := range map[string]struct {
		server  *tls.Config
		client  TLS
		mention []string
	}{
		"unknown authority": {&tls.Config{Certificates: []tls.Certificate{serverPair(t, other, time.Hour)}}, TLS{CAFile: ca},
			[]string{"unknown authority", `(issuer "CN=other")`, "--tls-ca"}},
		"system authorities": {&tls.Config{Certificates: []tls.Certificate{good}}, TLS{}, []string{"unknown authority", "--tls-ca"}},
		"expired": {&tls.Config{Certificates: []tls.Certificate{serverPair(t, a, -time.Minute)}}, TLS{CAFile: ca},
			[]string{"expired", "the broker's certificate is valid from", "needs a new one"}},
		"other name": {&tls.Config{Certificates: []tls.Certificate{good}}, TLS{CAFile: ca, ServerName: "kafka.example.com"},
			[]string{"kafka.example.com", `"localhost", 127.0.0.1`, "--tls-server-name"}},
		"no certificate": {&tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool(a)},
			TLS{CAFile: ca}, []string{"requires a client certificate", "--tls-certificate and --tls-key"}},
		"no certificate, TLS 1.2": {&tls.Config{MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{good},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool(a)},
			TLS{CAFile: ca}, []string{"if the broker requires a client certificate", "--tls-certificate and --tls-key"}},
		"certificate of a stranger": {&tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool(a)},
			TLS{CAFile: ca, CertificateFile: stranger, KeyFile: strangerKey}, []string{"unknown certificate authority", "rejects the certificate of --tls-certificate"}},
		"TLS 1.1": {&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
			TLS{CAFile: ca}, []string{"does not support TLS 1.2 or newer"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ping(t, mustOpen(t, Options{Addresses: newCluster(t, kfake.TLS(test.server)), TLS: &test.client}))
			mustMention(t, err, test.mention...)
			if r, ok := errors.AsType[*Refusal](err); !ok || !r.Refused() {
				t.Errorf("not known as a refusal: %v", err)
			}
		})
	}
}

// A port without TLS is reported as such. One that closes the connection may be a broker that is starting, so retrying
// can help.
func TestPlaintextPort(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer string
		passes bool
	}{"closes": {"", true}, "answers": {"HTTP/1.1 400 Bad Request\r\n\r\n", false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ping(t, mustOpen(t, Options{Addresses: []string{answering(t, test.answer)}, TLS: &TLS{}}))
			mustMention(t, err, "TLS handshake", "omit --tls")
			if r, ok := errors.AsType[*Refusal](err); !ok || r.Passing != test.passes {
				t.Errorf("passes by itself: want %v: %#v", test.passes, err)
			}
		})
	}
}

// A client without TLS learns that a port answers with a TLS alert.
func TestTLSPort(t *testing.T) {
	t.Parallel()
	address := answering(t, "\x15\x03\x03\x00\x02\x02\x50")
	err := ping(t, mustOpen(t, Options{Addresses: []string{address}}))
	mustMention(t, err, address, "answers with TLS", "give --tls")
	if r, ok := errors.AsType[*Refusal](err); !ok || !r.Refused() {
		t.Errorf("not known as a refusal: %v", err)
	}
}

// answering returns the address of a server that answers the first bytes with the text and closes the connection.
func answering(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { listener.Close(); <-ended })
	go func() {
		defer close(ended)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(c, make([]byte, 5))
			_, _ = io.WriteString(c, text)
			_ = c.Close()
		}
	}()
	return listener.Addr().String()
}

// Each broker's certificate must have the host of its address or the given name, and old TLS versions are refused.
func TestServerNameAndVersion(t *testing.T) {
	t.Parallel()
	config := (&trust{}).config("kafka-1")
	if config.ServerName != "kafka-1" || config.MinVersion != tls.VersionTLS12 || config.InsecureSkipVerify {
		t.Errorf("%+v", config)
	}
	if name := (&trust{serverName: "kafka"}).config("kafka-1").ServerName; name != "kafka" {
		t.Errorf("server name %q", name)
	}
}
