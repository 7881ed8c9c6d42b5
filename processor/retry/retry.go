// Package retry decides whether and when to try again after an error of a broker. It starts no goroutines.
package retry

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrRenew marks an error that a new client can recover from.
var ErrRenew = errors.New("a new client is needed")

// AttemptTimeout bounds one attempt of a request that is retried.
const AttemptTimeout = 15 * time.Second

// Backoff doubles from 100 ms to 1 s. The client library goes up to 5 s, which would delay every alert after a broker
// comes back.
func Backoff(fails int) time.Duration {
	return min(100*time.Millisecond<<min(max(fails-1, 0), 4), time.Second)
}

// Sleep waits for d, or returns the error of ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// refusals are the answers of a broker that do not change when asked again.
var refusals = []error{
	kerr.FencedInstanceID,
	kerr.GroupAuthorizationFailed,
	kerr.TopicAuthorizationFailed,
	kerr.ClusterAuthorizationFailed,
	kerr.TransactionalIDAuthorizationFailed,
	kerr.InconsistentGroupProtocol,
	kerr.InvalidSessionTimeout,
	kerr.InvalidGroupID,
	kerr.InvalidTransactionTimeout,
	kerr.GroupMaxSizeReached,
	kerr.UnsupportedVersion,
}

// refused is an error of a dialer or a SASL mechanism that reports whether retrying can help.
type refused interface {
	error
	Refused() bool
}

// IsAuthFailure reports whether TLS or SASL authentication failed, in either direction: retrying cannot help.
func IsAuthFailure(err error) bool {
	r, ok := errors.AsType[refused](err)
	return ok && r.Refused() || errors.Is(err, kerr.SaslAuthenticationFailed) ||
		errors.Is(err, kerr.UnsupportedSaslMechanism) || errors.Is(err, kerr.IllegalSaslState)
}

// IsRefusal reports whether the broker will give the same answer again.
func IsRefusal(err error) bool {
	if IsAuthFailure(err) {
		return true
	}
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// IsTransient reports whether err passes by itself, such as an unreachable broker or a leader that moves.
func IsTransient(err error) bool {
	if IsRefusal(err) {
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok { // a deadline that is over is one, too
		return true
	}
	return kerr.IsRetriable(err) || kgo.IsRetryableBrokerErr(err)
}

// IsDeliveryTimeout reports whether producing a record failed only because it took too long.
func IsDeliveryTimeout(err error) bool {
	return errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrRecordRetries) || kerr.IsRetriable(err)
}

// IsRecreated reports whether err says that a topic is not the one the client knows.
func IsRecreated(err error) bool {
	return errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.InconsistentTopicID)
}

// IsMissingTopic reports whether a broker says that a topic does not exist.
func IsMissingTopic(err error) bool { return errors.Is(err, kerr.UnknownTopicOrPartition) }
