package broker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// Time limits for connecting and for the TLS handshake. After them, the client tries another broker.
const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
)

// dial connects to the address, with TLS if configured.
func (c *Connection) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	open, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err // it names the operation and the address
	}
	if c.tls == nil {
		return &plainConn{Conn: open, address: address}, nil
	}
	secured, err := c.tls.handshake(ctx, open, address)
	if err != nil {
		open.Close()
		return nil, c.tls.refusal(address, err)
	}
	return secured, nil
}

// handshake performs the TLS handshake with the current files.
func (t *trust) handshake(ctx context.Context, open net.Conn, address string) (*securedConn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	secured := tls.Client(open, t.config(host))
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return &securedConn{Conn: secured, trust: t, address: address}, nil
}

// securedConn detects a refusal after the handshake: with TLS 1.3, a broker checks our certificate only then.
type securedConn struct {
	*tls.Conn
	trust   *trust
	address string
}

// Read reads from the broker and turns a TLS alert into a [Refusal].
func (c *securedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		err = c.trust.alert(c.address, err)
	}
	return n, err
}

// plainConn finds a broker that speaks TLS when we do not.
type plainConn struct {
	net.Conn
	address string
	read    bool // past the first bytes; used only by the reader of the connection
}

// Read reads from the broker and detects a TLS alert (RFC 8446, section 5.1). Read as the length of a Kafka response, its
// first bytes would mean more than 300 MB.
func (c *plainConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.read && n >= 2 && b[0] == 21 && b[1] == 3 {
		return 0, &Refusal{Err: fmt.Errorf("connecting to %s: it answers with TLS", c.address), Remedy: "give --tls"}
	}
	c.read = c.read || n > 0
	return n, err
}
