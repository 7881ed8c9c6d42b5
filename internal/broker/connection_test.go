package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// A connection tells what it is made of.
func TestConnectionTellsItsParts(t *testing.T) {
	t.Parallel()
	plain := mustOpen(t, Options{Addresses: []string{"a:1", "b:2"}})
	if plain.Secured() || plain.Mechanism() != "" || plain.Certificate() != nil || !slices.Equal(plain.Addresses(), []string{"a:1", "b:2"}) {
		t.Errorf("plaintext: %+v", plain)
	}
	a, f := newAuthority(t, "authority"), newFolder(t)
	certificate, key := issue(t, a, "client", time.Hour)
	o := Options{TLS: &TLS{}, SASL: SASL{Mechanism: "PLAIN", Username: "alice", Password: NewSecret("s3cret")}}
	if c := mustOpen(t, o); !c.Secured() || c.Mechanism() != "PLAIN" || c.Certificate() != nil {
		t.Errorf("TLS and PLAIN: %+v", c)
	}
	o.TLS = &TLS{CertificateFile: f.put("client.pem", certificate), KeyFile: f.put("client.key", key)}
	if leaf := mustOpen(t, o).Certificate(); leaf == nil || leaf.Subject.CommonName != "client" {
		t.Errorf("certificate %+v", leaf)
	}
}

// Secure makes a connection that was opened elsewhere a TLS connection, or says why it cannot.
func TestSecure(t *testing.T) {
	t.Parallel()
	a, f := newAuthority(t, "authority"), newFolder(t)
	address := newCluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{serverPair(t, a, time.Hour)}}))[0]
	dial := func() net.Conn {
		t.Helper()
		plain, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { plain.Close() })
		return plain
	}
	c := mustOpen(t, Options{Addresses: []string{address}, TLS: &TLS{CAFile: f.put("ca.pem", a.PEM)}})
	secured, state, err := c.Secure(t.Context(), dial(), address)
	if err != nil || secured == nil || len(state.PeerCertificates) == 0 || state.PeerCertificates[0].Subject.CommonName != "broker" {
		t.Errorf("%+v, %v", state, err)
	}
	_, _, err = mustOpen(t, Options{Addresses: []string{address}, TLS: &TLS{}}).Secure(t.Context(), dial(), address)
	mustMention(t, err, "unknown authority", "--tls-ca")
	_, _, err = c.Secure(t.Context(), dial(), "no port")
	mustMention(t, err, "missing port")
}

// A broker that refuses us does not keep the connection: a client that tries again and again would run out of descriptors.
func TestRefusedConnectionIsClosed(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // garbage collection would close a forgotten connection
	ended := make(chan struct{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		defer close(ended)
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		_, _ = io.Copy(io.Discard, c) // until the client closes it
	}()
	_, err = mustOpen(t, Options{TLS: &TLS{}}).dial(t.Context(), "tcp", listener.Addr().String())
	mustMention(t, err, "does not speak TLS")
	<-ended // it hangs if the connection stays open
}

// A broker that cannot be reached is named.
func TestUnreachableBroker(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	_, err = mustOpen(t, Options{}).dial(t.Context(), "tcp", address)
	mustMention(t, err, address, "refused")
}

// The client library must not take a broker that closes the connection for its own guess: it looks for io.EOF.
func TestRefusalHidesTheEndOfAConnection(t *testing.T) {
	t.Parallel()
	ended := (&trust{}).refusal("kafka:9093", io.EOF)
	if errors.Is(ended, io.EOF) {
		t.Errorf("%v is io.EOF", ended)
	}
	if other := (&Refusal{Err: net.ErrClosed}); !errors.Is(other, net.ErrClosed) {
		t.Errorf("%v hides its reason", other)
	}
}

// Only the first bytes of a plaintext connection are compared with a TLS alert, and only both of them.
func TestPlainConnection(t *testing.T) {
	t.Parallel()
	read := func(pieces ...string) error {
		ours, theirs := net.Pipe()
		defer ours.Close()
		go func() {
			defer theirs.Close()
			for _, piece := range pieces {
				_, _ = io.WriteString(theirs, piece)
			}
		}()
		_, err := io.ReadAll(&plainConn{Conn: ours, address: "kafka:9092"})
		return err
	}
	mustMention(t, read("\x15\x03"), "kafka:9092", "answers with TLS")
	for _, pieces := range [][]string{{"\x00\x00", "\x15\x03"}, {"\x15\x04"}, {"\x16\x03"}, {"\x15"}, {"\x00", "\x15\x03"}} {
		if err := read(pieces...); err != nil {
			t.Errorf("%q: %v", pieces, err)
		}
	}
}

// The names in a certificate are listed up to a limit.
func TestNamesOfACertificate(t *testing.T) {
	t.Parallel()
	for want, certificate := range map[string]*x509.Certificate{
		"it has none":                       {},
		`"a"`:                               {DNSNames: []string{"a"}},
		`"a", 127.0.0.1`:                    {DNSNames: []string{"a"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}},
		`"a", "b", "c", "d", "e"`:           {DNSNames: strings.Split("abcde", "")},
		`"a", "b", "c", "d", "e", and more`: {DNSNames: strings.Split("abcdef", "")},
	} {
		if got := names(certificate); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Each TLS alert has a remedy, and a certificate is only asked for if there is none.
func TestRemedyForAnAlert(t *testing.T) {
	t.Parallel()
	a, f := newAuthority(t, "authority"), newFolder(t)
	certificate, key := issue(t, a, "client", time.Hour)
	none := &trust{}
	ours := mustOpen(t, Options{TLS: &TLS{CertificateFile: f.put("client.pem", certificate), KeyFile: f.put("client.key", key)}}).tls
	for _, test := range []struct {
		trust       *trust
		alert, want string
	}{
		{none, "tls: protocol version not supported", "TLS 1.2 or newer"},
		{none, "tls: handshake failure", "give --tls-certificate"},
		{ours, "tls: handshake failure", "see the broker's log"},
		{none, "tls: bad certificate", "requires a client certificate"},
		{ours, "tls: bad certificate", "rejects the certificate"},
		{none, "tls: internal error", "see the broker's log"},
	} {
		err := test.trust.alert("kafka:9093", &net.OpError{Op: "remote error", Err: errors.New(test.alert)})
		mustMention(t, err, "TLS with kafka:9093", test.alert, test.want)
	}
	other := &net.OpError{Op: "read", Err: errors.New("tls: bad certificate")}
	if err := none.alert("kafka:9093", other); err != error(other) { //nolint:errorlint // identity
		t.Errorf("another error is changed: %v", err)
	}
}
