package processor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
)

// fencedByItself reports whether err says that our place in the group is another's, who may well be ourselves: a
// request to join that a broker had taken before it hung, and answers when nobody waits for it any more, takes the
// place of the one that was sent in its stead. To join once more mends that. Only after trouble with the brokers is it
// likely. The trouble may last, as one broker of several that is away is enough, so it is not done more than maxRestarts
// times in a row: two processes with one instance id do not fence each other for ever.
func (p *Processor) fencedByItself(err error) bool {
	return errors.Is(err, kerr.FencedInstanceID) && p.health.Troubled()
}

// explained is an error that says what the user can do about it.
type explained struct{ error }

// Unwrap returns the error as a whole.
func (e explained) Unwrap() error { return e.error }

// explain adds to a refusal what the user can do about it, once.
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
		return fmt.Errorf("%w: the group has members of another program or with another balancer; it must be ours alone", err)
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
