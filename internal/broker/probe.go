package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
)

// Secured reports whether the connection uses TLS.
func (c *Connection) Secured() bool { return c.tls != nil }

// Mechanism returns the name of the SASL mechanism, or "" for none.
func (c *Connection) Mechanism() string {
	if c.mechanism == nil {
		return ""
	}
	return c.mechanism.Name()
}

// Secure does the TLS handshake on a connection to the address. The caller closes the returned connection, or on an error
// the given one. A refusal after the handshake is an error of Read. Secured must be true.
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
