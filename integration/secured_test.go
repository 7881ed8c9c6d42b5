package integration

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/broker/brokertest"
)

// The listeners of a secured broker. Beside them it has the plaintext one, whose anonymous user is a super
// user: by it the tests make topics, users and ACLs, and read what was written.
const (
	listenerSASL    = "SASL"    // TLS, and PLAIN, SCRAM or OAUTHBEARER with an unsigned token
	listenerMutual  = "MUTUAL"  // TLS, with a certificate of the client; its common name is the user
	listenerExpired = "EXPIRED" // as SASL, with a certificate that has expired
	listenerBrief   = "BRIEF"   // as SASL, and one authenticates again every five seconds
)

// secured is a broker in a container with the StandardAuthorizer: nothing is allowed but what an ACL allows,
// save to super users, who are admin and the anonymous user of the plaintext listener. PLAIN knows admin and
// alice, whose passwords are NAME-secret.
type secured struct {
	*containerCluster
	authority *brokertest.Authority
}

// sharedSecured is the secured broker that the tests have in common, started by the first that needs it.
var sharedSecured struct {
	once      sync.Once
	cluster   *containerCluster
	authority *brokertest.Authority
	err       error
}

// startSecuredKafka returns the broker. Tests that change ACLs use their own users, topics and groups.
func startSecuredKafka(t *testing.T) *secured {
	t.Helper()
	s := &sharedSecured
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		var setup containerSetup
		if s.authority, s.err = brokertest.NewAuthority("regionwatch test authority"); s.err != nil {
			return
		}
		if setup, s.err = securedSetup(s.authority); s.err != nil {
			return
		}
		s.cluster, s.err = startContainer(ctx, setup)
	})
	if s.err != nil {
		t.Fatalf("starting a secured Kafka in a container (is there a Docker engine?): %v", s.err)
	}
	return &secured{s.cluster, s.authority}
}

// securedSetup is what the container needs for its listeners.
func securedSetup(a *brokertest.Authority) (setup containerSetup, err error) {
	const folder = "/etc/kafka/secrets/"
	setup.environment = map[string]string{
		"KAFKA_AUTHORIZER_CLASS_NAME":       "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"KAFKA_SUPER_USERS":                 "User:ANONYMOUS;User:admin", // ANONYMOUS is the broker itself too
		"KAFKA_CONNECTIONS_MAX_IDLE_MS":     "3000",                      // so that clients connect anew, and show what they hold now
		"KAFKA_SSL_PRINCIPAL_MAPPING_RULES": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
	}
	setup.listeners = []containerListener{
		{listenerSASL, "SASL_SSL", "9095"}, {listenerMutual, "SSL", "9096"}, {listenerExpired, "SASL_SSL", "9097"},
		{listenerBrief, "SASL_SSL", "9098"},
	}
	for store, until := range map[string]time.Duration{"server.pem": 24 * time.Hour, "expired.pem": -time.Minute} {
		certificate, key, err := a.Issue("broker", time.Now().Add(until))
		if err != nil {
			return setup, err
		}
		setup.files = append(setup.files, containerFile(folder+store, slices.Concat(key, certificate, a.PEM)))
	}
	setup.files = append(setup.files, containerFile(folder+"ca.pem", a.PEM))
	for _, l := range setup.listeners {
		of := func(property, value string) {
			setup.environment["KAFKA_LISTENER_NAME_"+l.name+"_"+property] = value
		}
		of("SSL_KEYSTORE_TYPE", "PEM")
		of("SSL_KEYSTORE_LOCATION", folder+map[bool]string{false: "server.pem", true: "expired.pem"}[l.name == listenerExpired])
		of("SSL_TRUSTSTORE_TYPE", "PEM")
		of("SSL_TRUSTSTORE_LOCATION", folder+"ca.pem")
		if l.name == listenerBrief {
			of("SCRAM___SHA___512_CONNECTIONS_MAX_REAUTH_MS", "5000")
		}
		if l.name == listenerMutual {
			of("SSL_CLIENT_AUTH", "required")
			continue
		}
		const modules = "org.apache.kafka.common.security."
		of("SASL_ENABLED_MECHANISMS", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER")
		of("PLAIN_SASL_JAAS_CONFIG", modules+`plain.PlainLoginModule required user_admin="admin-secret" user_alice="alice-secret";`)
		of("SCRAM___SHA___256_SASL_JAAS_CONFIG", modules+"scram.ScramLoginModule required;")
		of("SCRAM___SHA___512_SASL_JAAS_CONFIG", modules+"scram.ScramLoginModule required;")
		of("OAUTHBEARER_SASL_JAAS_CONFIG", modules+`oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`)
	}
	return setup, nil
}

func containerFile(path string, content []byte) testcontainers.ContainerFile {
	return testcontainers.ContainerFile{Reader: bytes.NewReader(content), ContainerFilePath: path, FileMode: 0o644}
}

// admin returns a client that may do everything.
func (k *secured) admin(t *testing.T) *kadm.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.brokers))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return kadm.NewClient(client)
}

// setPassword makes a user of SCRAM, or gives it another password, and returns when the broker knows it.
func (k *secured) setPassword(t *testing.T, user, password string) {
	t.Helper()
	admin := k.admin(t)
	mechanism := kadm.ScramSha512
	results, err := admin.AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{
		{User: user, Mechanism: mechanism, Iterations: 4096, Password: password},
	})
	if err == nil {
		err = results.Error()
	}
	if err != nil {
		t.Fatalf("setting the password of %s: %v", user, err)
	}
	eventually(t, time.Minute, func() error {
		described, err := admin.DescribeUserSCRAMs(t.Context(), user)
		if err == nil {
			err = described.Error()
		}
		return err
	})
}

// allowAll lets the user do everything with every topic, group and transactional id.
func (k *secured) allowAll(t *testing.T, user string) {
	t.Helper()
	all := kadm.NewACLs().AnyResource().Allow("User:" + user).AllowHosts("*").Operations(kadm.OpAll)
	all = all.Topics("*").Groups("*").TransactionalIDs("*").Clusters()
	results, err := k.admin(t).CreateACLs(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatalf("allowing %s everything: %v", user, r.Err)
		}
	}
}

// authorityFile writes the authority's certificate into a file.
func (k *secured) authorityFile(t *testing.T) string {
	t.Helper()
	return write(t, t.TempDir(), "ca.pem", k.authority.PEM)
}

// by are the arguments with which the program reaches a listener.
func (k *secured) by(t *testing.T, listener string, more ...string) []string {
	t.Helper()
	return append([]string{"--brokers", k.secured[listener], "--tls", "--tls-ca", k.authorityFile(t)}, more...)
}

// byPassword are the arguments with which the program reaches the SASL listener. The password is in a file,
// whose name is returned too.
func (k *secured) byPassword(t *testing.T, mechanism, user, password string) (reach []string, file string) {
	t.Helper()
	file = write(t, t.TempDir(), "password", []byte(password+"\n"))
	return k.by(t, listenerSASL, withPassword(mechanism, user, file)...), file
}

func withPassword(mechanism, user, file string) []string {
	return []string{"--sasl-mechanism", mechanism, "--sasl-username", user, "--sasl-password-file", file}
}

// write puts content into a file of the test's own folder, whole at once, and returns its name.
func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return path
}
