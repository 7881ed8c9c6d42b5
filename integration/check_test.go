package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/broker/brokertest"
)

// checked is what check --format json says.
type checked struct {
	status int
	OK     bool          `json:"ok"`
	Steps  []checkedStep `json:"steps"`
}

type checkedStep struct {
	Step, Of, Status, Detail, Error, Remedy string
	ACLs                                    []struct{ Operation, Name, Pattern string }
}

// refused returns the steps that were.
func (c *checked) refused() []checkedStep {
	return slices.DeleteFunc(slices.Clone(c.Steps), func(s checkedStep) bool { return s.Status != "refused" })
}

func runCheck(t *testing.T, arguments ...string) *checked {
	t.Helper()
	p, err := launch(append([]string{"check", "--format", "json"}, arguments...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	c := &checked{status: p.wait(t, 2*time.Minute)}
	if err := json.Unmarshal(p.out.Bytes(), c); err != nil {
		t.Fatalf("status %d, output %q, log %s: %v", c.status, p.out.String(), p.log.String(), err)
	}
	return c
}

// TestKafkaCheckRefused wants the step at which a broker and the program part, what to do about it, and the steps
// after it told of as not tried.
func TestKafkaCheckRefused(t *testing.T) {
	k := startSecuredKafka(t)
	k.setPassword(t, "checked", "right")
	foreign, err := brokertest.NewAuthority("another authority")
	if err != nil {
		t.Fatal(err)
	}
	ca, foreignCA := k.authorityFile(t), write(t, t.TempDir(), "foreign.pem", foreign.PEM)
	password, wrong := write(t, t.TempDir(), "right", []byte("right")), write(t, t.TempDir(), "wrong", []byte("wrong"))
	as := func(mechanism, file string) []string {
		return []string{"--sasl-mechanism", mechanism, "--sasl-username", "checked", "--sasl-password-file", file}
	}
	known, stranger := certificateArguments(t, k.authority), certificateArguments(t, foreign)
	for name, test := range map[string]struct {
		listener     string // none is the plaintext one
		arguments    []string
		step, remedy string // a part of it
	}{
		"wrong password":      {listenerSASL, append(as("SCRAM-SHA-512", wrong), "--tls", "--tls-ca", ca), "authenticate", "rejects the user, password or token"},
		"mechanism":           {listenerSASL, append(as("SCRAM-SHA-256", password), "--tls", "--tls-ca", ca), "authenticate", "rejects the user, password or token"},
		"expired certificate": {listenerExpired, append(as("SCRAM-SHA-512", password), "--tls", "--tls-ca", ca), "TLS", "it needs a new one"},
		"unknown authority":   {listenerSASL, append(as("SCRAM-SHA-512", password), "--tls", "--tls-ca", foreignCA), "TLS", "--tls-ca"},
		"no SASL":             {listenerSASL, []string{"--tls", "--tls-ca", ca}, "authenticate", "--sasl-mechanism"},
		"no TLS":              {listenerSASL, as("SCRAM-SHA-512", password), "connect", "--tls"},
		"TLS where none is":   {"", append(as("SCRAM-SHA-512", password), "--tls", "--tls-ca", ca), "TLS", "may not speak TLS"},
		"foreign certificate": {listenerMutual, append(stranger, "--tls", "--tls-ca", ca), "TLS", "--tls-certificate"},
		"SASL where none is": {listenerMutual, append(append(as("SCRAM-SHA-512", password), "--tls", "--tls-ca", ca), known...),
			"authenticate", "omit --sasl-mechanism"},
		"no certificate": {listenerMutual, []string{"--tls", "--tls-ca", ca}, "TLS", "--tls-certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			brokers := k.brokers
			if test.listener != "" {
				brokers = k.secured[test.listener]
			}
			c := runCheck(t, append(test.arguments, "--brokers", brokers)...)
			refused := c.refused()
			if c.status != 1 || c.OK || len(refused) != 1 || refused[0].Step != test.step ||
				!strings.Contains(refused[0].Remedy, test.remedy) || refused[0].Error == "" {
				t.Fatalf("status %d, %+v; want step %s refused, and a remedy with %q", c.status, c.Steps, test.step, test.remedy)
			}
			at := slices.IndexFunc(c.Steps, func(s checkedStep) bool { return s.Status == "refused" })
			for _, s := range c.Steps[at+1:] {
				if s.Status != "not tried" {
					t.Errorf("%s after it: %s", s.Step, s.Status)
				}
			}
		})
	}
}

// certificateArguments are those that show a certificate of the authority.
func certificateArguments(t *testing.T, a *brokertest.Authority) []string {
	t.Helper()
	certificate, key, err := a.Issue("checked", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return []string{"--tls-certificate", write(t, dir, "certificate.pem", certificate), "--tls-key", write(t, dir, "key.pem", key)}
}

// TestKafkaCheckDisturbsNothing runs check beside a group that is at work, with its very settings: no rebalance, no
// fencing, no record, and no topic that was not there.
func TestKafkaCheckDisturbsNothing(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 2)
		more := []string{"--delivery", delivery, "--instance-id", "one", "--sessions", "2"}
		p := start(t, s.run(more...)...)
		p.ready(t)
		s.produce(t, &kgo.Record{Value: []byte(event(eventID(1), "eu-central-1", false))})
		s.settle(t, time.Minute, p.ended)
		before := s.traces(t)
		eventually(t, time.Minute, func() error { // the last marker of a transaction may be on its way
			last := before
			if before = s.traces(t); before != last {
				return fmt.Errorf("%s, then %s", last, before)
			}
			return nil
		})
		for range 3 {
			c := runCheck(t, s.run(more...)[1:]...)
			if c.status != 0 {
				t.Errorf("status %d: %+v", c.status, c.refused())
			}
			if after := s.traces(t); after != before {
				t.Errorf("before: %s\nafter:  %s", before, after)
			}
		}
		s.produce(t, &kgo.Record{Value: []byte(event(eventID(2), "eu-central-1", false))})
		s.settle(t, time.Minute, p.ended)
		if got := len(s.readAll(t, s.alerts)); got != 2 {
			t.Errorf("%d alerts, want 2", got)
		}
		for _, fault := range []string{"a session ended", "level=ERROR", "fenced"} {
			if strings.Contains(strings.ToLower(p.log.String()), fault) {
				t.Errorf("the log has %q", fault)
			}
		}
		p.stop(t)
	})
}

