package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/regionwatch/regionwatch/internal/broker"
)

// connect creates the client and reports whether the brokers accept it.
func (c *checker) connect(ctx context.Context, alive []string) bool {
	step := Step{Name: stepAuthenticate, Detail: c.identity()}
	client, err := c.newClient(alive)
	if err == nil {
		attempt, cancel := context.WithTimeout(ctx, c.patience)
		defer cancel()
		c.client, c.admin = client, kadm.NewClient(client)
		if c.metadata, err = c.admin.BrokerMetadata(attempt); err != nil {
			client.Close()
		}
	}
	if err != nil {
		step.Status, step.Error, step.Remedy = Refused, err.Error(), c.authenticationRemedy(err)
		if r, ok := errors.AsType[*broker.Refusal](err); ok {
			step.Error, step.Remedy = r.Err.Error(), r.Remedy
		}
	}
	if ours := c.o.Connection.Certificate(); err == nil && ours != nil && expiresSoon(ours) {
		step.Status = Warning
		step.Remedy = "our certificate expires on " + ours.NotAfter.UTC().Format(time.RFC3339) + "; renew the one in --tls-certificate"
	}
	c.add(step)
	return err == nil
}

// identity describes who we authenticate as.
func (c *checker) identity() string {
	mechanism, identity := c.o.Connection.Mechanism(), c.o.Identity
	switch {
	case mechanism != "" && identity != "":
		return fmt.Sprintf("%s as %q", mechanism, identity)
	case mechanism != "":
		return mechanism
	case identity != "":
		return fmt.Sprintf("by the certificate of %q", identity)
	}
	return "anonymous: neither SASL nor a client certificate"
}

func (c *checker) authenticationRemedy(err error) string {
	mechanism := c.o.Connection.Mechanism()
	switch {
	case mechanism == "" && isEnd(err):
		return "the broker closed the connection; it may require --sasl-mechanism"
	case mechanism != "" && isEnd(err):
		return "the broker closed the connection during authentication; check that the port is for " + mechanism + " and that user and password are right"
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return "the broker rejects the user, password or token; check --sasl-username and the source of the secret"
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return "the broker does not offer " + mechanism + " on this port; give another --sasl-mechanism, or another port in --brokers"
	case errors.Is(err, kerr.IllegalSaslState):
		return "the port does not use SASL; give the brokers' SASL port, or omit --sasl-mechanism"
	}
	return "the broker's log may say why"
}

func isEnd(err error) bool {
	_, first := errors.AsType[*kgo.ErrFirstReadEOF](err)
	return first || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// atATime limits how many brokers are tried concurrently.
const atATime = 8

// brokers sends each broker a request at its advertised address, which is where the processor will connect.
func (c *checker) brokers(ctx context.Context) {
	all := slices.Clone(c.metadata.Brokers)
	slices.SortFunc(all, func(a, b kgo.BrokerMetadata) int { return int(a.NodeID - b.NodeID) })
	errs := make([]error, len(all))
	var group errgroup.Group
	group.SetLimit(atATime)
	for i, b := range all {
		group.Go(func() error {
			attempt, cancel := context.WithTimeout(ctx, c.patience)
			defer cancel()
			_, errs[i] = c.client.Broker(int(b.NodeID)).RetriableRequest(attempt, kmsg.NewPtrMetadataRequest())
			return nil
		})
	}
	_ = group.Wait() // its functions return no errors
	var reached []string
	for i, b := range all {
		if errs[i] == nil {
			reached = append(reached, address(b))
		}
	}
	if len(reached) > 0 {
		c.add(Step{Name: stepBrokers, Of: "cluster " + c.metadata.Cluster,
			Detail: fmt.Sprintf("%d of %s: %s", len(reached), counted(len(all), "broker"), some(reached))})
	}
	for i, b := range all {
		if errs[i] != nil {
			c.add(Step{Name: stepBrokers, Of: address(b), Status: Refused, Error: errs[i].Error(),
				Remedy: "the broker tells clients to connect to this address; make it reachable from here, or change the broker's advertised.listeners"})
		}
	}
}

func address(b kgo.BrokerMetadata) string { return fmt.Sprintf("%s:%d", b.Host, b.Port) }

// counted returns "1 broker", "2 brokers".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
