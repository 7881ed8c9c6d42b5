package broker

import "github.com/twmb/franz-go/pkg/kgo"

// Options say where the brokers are and how to speak to them. Addresses are required; the zero value of the
// others is plaintext without authentication.
type Options struct {
	Addresses []string // host:port
}

// Connection is how to reach the brokers: the same for every client of the process.
type Connection struct {
	o Options
}

// Open checks the options and reads the files that they name.
func Open(o Options) (*Connection, error) {
	return &Connection{o: o}, nil
}

// Addresses returns where the brokers are, as host:port.
func (c *Connection) Addresses() []string { return c.o.Addresses }

// ClientOpts returns the options of a client that reaches the brokers, their addresses among them.
func (c *Connection) ClientOpts() []kgo.Opt {
	return []kgo.Opt{kgo.SeedBrokers(c.o.Addresses...)}
}
