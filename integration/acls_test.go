package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// grant is one ACL as a line of kafka-acls says it.
type grant struct {
	principal, operation, resource, name string // the resource is the flag without its hyphens
	prefixed                             bool
	words                                []string // of the line, without the command
}

// String returns the grant for people.
func (g grant) String() string {
	return fmt.Sprintf("%s %s %s (prefixed: %v)", g.operation, g.resource, g.name, g.prefixed)
}

// builder returns the grant as the admin client takes it.
func (g grant) builder(t *testing.T) *kadm.ACLBuilder {
	t.Helper()
	operation, err := kmsg.ParseACLOperation(g.operation)
	if err != nil {
		t.Fatal(err)
	}
	pattern := kadm.ACLPatternLiteral
	if g.prefixed {
		pattern = kadm.ACLPatternPrefixed
	}
	b := kadm.NewACLs().Allow(g.principal).AllowHosts("*").Operations(operation).ResourcePatternType(pattern)
	switch g.resource {
	case "topic":
		return b.Topics(g.name)
	case "group":
		return b.Groups(g.name)
	case "transactional-id":
		return b.TransactionalIDs(g.name)
	}
	t.Fatalf("%s: a resource that is not expected", g)
	return nil
}

// printedGrants returns what a command prints with --acls, as a shell hands it to kafka-acls.
func printedGrants(t *testing.T, command ...string) []grant {
	t.Helper()
	p := start(t, append(slices.Clone(command), "--acls")...)
	if status := p.wait(t, time.Minute); status != 0 {
		t.Fatalf("--acls: status %d: %s", status, p.log.String())
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nprintf '%s\\0' \"$@\"\nprintf '\\n'\n"
	if err := os.WriteFile(filepath.Join(dir, "kafka-acls"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-e")
	shell.Env = []string{"PATH=" + dir}
	shell.Stdin = bytes.NewReader(p.out.Bytes())
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("running what --acls prints: %v\n%s", err, out)
	}
	var grants []grant
	for line := range strings.Lines(string(out)) {
		grants = append(grants, parseGrant(t, strings.Split(strings.TrimSuffix(line, "\x00\n"), "\x00")))
	}
	return grants
}

func parseGrant(t *testing.T, words []string) (g grant) {
	t.Helper()
	g.words = words
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if word == "--add" {
			continue
		}
		value := words[0]
		words = words[1:]
		switch word {
		case "--bootstrap-server", "--command-config":
		case "--allow-principal":
			g.principal = value
		case "--operation":
			g.operation = value
		case "--topic", "--group", "--transactional-id":
			g.resource, g.name = word[2:], value
		case "--resource-pattern-type":
			g.prefixed = value == "prefixed"
		default:
			t.Fatalf("kafka-acls is not expected to be given %s %s", word, value)
		}
	}
	return g
}

func (k *secured) add(t *testing.T, g grant) {
	t.Helper()
	results, err := k.admin(t).CreateACLs(t.Context(), g.builder(t))
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	if err != nil {
		t.Fatalf("adding %s: %v", g, err)
	}
}

func (k *secured) remove(t *testing.T, g grant) {
	t.Helper()
	results, err := k.admin(t).DeleteACLs(t.Context(), g.builder(t))
	n := 0
	for _, r := range results {
		err = errors.Join(err, r.Err)
		n += len(r.Deleted)
	}
	if err != nil || n != 1 {
		t.Fatalf("removing %s: %d removed, %v", g, n, err)
	}
}

// aclScene is a scene whose program has a new user that may do nothing yet.
type aclScene struct {
	*scene
	k         *secured
	arguments []string // beyond those of the scene
	grants    []grant
	missing   bool // the program makes the topics
}

func newACLScene(t *testing.T, missing bool, more func(s *scene) []string) *aclScene {
	t.Helper()
	k := startSecuredKafka(t)
	a := &aclScene{k: k, missing: missing}
	if missing {
		a.scene = newEmptyScene(t, k.brokers, 1)
	} else {
		a.scene = newScene(t, k.brokers, 1)
	}
	user := "user of " + a.group
	k.setPassword(t, user, "acl-secret")
	a.reach, _ = k.byPassword(t, "SCRAM-SHA-512", user, "acl-secret")
	a.arguments = more(a.scene)
	a.grants = printedGrants(t, append([]string{"check"}, a.run()[1:]...)...)
	return a
}

// run are the arguments of "regionwatch run" here.
func (a *aclScene) run() []string {
	arguments := a.scene.run(a.arguments...)
	if i := slices.Index(arguments, "--input-topic"); slices.Contains(arguments, "--input-topic-pattern") {
		arguments = slices.Delete(arguments, i, i+2)
	}
	return arguments
}

// check runs check until its report satisfies want.
func (a *aclScene) check(t *testing.T, want func(*checked) error) {
	t.Helper()
	eventually(t, time.Minute, func() error { // a broker learns of an ACL a moment later
		return want(runCheck(t, a.run()[1:]...))
	})
}

// refuses expects a check that names the grant as missing, and status 1.
func refuses(g grant) func(*checked) error {
	return func(c *checked) error {
		if c.status != 1 {
			return fmt.Errorf("%s is missing: status %d, want 1: %+v", g, c.status, c.Steps)
		}
		for _, s := range c.refused() {
			for _, line := range s.ACLs {
				if strings.EqualFold(line.Operation, g.operation) && line.Name == g.name &&
					(line.Pattern == "PREFIXED") == g.prefixed && s.Error != "" {
					return nil
				}
			}
		}
		return fmt.Errorf("%s is missing, and check says: %+v", g, c.Steps)
	}
}

// works expects check to find nothing and run to write an alert.
func (a *aclScene) works(t *testing.T) {
	t.Helper()
	a.check(t, func(c *checked) error {
		if refused := c.refused(); c.status != 0 || len(refused) > 0 || !c.OK {
			return fmt.Errorf("status %d: %+v", c.status, refused)
		}
		return nil
	})
	p := start(t, a.run()...)
	p.ready(t)
	a.produce(t, &kgo.Record{Value: []byte(event(eventID(1), "eu-central-1", false))}, &kgo.Record{Value: []byte("damaged")})
	a.settle(t, time.Minute, p.ended)
	if got := len(a.readAll(t, a.alerts)); got != 1 {
		t.Errorf("%d alerts, want 1", got)
	}
	if got := len(a.readAll(t, a.deadLetters)); got != 1 {
		t.Errorf("%d dead letters, want 1", got)
	}
	p.stop(t)
}

// TestKafkaAcls wants that with exactly the ACLs that check --acls prints both check and run have all that they need,
// and that without any one of them check names it and run ends with a status of 1 and the name of the resource.
func TestKafkaAcls(t *testing.T) {
	for name, test := range map[string]struct {
		missing bool // the topics
		silent  bool // run goes on without what it may not see
		more    func(s *scene) []string
	}{
		"at least once": {more: func(s *scene) []string {
			return []string{"--shadow-topic", s.alerts, "--exempted-topic", s.alerts, "--instance-id", "one"}
		}},
		"exactly once": {more: func(*scene) []string {
			return []string{"--delivery", "exactly-once", "--sessions", "2", "--instance-id", "one"}
		}},
		"exactly once without sessions": {more: func(*scene) []string {
			return []string{"--delivery", "exactly-once", "--instance-id", "one"}
		}},
		"exactly once without instance": {more: func(*scene) []string { return []string{"--delivery", "exactly-once"} }},
		"create topics":                 {missing: true, more: func(*scene) []string { return []string{"--create-topics"} }},
		"pattern": {silent: true, more: func(s *scene) []string {
			return []string{"--input-topic-pattern", strings.TrimSuffix(s.input, "in") + "(in|inner)"}
		}},
		"policy topic": {more: func(s *scene) []string {
			s.makePolicyTopic(t, s.group+"-policy")
			return []string{"--policy-topic", s.group + "-policy"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newACLScene(t, test.missing, test.more)
			for _, g := range a.grants {
				a.k.add(t, g)
			}
			a.works(t)
			for _, g := range a.grants {
				a.without(t, g, test.silent)
			}
		})
	}
}

// without takes one grant away, and gives it back.
func (a *aclScene) without(t *testing.T, g grant, silent bool) {
	t.Helper()
	if a.missing {
		a.drop(t, a.input, a.alerts, a.deadLetters)
	}
	a.k.remove(t, g)
	defer a.k.add(t, g)
	if silent && strings.HasSuffix(g.name, "-inner") {
		return // the topic does not exist
	}
	a.check(t, refuses(g))
	if silent && strings.HasSuffix(g.name, "-in") { // to run it looks as if the topic had not been made yet
		p := start(t, a.run()...)
		p.says(t, "no topic matches the input pattern")
		p.stop(t)
		return
	}
	p := start(t, a.run()...)
	if status := p.wait(t, time.Minute); status != 1 {
		t.Errorf("without %s: status %d of run, want 1", g, status)
	}
	if line := p.log.lastLine(); !strings.Contains(line, strings.TrimSuffix(g.name, "-")) {
		t.Errorf("without %s run ends with: %s", g, line)
	}
}

// makePolicyTopic makes a topic with a policy in it.
func (s *scene) makePolicyTopic(t *testing.T, name string) {
	t.Helper()
	compact := "compact"
	if _, err := s.admin.CreateTopic(t.Context(), 1, -1, map[string]*string{"cleanup.policy": &compact}, name); err != nil {
		t.Fatal(err)
	}
	record := &kgo.Record{Topic: name, Key: []byte("policy"), Value: []byte("version: test\ndefault:\n  unused_regions: [eu-central-1]\n")}
	eventually(t, time.Minute, func() error { return s.client.ProduceSync(t.Context(), record).FirstErr() })
}

// TestKafkaAclsNothing wants that a user who may do nothing is refused all, with every line that --acls prints.
func TestKafkaAclsNothing(t *testing.T) {
	a := newACLScene(t, false, func(*scene) []string { return []string{"--delivery", "exactly-once"} })
	a.check(t, func(c *checked) error {
		var lines []string
		for _, s := range c.refused() {
			for _, line := range s.ACLs {
				lines = append(lines, line.Name)
			}
		}
		for _, g := range a.grants {
			if !slices.Contains(lines, g.name) {
				return fmt.Errorf("%s is missing, and check does not say so: %+v", g, c.Steps)
			}
		}
		return nil
	})
}

// TestKafkaAclsTool wants Kafka's own tool to take what check --acls prints, and to make of it what the other tests
// take it for.
func TestKafkaAclsTool(t *testing.T) {
	a := newACLScene(t, false, func(*scene) []string { return []string{"--delivery", "exactly-once"} })
	for _, g := range a.grants {
		if !g.prefixed && g.resource != "group" { // each takes a JVM
			continue
		}
		words := slices.Clone(g.words)
		words[slices.Index(words, "--bootstrap-server")+1] = "localhost:9094" // inside of the container
		if i := slices.Index(words, "--command-config"); i >= 0 {
			words = slices.Delete(words, i, i+2) // that listener asks for nothing
		}
		status, out, err := a.k.container.Exec(t.Context(), append([]string{"/opt/kafka/bin/kafka-acls.sh"}, words...))
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := io.ReadAll(out); status != 0 {
			t.Fatalf("kafka-acls.sh %q: status %d: %s", words, status, text)
		}
		a.k.remove(t, g) // which fails where there is none like it
	}
}
