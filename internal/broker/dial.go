package broker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// The bounds of a connection, and of the handshake on it. A broker that hangs is given up after them, and
// another is asked.
const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
)

// dial connects.
func (c *Connection) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	open, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err // says what and where by itself
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

// handshake agrees on TLS, with the files as they are now.
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

// securedConn tells of a refusal that comes after the handshake: with TLS 1.3 a broker looks at our
// certificate only then.
type securedConn struct {
	*tls.Conn
	trust   *trust
	address string
}

// Read reads from the broker.
func (c *securedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		err = c.trust.alert(c.address, err)
	}
	return n, err
}

// plainConn tells of a broker that speaks TLS where we do not.
type plainConn struct {
	net.Conn
	address string
	read    bool // the first bytes are behind; only the reader of the connection looks at it
}

// Read reads from the broker. The first bytes of a TLS alert (RFC 8446, section 5.1) would be an answer of
// more than 300 MB.
func (c *plainConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.read && n >= 2 && b[0] == 21 && b[1] == 3 {
		return 0, &Refusal{Err: fmt.Errorf("speaking to %s: it answers with TLS", c.address), Remedy: "give --tls"}
	}
	c.read = c.read || n > 0
	return n, err
}
