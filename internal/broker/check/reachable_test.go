package check

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/internal/broker"
)

// listening starts a server that answers each connection with the text, and returns its address.
func listening(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1024))
			_, _ = c.Write([]byte(text))
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// user returns the options of alice with PLAIN. The right password is "secret".
func user(addresses []string, password string) broker.Options {
	return broker.Options{Addresses: addresses, SASL: broker.SASL{Mechanism: "PLAIN", Username: "alice", Password: broker.NewSecret(password)}}
}

// Reach needs one reachable address and no permissions.
func TestReachSuccess(t *testing.T) {
	c := newCluster(t)
	if err := Reach(t.Context(), open(t, user(append([]string{"nowhere.invalid:9092"}, c.ListenAddrs()...), "secret"))); err != nil {
		t.Error(err)
	}
}

// An obstacle is reported on one line, with the remedy.
func TestReachFailure(t *testing.T) {
	c := newCluster(t)
	brokers := c.ListenAddrs()
	closed := listening(t, "")
	for name, test := range map[string]struct {
		options broker.Options
		want    []string
	}{
		"unknown host":                 {user([]string{"nowhere.invalid:9092"}, "secret"), []string{"nowhere.invalid", "--brokers"}},
		"nobody":                       {user([]string{"127.0.0.1:1"}, "secret"), []string{"127.0.0.1:1", "connection refused", "nothing listens on that port"}},
		"wrong password":               {user(brokers, "wrong"), []string{"PLAIN", "user and password are right"}},
		"no SASL":                      {broker.Options{Addresses: brokers}, []string{"--sasl-mechanism"}},
		"TLS, not wanted":              {broker.Options{Addresses: []string{listening(t, "\x15\x03\x03\x00\x02\x02\x0a")}}, []string{"the port speaks TLS", "give --tls"}},
		"TLS where none is":            {broker.Options{Addresses: []string{closed}, TLS: &broker.TLS{}}, []string{closed, "omit --tls"}},
		"not Kafka":                    {broker.Options{Addresses: []string{listening(t, "HTTP/1.1 400 Bad Request\r\n\r\n")}}, []string{"Kafka's protocol", "port for clients"}},
		"wrong password at one of two": {user([]string{brokers[0], "127.0.0.1:1"}, "wrong"), []string{"PLAIN", "user and password are right"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Reach(t.Context(), open(t, test.options))
			o, ok := errors.AsType[*Obstacle](err)
			if !ok || strings.Contains(err.Error(), "\n") || o.Step.Remedy == "" || !strings.HasSuffix(err.Error(), o.Step.Remedy) {
				t.Fatalf("%v: want one line with its remedy", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: want %q", err, want)
				}
			}
			if strings.Contains(name, "wrong") && o.Step.Name != stepAuthenticate {
				t.Errorf("it is the step %s: %v", o.Step.Name, err)
			}
		})
	}
}

// It is also an obstacle if no broker can be reached at its advertised address.
func TestReachAdvertised(t *testing.T) {
	c := newCluster(t, kfake.NumBrokers(1))
	c.ControlKey(int16(kmsg.Metadata), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		response := request.ResponseKind().(*kmsg.MetadataResponse)
		b := kmsg.NewMetadataResponseBroker()
		b.Host, b.Port = "kafka-2.invalid", 9092 // a name that never resolves: RFC 6761
		response.Brokers = append(response.Brokers, b)
		return response, nil, true
	})
	err := Reach(t.Context(), open(t, user(c.ListenAddrs(), "secret")))
	if err == nil || !strings.Contains(err.Error(), "advertised.listeners") || !strings.Contains(err.Error(), "kafka-2.invalid") {
		t.Error(err)
	}
}

// After cancellation, no obstacle is reported.
func TestReachStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Reach(ctx, open(t, user([]string{"127.0.0.1:1"}, "secret"))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
