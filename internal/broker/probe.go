package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
)

// Secured reports whether the connection is by TLS.
func (c *Connection) Secured() bool { return c.tls != nil }

// Mechanism returns the name of the SASL mechanism, or "" for none.
func (c *Connection) Mechanism() string {
	if c.mechanism == nil {
		return ""
	}
	return c.mechanism.Name()
}

// Secure does the TLS handshake over a connection to the address, with the files as they are now, and tells what it
// came to. The caller closes what is returned, and the connection that was given where there is an error. What comes
// after the handshake and is a refusal all the same is told by Read. It must not be called where Secured is false.
func (c *Connection) Secure(ctx context.Context, plain net.Conn, address string) (net.Conn, tls.ConnectionState, error) {
	secured, err := c.tls.handshake(ctx, plain, address)
	if err != nil {
		return nil, tls.ConnectionState{}, c.tls.refusal(address, err)
	}
	return secured, secured.ConnectionState(), nil
}

// Certificate returns the certificate that we show, or nil where we show none.
func (c *Connection) Certificate() *x509.Certificate {
	if c.tls == nil || c.tls.certificate == nil {
		return nil
	}
	return c.tls.certificate.Get().Leaf
}
