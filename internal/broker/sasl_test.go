package broker

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Each password mechanism works with a password or a password file, and over TLS.
func TestPasswordMechanisms(t *testing.T) {
	t.Parallel()
	a, f := newAuthority(t, "authority"), newFolder(t)
	file, ca := f.put("password", []byte("s3cret\r\n")), f.put("ca.pem", a.PEM)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			secured := newCluster(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "alice", "s3cret"),
				kfake.TLS(&tls.Config{Certificates: []tls.Certificate{serverPair(t, a, time.Hour)}}))
			plain := newCluster(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "alice", "s3cret"))
			byFile := SASL{Mechanism: mechanism, Username: "alice", PasswordFile: file}
			byValue := SASL{Mechanism: mechanism, Username: "alice", Password: NewSecret("s3cret")}
			for _, o := range []Options{
				{Addresses: secured, TLS: &TLS{CAFile: ca}, SASL: byFile},
				{Addresses: plain, SASL: byValue},
			} {
				if err := ping(t, mustOpen(t, o)); err != nil {
					t.Error(err)
				}
			}
			byValue.Password = NewSecret("other")
			if ping(t, mustOpen(t, Options{Addresses: plain, SASL: byValue})) == nil {
				t.Error("a wrong password was let in")
			}
		})
	}
}

// A password changed at the broker and in its file needs no restart. A file that is briefly empty is ignored.
func TestPasswordRotation(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	addresses := newCluster(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", "admin"), kfake.Superuser("SCRAM-SHA-512", "alice", "first"))
	var log lines
	c := mustOpen(t, Options{Addresses: addresses, Logger: log.logger(),
		SASL: SASL{Mechanism: "SCRAM-SHA-512", Username: "alice", PasswordFile: f.put("password", []byte("first"))}})
	if err := ping(t, c); err != nil {
		t.Fatal(err)
	}
	f.put("password", nil)
	if err := ping(t, c); err != nil {
		t.Error(err)
	}
	client, err := kgo.NewClient(mustOpen(t, Options{Addresses: addresses,
		SASL: SASL{Mechanism: "PLAIN", Username: "admin", Password: NewSecret("admin")}}).ClientOpts()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	altered, err := kadm.NewClient(client).AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{
		{User: "alice", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: "second"},
	})
	if err == nil {
		err = altered.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	if ping(t, c) == nil {
		t.Error("the old password is let in")
	}
	f.put("password", []byte("second"))
	if err := ping(t, c); err != nil {
		t.Error(err)
	}
	for _, secret := range []string{"first", "second"} {
		if log.count(secret) > 0 {
			t.Errorf("the log has the password %q", secret)
		}
	}
	if log.count("it is empty") != 1 || log.count("read changed files") != 1 {
		t.Errorf("log: %s", log.buf.String())
	}
}
