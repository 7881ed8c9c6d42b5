package retry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// verdict is the error of a dialer that knows whether it is final.
type verdict bool

func (v verdict) Error() string { return "connecting" }
func (v verdict) Refused() bool { return bool(v) }

func TestBackoff(t *testing.T) {
	f := func(fails int, want time.Duration) {
		t.Helper()
		if got := Backoff(fails); got != want {
			t.Errorf("after %d failures %v, want %v", fails, got, want)
		}
	}
	f(0, 100*time.Millisecond)
	f(1, 100*time.Millisecond)
	f(2, 200*time.Millisecond)
	f(3, 400*time.Millisecond)
	f(4, 800*time.Millisecond)
	f(5, time.Second)
	f(1000, time.Second)
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := func(ctx context.Context, d, took time.Duration, want error) {
			t.Helper()
			began := time.Now()
			if err := Sleep(ctx, d); !errors.Is(err, want) || time.Since(began) != took {
				t.Errorf("%v after %v, want %v after %v", err, time.Since(began), want, took)
			}
		}
		f(t.Context(), time.Hour, time.Hour, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		f(ctx, time.Second, time.Second, nil)
		f(ctx, time.Hour, 59*time.Second, context.DeadlineExceeded)
	})
}

// Each error, wrapped as callers wrap it, is of these kinds and of no other.
func TestKinds(t *testing.T) {
	const auth, refusal, transient, delivery, recreated, missing = 1, 2, 4, 8, 16, 32
	f := func(err error, want int) {
		t.Helper()
		got := 0
		for kind, is := range map[int]func(error) bool{
			auth: IsAuthFailure, refusal: IsRefusal, transient: IsTransient, delivery: IsDeliveryTimeout, recreated: IsRecreated, missing: IsMissingTopic,
		} {
			if is(fmt.Errorf("fetching: %w", err)) {
				got |= kind
			}
		}
		if got != want {
			t.Errorf("%v: %06b, want %06b", err, got, want)
		}
	}
	f(errors.New("other"), 0)

	for _, err := range []error{verdict(true), kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism, kerr.IllegalSaslState} {
		f(err, auth|refusal)
	}
	f(verdict(false), 0)
	for _, err := range []error{
		kerr.FencedInstanceID, kerr.GroupAuthorizationFailed, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed,
		kerr.TransactionalIDAuthorizationFailed, kerr.InconsistentGroupProtocol, kerr.InvalidSessionTimeout, kerr.InvalidGroupID,
		kerr.InvalidTransactionTimeout, kerr.GroupMaxSizeReached, kerr.UnsupportedVersion,
	} {
		f(err, refusal)
	}

	away := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, err := range []error{away, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.DeadlineExceeded} {
		f(err, transient)
	}
	f(errors.Join(verdict(true), away), auth|refusal) // that an address cannot be reached either changes nothing
	f(errors.Join(verdict(false), away), transient)
	f(kerr.NotLeaderForPartition, transient|delivery)

	f(kgo.ErrRecordTimeout, delivery)
	f(kgo.ErrRecordRetries, delivery)
	f(kerr.UnknownTopicID, transient|delivery|recreated)
	f(kerr.InconsistentTopicID, transient|delivery|recreated)
	f(kerr.UnknownTopicOrPartition, transient|delivery|missing)
}
