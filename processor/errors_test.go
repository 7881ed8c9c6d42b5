package processor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/regionwatch/regionwatch/processor/retry"
	"github.com/regionwatch/regionwatch/processor/topics"
)

// A refusal says, once, what the user can do about it. Other errors stay as they are.
//
// Guards: each case of explanation.
func TestExplain(t *testing.T) {
	o := validOptions()
	o.ClientOpts = []kgo.Opt{kgo.SASL(plain.Plain(nil))}
	p := &Processor{o: o}
	const access = ": the broker's access control refuses it (authenticated by PLAIN)"
	for cause, want := range map[error]string{
		kerr.FencedInstanceID:                   `: another process has taken over the instance id "one"; each live instance needs its own`,
		kerr.SaslAuthenticationFailed:           " (mechanism PLAIN)",
		kerr.UnsupportedSaslMechanism:           " (mechanism PLAIN)",
		kerr.TopicAuthorizationFailed:           access,
		kerr.GroupAuthorizationFailed:           access,
		kerr.ClusterAuthorizationFailed:         access,
		kerr.TransactionalIDAuthorizationFailed: access,
		kerr.InconsistentGroupProtocol:          ": the group has members of another program or with another balancer; it must be used by regionwatch only",
		kgo.ErrMaxDecompress:                    ": allow larger batches than 134217728 bytes, or move the group past it",
		kerr.RebalanceInProgress:                "",
		errors.New("other"):                     "",
	} {
		err := fmt.Errorf("doing: %w", cause)
		got := p.explain(err)
		if got.Error() != err.Error()+want || !errors.Is(got, cause) {
			t.Errorf("%v, want %v%s", got, err, want)
		}
		if again := p.explain(fmt.Errorf("session 1: %w", got)); again.Error() != "session 1: "+got.Error() {
			t.Errorf("explained twice: %v", again)
		}
	}
	if err := p.explain(nil); err != nil {
		t.Errorf("%v", err)
	}
}

// The mechanism is what the client would use.
func TestMechanism(t *testing.T) {
	for want, opts := range map[string][]kgo.Opt{
		"no SASL mechanism":    nil,
		"PLAIN":                {kgo.SASL(plain.Plain(nil))},
		"SCRAM-SHA-256, PLAIN": {kgo.SASL([]sasl.Mechanism{scram.Sha256(nil), plain.Plain(nil)}...)},
		"unknown":              {kgo.DialTLS(), kgo.Dialer(new(net.Dialer).DialContext)},
	} {
		o := validOptions()
		o.ClientOpts = opts
		if got := (&Processor{o: o}).mechanism(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What ends a transaction and passes by itself is no error; what stays is.
//
// Guards: each term of unlessTransient.
func TestUnlessTransient(t *testing.T) {
	for _, passes := range []error{nil, errNotHeld, errPoison, kgo.ErrRecordTimeout, kgo.ErrRecordRetries, kerr.NotLeaderForPartition, kerr.UnknownTopicOrPartition} {
		if err := unlessTransient(passes); err != nil {
			t.Errorf("%v stays", err)
		}
	}
	for _, stays := range []error{kerr.MessageTooLarge, kerr.TopicAuthorizationFailed, errTooLargeForGood, errors.New("other")} {
		if err := unlessTransient(stays); !errors.Is(err, stays) {
			t.Errorf("%v becomes %v", stays, err)
		}
	}
}

// A session ends with an error that a new one has as well, and is made anew after any other.
//
// Guards: the cases of verdict.
func TestVerdict(t *testing.T) {
	s := quietSession(t)
	for cause, renew := range map[error]bool{
		retry.ErrRenew:                true,
		kerr.SaslAuthenticationFailed: true, // one broker of several may refuse us
		kerr.TopicAuthorizationFailed: false,
		errFetching:                   false,
		errTooLargeForGood:            false,
		&topics.StateError{}:          false,
		errors.New("other"):           true,
	} {
		if err := s.verdict(fmt.Errorf("ending: %w", cause)); !errors.Is(err, cause) || errors.Is(err, retry.ErrRenew) != renew {
			t.Errorf("%v: %v, want a new session %t", cause, err, renew)
		}
	}
}

// Fencing is what a newer member or producer does to us.
func TestIsFencing(t *testing.T) {
	for _, err := range []error{kerr.FencedInstanceID, kerr.ProducerFenced, kerr.InvalidProducerEpoch, kerr.TransactionCoordinatorFenced} {
		if !isFencing(fmt.Errorf("ending: %w", err)) {
			t.Errorf("%v is none", err)
		}
	}
	for _, err := range []error{nil, kerr.UnknownMemberID, kerr.RebalanceInProgress} {
		if isFencing(err) {
			t.Errorf("%v is one", err)
		}
	}
	if isStateError(errNotHeld) || !isStateError(fmt.Errorf("restoring: %w", &topics.StateError{Topic: "state", Err: errNotHeld})) {
		t.Error("isStateError")
	}
	if !strings.Contains(errAbandoned.Error(), errStopped.Error()) || !errors.Is(errAbandoned, errStopped) {
		t.Error("what is abandoned was stopped")
	}
}

// Only a member that is fenced, and only after trouble with the brokers, may have been fenced by itself.
//
// Guards: each term of fencedByItself.
func TestMayBeFencedByItself(t *testing.T) {
	p, _ := quietProcessor(t)
	check := func(what string, err error, want bool) {
		t.Helper()
		if got := p.fencedByItself(err); got != want {
			t.Errorf("%s, %v: %t", what, err, got)
		}
	}
	check("no trouble", kerr.FencedInstanceID, false)
	p.health.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, io.EOF)
	check("trouble", kerr.FencedInstanceID, true)
	check("trouble", kerr.TopicAuthorizationFailed, false)
	check("trouble", nil, false)
}
