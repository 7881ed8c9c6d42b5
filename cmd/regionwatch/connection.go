package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/broker"
	"github.com/regionwatch/regionwatch/config"
)

// openConnection returns how the settings say that the brokers are reached. Every command that speaks to
// brokers uses it, so that each of them reaches what run reaches.
func openConnection(s *config.Settings) (*broker.Connection, error) {
	c, err := broker.Open(broker.Options{Addresses: s.Brokers})
	if err != nil {
		return nil, mistake{err}
	}
	return c, nil
}

// newClient returns a client that reaches the brokers as the settings say.
func newClient(s *config.Settings, opts ...kgo.Opt) (*kgo.Client, error) {
	c, err := openConnection(s)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(c.ClientOpts(), opts...)...)
	if err != nil {
		return nil, mistake{fmt.Errorf("brokers: %w", err)}
	}
	return client, nil
}
