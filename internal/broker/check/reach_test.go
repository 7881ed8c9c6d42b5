package check

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/internal/broker"
	"github.com/regionwatch/regionwatch/internal/broker/brokertest"
)

// One reachable address of several is enough. If none is reachable, the remaining steps are not tried.
func TestRunUnreachable(t *testing.T) {
	c := newCluster(t)
	const nobody = "127.0.0.1:1" // a port that was just free may be in use again
	at := func(addresses ...string) Options {
		o := c.options(t)
		c.allow(t, o.needed()...)
		o.Connection = open(t, broker.Options{Addresses: addresses,
			SASL: broker.SASL{Mechanism: "PLAIN", Username: "alice", Password: broker.NewSecret("secret")}})
		return o
	}
	r := Run(t.Context(), at(nobody, c.ListenAddrs()[0]))
	if !r.OK() || r.count(Warning) != 1 {
		t.Errorf("one that answers: %+v", r.Steps)
	}
	want := []string{
		"resolve: ok", "connect: refused", "TLS: not tried", "authenticate: not tried", "reach the brokers: not tried",
		"describe input: not tried", "read input: not tried", "join the group: not tried", "write alerts: not tried",
		"write dead letters: not tried", "idempotent producer: not tried",
	}
	if diff := cmp.Diff(want, statuses(Run(t.Context(), at(nobody)))); diff != "" {
		t.Errorf("none that answers (-want +got):\n%s", diff)
	}
}

// A broker whose advertised address cannot be reached is reported.
func TestRunUnreachableBroker(t *testing.T) {
	c := newCluster(t)
	o := c.options(t)
	c.allow(t, o.needed()...)
	c.ControlKey(int16(kmsg.Metadata), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if len(request.(*kmsg.MetadataRequest).Topics) > 0 {
			return nil, nil, false
		}
		response := request.ResponseKind().(*kmsg.MetadataResponse)
		for id, host := range []string{"127.0.0.1", "kafka-2.invalid"} { // a name that never resolves: RFC 6761
			b := kmsg.NewMetadataResponseBroker()
			b.NodeID, b.Host, b.Port = int32(id), host, int32(c.port(t, id))
			response.Brokers = append(response.Brokers, b)
		}
		return response, nil, true
	})
	r := Run(t.Context(), o)
	if !slices.ContainsFunc(r.Steps, func(s Step) bool {
		return s.Name == stepBrokers && s.Status == Refused && strings.HasPrefix(s.Of, "kafka-2.invalid:") && strings.Contains(s.Remedy, "advertised.listeners")
	}) {
		t.Errorf("%+v", r.Steps)
	}
}

func (c *cluster) port(t *testing.T, id int) int {
	t.Helper()
	address, err := net.ResolveTCPAddr("tcp", c.ListenAddrs()[id])
	if err != nil {
		t.Fatal(err)
	}
	return address.Port
}

// A server that is not a broker is reported as what it is.
func TestHello(t *testing.T) {
	for name, test := range map[string]struct {
		answer, remedy string
	}{
		"TLS":              {"\x15\x03\x03\x00\x02\x02\x0a", "--tls"},
		"HTTP":             {"HTTP/1.1 400 Bad Request\r\n\r\n", "port for clients"},
		"nothing":          {"", "closed the connection"},
		"too little":       {"\x00\x00\x00\x0a\x00", "closed the connection"},
		"a foreign answer": {"\x00\x00\x00\x06\x00\x00\x00\x09\x00\x00", "port for clients"},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer theirs.Close()
				_, _ = theirs.Read(make([]byte, 1024))
				_, _ = theirs.Write([]byte(test.answer))
			}()
			err := hello(t.Context(), ours)
			if err == nil || !strings.Contains(helloRemedy(err), test.remedy) {
				t.Errorf("%v: want a remedy with %q", err, test.remedy)
			}
			ours.Close()
			<-done
		})
	}
}

// A certificate about to expire is a warning, whether it is the broker's or ours.
func TestRunExpiresSoon(t *testing.T) {
	authority, err := brokertest.NewAuthority("authority")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		theirs, ours time.Duration
		want         []string // warnings
	}{
		"both last": {365 * 24 * time.Hour, 365 * 24 * time.Hour, nil},
		"theirs":    {29 * 24 * time.Hour, 365 * 24 * time.Hour, []string{stepTLS}},
		"ours":      {365 * 24 * time.Hour, 29 * 24 * time.Hour, []string{stepAuthenticate}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			issue := func(name string, left time.Duration) (certificate, key string) {
				c, k, err := authority.Issue(name, time.Now().Add(left))
				if err != nil {
					t.Fatal(err)
				}
				return write(t, dir, name+".pem", c), write(t, dir, name+"-key.pem", k)
			}
			certificate, key := issue("broker", test.theirs)
			pair, err := tls.LoadX509KeyPair(certificate, key)
			if err != nil {
				t.Fatal(err)
			}
			cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in", "out", "dead"),
				kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert}))
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			certificate, key = issue("client", test.ours)
			r := Run(t.Context(), options(t, func(o *Options) {
				o.SessionTimeout, o.RebalanceTimeout = 10*time.Second, time.Minute
				o.Connection = open(t, broker.Options{Addresses: cluster.ListenAddrs(), TLS: &broker.TLS{
					CAFile: write(t, dir, "ca.pem", authority.PEM), CertificateFile: certificate, KeyFile: key,
				}})
			}))
			var warned []string
			for _, s := range r.Steps {
				if s.Status == Warning && !strings.HasPrefix(s.Name, stepWrite) { // the only broker allows only one replica
					warned = append(warned, s.Name)
				}
			}
			if !r.OK() || !slices.Equal(warned, test.want) {
				t.Errorf("warned of %v, want %v: %+v", warned, test.want, r.Steps)
			}
		})
	}
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
