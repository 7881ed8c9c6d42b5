package processor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
)

// fencedByItself reports whether err says that another member has our place in the group, which may well be ourselves:
// a broker may have taken a request to join before it hung, and when it answers, long after we sent a new request, the
// old one takes the new one's place. Joining again fixes that. It is likely only after trouble with the brokers. The
// trouble may last, because one missing broker is enough, so we do it at most maxRestarts times in a row: two processes
// with one instance id must not fence each other for ever.
func (p *Processor) fencedByItself(err error) bool {
	return errors.Is(err, kerr.FencedInstanceID) && p.health.Troubled()
}

// explained is an error that says what the user can do about it.
type explained struct{ error }

// Unwrap returns the whole error.
func (e explained) Unwrap() error { return e.error }

// explain adds to a refusal, once, what the user can do about it.
func (p *Processor) explain(err error) error {
	if _, ok := errors.AsType[explained](err); ok || err == nil {
		return err
	}
	return explained{p.explanation(err)}
}

func (p *Processor) explanation(err error) error {
	switch {
	case errors.Is(err, kerr.FencedInstanceID):
		return fmt.Errorf("%w: %w the instance id %q; each live instance needs its own", err, errReplaced, p.o.InstanceID)
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Errorf("%w (mechanism %s)", err, p.mechanism())
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed),
		errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return fmt.Errorf("%w: the broker's access control refuses it (authenticated by %s)", err, p.mechanism())
	case errors.Is(err, kerr.InconsistentGroupProtocol):
		return fmt.Errorf("%w: the group has members of another program or with another balancer; it must be used by regionwatch only", err)
	}
	if errors.Is(err, kgo.ErrMaxDecompress) {
		return fmt.Errorf("%w: allow larger batches than %d bytes, or move the group past it", err, p.o.MaxBatchBytes)
	}
	return err
}

// mechanism names how the client authenticates.
func (p *Processor) mechanism() string {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(p.o.Brokers...)}, p.o.ClientOpts...)...)
	if err != nil {
		return "unknown"
	}
	defer client.Close()
	mechanisms, _ := client.OptValue(kgo.SASL).([]sasl.Mechanism)
	if len(mechanisms) == 0 {
		return "no SASL mechanism"
	}
	names := make([]string, len(mechanisms))
	for i, m := range mechanisms {
		names[i] = m.Name()
	}
	return strings.Join(names, ", ")
}
