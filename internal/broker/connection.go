package broker

import (
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
)

// Connection is how to reach the brokers, for every client of the process. [Open] makes it. It is safe for concurrent use.
type Connection struct {
	addresses []string
	tls       *trust         // nil means plaintext
	mechanism sasl.Mechanism // nil means none
}

// Addresses returns the brokers' addresses, host:port.
func (c *Connection) Addresses() []string { return c.addresses }

// ClientOpts returns the client options to reach the brokers, with their addresses.
func (c *Connection) ClientOpts() []kgo.Opt {
	opts := []kgo.Opt{kgo.SeedBrokers(c.addresses...), kgo.Dialer(c.dial)}
	if c.mechanism != nil {
		opts = append(opts, kgo.SASL(c.mechanism))
	}
	return opts
}
