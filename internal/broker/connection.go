// Package broker connects every command to the brokers: addresses, TLS and SASL.
//
// It turns options into franz-go client options. Files with secrets and certificates are read when the connection is
// opened, to report mistakes early, and again when they change, so that rotating them needs no restart. Secrets never
// appear in errors or other output.
//
// A Connection starts no goroutines: a changed file is read when the client next asks for the secret.
package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
)

// Connection describes how every client of the process reaches the brokers. [Open] creates it. It is safe for
// concurrent use.
type Connection struct {
	addresses []string
	tls       *trust         // nil means plaintext
	mechanism sasl.Mechanism // nil means none
}

// Addresses returns the brokers' addresses, host:port.
func (c *Connection) Addresses() []string { return c.addresses }

// ClientOpts returns the client options for reaching the brokers, including their addresses.
func (c *Connection) ClientOpts() []kgo.Opt {
	opts := []kgo.Opt{kgo.SeedBrokers(c.addresses...), kgo.Dialer(c.dial)}
	if c.mechanism != nil {
		opts = append(opts, kgo.SASL(c.mechanism))
	}
	return opts
}

// Secured reports whether the connection uses TLS.
func (c *Connection) Secured() bool { return c.tls != nil }

// Mechanism returns the name of the SASL mechanism, or "" for none.
func (c *Connection) Mechanism() string {
	if c.mechanism == nil {
		return ""
	}
	return c.mechanism.Name()
}

// Secure performs the TLS handshake on a connection to the address. The caller closes the returned connection or, after
// an error, the given one. If the broker refuses us after the handshake, Read returns the error. Secured must be true.
func (c *Connection) Secure(ctx context.Context, plain net.Conn, address string) (net.Conn, tls.ConnectionState, error) {
	secured, err := c.tls.handshake(ctx, plain, address)
	if err != nil {
		return nil, tls.ConnectionState{}, c.tls.refusal(address, err)
	}
	return secured, secured.ConnectionState(), nil
}

// Certificate returns the client certificate, or nil.
func (c *Connection) Certificate() *x509.Certificate {
	if c.tls == nil || c.tls.certificate == nil {
		return nil
	}
	return c.tls.certificate.Get().Leaf
}
