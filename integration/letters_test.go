package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestKafkaLettersUnreachable wants one line with the remedy from each command on dead letters for each way in which a
// broker and the program part.
func TestKafkaLettersUnreachable(t *testing.T) {
	k := startSecuredKafka(t)
	ca := k.authorityFile(t)
	right, wrong := write(t, t.TempDir(), "right", []byte("alice-secret")), write(t, t.TempDir(), "wrong", []byte("wrong-secret"))
	alice, stranger := withPassword("PLAIN", "alice", right), withPassword("PLAIN", "alice", wrong)
	secure := []string{"--tls", "--tls-ca", ca}
	for name, test := range map[string]struct {
		brokers   string
		arguments []string
		words     []string
	}{
		"wrong password":      {k.secured[listenerSASL], append(secure, stranger...), []string{"PLAIN", "SASL_AUTHENTICATION_FAILED", "rejects the user, password or token"}},
		"no SASL":             {k.secured[listenerSASL], secure, []string{"--sasl-mechanism"}},
		"no TLS":              {k.secured[listenerSASL], append(slices.Clone(alice), "--allow-plaintext-credentials"), []string{"the port speaks TLS", "give --tls"}},
		"TLS where none is":   {k.brokers, append(secure, alice...), []string{"omit --tls"}},
		"expired certificate": {k.secured[listenerExpired], append(secure, alice...), []string{"certificate has expired", "needs a new one"}},
		"no certificate":      {k.secured[listenerMutual], secure, []string{"--tls-certificate and --tls-key"}},
		"unknown host":        {"nowhere.invalid:9092", nil, []string{"nowhere.invalid", "--brokers"}},
	} {
		for _, command := range []string{"list", "show 0:0", "replay"} {
			t.Run(name+", "+command, func(t *testing.T) {
				t.Parallel()
				arguments := slices.Concat([]string{"deadletter"}, strings.Fields(command), []string{"--brokers", test.brokers}, test.arguments)
				p := start(t, arguments...)
				p.gives(t, test.words...)
				if n := strings.Count(p.log.String(), "\n"); n != 1 {
					t.Errorf("%d lines, want one", n)
				}
			})
		}
	}
}

// TestKafkaLettersAcls wants that with exactly the ACLs that a command on dead letters prints it has all that it needs,
// and that without any one of them it ends with a status of 1 and the name of the resource.
func TestKafkaLettersAcls(t *testing.T) {
	for name, test := range map[string]struct {
		command []string
		grants  int
	}{
		"list":             {[]string{"list"}, 1},
		"show":             {[]string{"show", "0:0"}, 1},
		"decision":         {[]string{"replay", "--again", "--policy-topic", "POLICY"}, 5},
		"input":            {[]string{"replay", "--again", "--to", "input"}, 4},
		"pattern":          {[]string{"replay", "--again", "--to", "input", "--input-topic-pattern", "INPUT.*"}, 4},
		"dry run":          {[]string{"replay", "--again", "--dry-run", "--policy-topic", "POLICY"}, 2},
		"dry run to input": {[]string{"replay", "--again", "--dry-run", "--to", "input"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := startSecuredKafka(t)
			s := newScene(t, k.brokers, 1)
			s.produce(t, &kgo.Record{Value: []byte("damaged")},
				&kgo.Record{Value: zip(t, strings.Replace(event(eventID(1), "eu-central-1", false), "***", strings.Repeat("x", 70<<10), 1))})
			s.process(t, "--max-event-bytes", "64KiB")
			s.makePolicyTopic(t, s.group+"-policy")
			user := "user of " + s.group
			k.setPassword(t, user, "acl-secret")
			s.reach, _ = k.byPassword(t, "SCRAM-SHA-512", user, "acl-secret")

			command := s.letterCommand(test.command)
			grants := printedGrants(t, command...)
			if len(grants) != test.grants {
				t.Errorf("%d ACLs are printed, want %d: %v", len(grants), test.grants, grants)
			}
			for _, g := range grants {
				k.add(t, g)
			}
			// A replay to the decision finds that one record still cannot be read.
			decides := test.command[0] == "replay" && !slices.Contains(test.command, "input")
			comesToEnd(t, command, decides)
			for _, g := range grants {
				k.remove(t, g)
				ends(t, command, 1, g.name)
				k.add(t, g)
				comesToEnd(t, command, decides)
			}
		})
	}
}

// letterCommand returns the arguments of a command on the scene's dead letters.
func (s *scene) letterCommand(command []string) []string {
	settings := slices.Concat(s.reach, []string{"--dead-letter-topic", s.deadLetters})
	if command[0] == "replay" {
		settings = s.run()[1:]
	}
	if i := slices.Index(settings, "--input-topic"); slices.Contains(command, "--input-topic-pattern") {
		settings = slices.Delete(settings, i, i+2)
	}
	arguments := slices.Concat([]string{"deadletter"}, command, settings)
	for i := range arguments {
		arguments[i] = strings.NewReplacer("POLICY", s.group+"-policy", "INPUT", s.input).Replace(arguments[i])
	}
	return arguments
}

// comesToEnd wants a command to end without a refusal: with status 0, or if unreadable is set with 1 for records that still
// cannot be read.
func comesToEnd(t *testing.T, command []string, unreadable bool) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		p, err := launch(command...)
		if err != nil {
			return err
		}
		defer p.kill()
		status, said := p.wait(t, time.Minute), p.log.String()
		if unreadable && status == 1 && strings.Contains(said, "still cannot be read") || !unreadable && status == 0 {
			return nil
		}
		return fmt.Errorf("%q: status %d: %s%s", command[1], status, p.out.String(), said)
	})
}

// ends wants a command to come to end with a status and an error with the words: a broker learns of an ACL a moment
// later.
func ends(t *testing.T, command []string, status int, words ...string) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		p, err := launch(command...)
		if err != nil {
			return err
		}
		defer p.kill()
		got, said := p.wait(t, time.Minute), p.log.String()
		for _, word := range words {
			if !strings.Contains(said, word) || !strings.Contains(said, "--acls") {
				got = -1
			}
		}
		if got != status {
			return fmt.Errorf("%q: status %d, want %d and %q: %s%s", command[1], p.command.ProcessState.ExitCode(), status, words, p.out.String(), said)
		}
		return nil
	})
}
