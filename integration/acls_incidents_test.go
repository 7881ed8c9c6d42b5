package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// incidentsACLScene is a scene for incidents, whose user may do nothing yet.
type incidentsACLScene struct {
	*scene
	k                   *secured
	incidents, state    string
	settings            []string
	running, rebuilding []grant
	produced            int // alerts
	missing             bool
}

func newIncidentsACLScene(t *testing.T, missing bool, more ...string) *incidentsACLScene {
	t.Helper()
	k := startSecuredKafka(t)
	a := &incidentsACLScene{k: k, missing: missing}
	if a.scene = newEmptyScene(t, k.brokers, 2); !missing {
		a.scene = newScene(t, k.brokers, 2)
	}
	a.incidents, a.state = a.group+"-incidents", a.group+"-state"
	if !missing {
		a.makeTopic(t, a.incidents, nil)
		compact := "compact"
		a.makeTopic(t, a.state, map[string]*string{"cleanup.policy": &compact})
	}
	user := "user of " + a.group
	k.setPassword(t, user, "acl-secret")
	reach, _ := k.byPassword(t, "SCRAM-SHA-512", user, "acl-secret")
	a.settings = slices.Concat(reach, []string{
		"--alert-topic", a.alerts, "--dead-letter-topic", a.deadLetters, "--incident-topic", a.incidents,
		"--incident-state-topic", a.state, "--incident-group", a.group,
	}, more)
	a.rebuilding = printedGrants(t, append([]string{"incidents", "rebuild"}, a.settings...)...)
	all := printedGrants(t, append([]string{"check", "--incidents"}, a.settings...)...)
	a.running = all[:len(all)-len(a.rebuilding)]
	for i, g := range all[len(a.running):] { // check prints both
		if want := a.rebuilding[i]; g.String() != want.String() {
			t.Errorf("check prints %s for a rebuild, want %s", g, want)
		}
	}
	return a
}

// produceAlert writes one alert, which makes an incident, and one record that is none. The partitions take turns, so that a
// rebuild has something to group.
func (a *incidentsACLScene) produceAlert(t *testing.T) {
	t.Helper()
	a.produced++
	value := fmt.Sprintf(`{"id":"00000000-0000-5000-8000-%012d","ruleId":"AWS.UnusedRegion","severity":"High","eventTime":%q,`+
		`"eventName":"RunInstances","eventSource":"ec2.amazonaws.com","awsRegion":"eu-west-3","recipientAccountId":"111122223333",`+
		`"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/u%d"}}`, a.produced, time.Now().UTC().Format(time.RFC3339), a.produced)
	for _, v := range []string{value, "damaged"} {
		if err := a.client.ProduceSync(t.Context(), &kgo.Record{Topic: a.alerts, Partition: int32(a.produced % 2), Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// works expects check to find nothing, and incidents to write the incident and the dead letter of what is produced.
func (a *incidentsACLScene) works(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, func() error { // a broker learns of an ACL a moment later
		c := runCheck(t, append([]string{"--incidents"}, a.settings...)...)
		if refused := c.refused(); c.status != 0 || len(refused) > 0 || !c.OK {
			return fmt.Errorf("status %d: %+v", c.status, refused)
		}
		return nil
	})
	p := start(t, append([]string{"incidents"}, a.settings...)...)
	p.ready(t)
	incidents, letters := len(a.readAll(t, a.incidents))+1, len(a.readAll(t, a.deadLetters))+1
	a.produceAlert(t)
	eventually(t, time.Minute, func() error {
		if err := p.ended(); err != nil {
			return fmt.Errorf("%w: %w", errStop, err)
		}
		if got, dead := len(a.readAll(t, a.incidents)), len(a.readAll(t, a.deadLetters)); got != incidents || dead != letters {
			return fmt.Errorf("%d incidents and %d dead letters, want %d and %d", got, dead, incidents, letters)
		}
		return nil
	})
	p.stop(t)
}

// without takes a grant of the service away, and gives it back.
func (a *incidentsACLScene) without(t *testing.T, g grant) {
	t.Helper()
	if a.missing {
		a.drop(t, a.alerts, a.deadLetters, a.incidents, a.state)
	} else {
		a.produceAlert(t) // something to write
	}
	a.k.remove(t, g)
	defer a.k.add(t, g)
	eventually(t, time.Minute, func() error { return refuses(g)(runCheck(t, append([]string{"--incidents"}, a.settings...)...)) })
	p := start(t, append([]string{"incidents"}, a.settings...)...)
	if status := p.wait(t, time.Minute); status != 1 {
		t.Errorf("without %s: status %d of incidents, want 1", g, status)
	}
	if line := p.log.lastLine(); !strings.Contains(line, strings.TrimSuffix(g.name, "-")) {
		t.Errorf("without %s incidents ends with: %s", g, line)
	}
}

// rebuild expects a status, and a last line that names something.
func (a *incidentsACLScene) rebuild(t *testing.T, status int, text string) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		p := start(t, append([]string{"incidents", "rebuild", "--yes"}, a.settings...)...)
		if got, line := p.wait(t, time.Minute), p.log.lastLine(); got != status || !strings.Contains(line, text) {
			return fmt.Errorf("status %d, want %d and a line with %q: %s", got, status, text, line)
		}
		return nil
	})
}

// TestKafkaAclsIncidents wants that with exactly the ACLs that check --incidents --acls prints the service has all that it
// needs, that without any one of them check names it and the service ends with status 1 and the name of the resource, and
// the same of a rebuild.
func TestKafkaAclsIncidents(t *testing.T) {
	t.Run("topics exist", func(t *testing.T) {
		t.Parallel()
		a := newIncidentsACLScene(t, false, "--instance-id", "one", "--sessions", "1")
		for _, g := range a.running {
			a.k.add(t, g)
		}
		a.works(t)
		for _, g := range a.running {
			a.without(t, g)
		}
		for _, g := range a.running {
			a.k.remove(t, g)
		}
		for _, g := range a.rebuilding {
			a.k.add(t, g)
		}
		a.rebuild(t, 0, "Done.")
		for _, g := range a.rebuilding {
			a.k.remove(t, g)
			a.rebuild(t, 1, g.name)
			a.k.add(t, g)
		}
		a.rebuild(t, 0, "Done.")
		for _, g := range a.running {
			a.k.add(t, g)
		}
		a.works(t)
	})
	t.Run("create topics", func(t *testing.T) {
		t.Parallel()
		a := newIncidentsACLScene(t, true, "--create-topics", "--partitions", "2")
		for _, g := range a.running {
			a.k.add(t, g)
		}
		a.works(t)
		for _, g := range a.running {
			if strings.EqualFold(g.operation, "Create") { // the others are the same as above
				a.without(t, g)
			}
		}
	})
}
