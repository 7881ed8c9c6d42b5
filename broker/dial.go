package broker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// dialTimeout bounds a connection and its handshake.
const dialTimeout = 10 * time.Second

// dial connects by TLS, with the files as they are now.
func (c *Connection) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dialing: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err // says what and where by itself
	}
	secured := tls.Client(plain, c.tls.config(host))
	if err := secured.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, c.tls.refusal(address, err)
	}
	return &conn{Conn: secured, trust: c.tls, address: address}, nil
}

// conn tells of a refusal that comes after the handshake: with TLS 1.3 a broker looks at our certificate
// only then.
type conn struct {
	net.Conn
	trust   *trust
	address string
}

// Read reads from the broker.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		err = c.trust.alert(c.address, err)
	}
	return n, err
}