// TestKafkaCheckLeavesNoTopic wants topics that would be made not to be, and a group that is new to stay so.
func TestKafkaCheckLeavesNoTopic(t *testing.T) {
	s := newEmptyScene(t, sharedBroker(t), 1)
	c := runCheck(t, s.run("--create-topics")[1:]...)
	if c.status != 0 {
		t.Errorf("status %d: %+v", c.status, c.refused())
	}
	topics, err := s.admin.ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{s.input, s.alerts, s.deadLetters} {
		if topics.Has(name) {
			t.Errorf("topic %s has been made", name)
		}
	}
	groups, err := s.admin.ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(groups.Groups(), s.group) {
		t.Errorf("group %s has been made", s.group)
	}
}

// traces is what somebody could notice: the group's state and members, the ends of the topics, transactions.
func (s *scene) traces(t *testing.T) string {
	t.Helper()
	groups, err := s.admin.DescribeGroups(t.Context(), s.group)
	if err != nil {
		t.Fatal(err)
	}
	group := groups[s.group]
	text := group.State
	for _, m := range group.Members {
		text += " " + m.MemberID
	}
	ends, err := s.admin.ListEndOffsets(t.Context(), s.input, s.alerts, s.deadLetters)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range ends.Offsets().Sorted() {
		text += fmt.Sprintf(" %s/%d:%d", end.Topic, end.Partition, end.At)
	}
	transactions, err := s.admin.ListTransactions(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tx := range transactions.Sorted() {
		if strings.HasPrefix(tx.TxnID, s.group) {
			described, err := s.admin.DescribeTransactions(t.Context(), tx.TxnID)
			if err != nil {
				t.Fatal(err)
			}
			described.Each(func(d kadm.DescribedTransaction) {
				text += fmt.Sprintf(" %s:%d/%d", d.TxnID, d.ProducerID, d.ProducerEpoch)
			})
		}
	}
	return text
}
