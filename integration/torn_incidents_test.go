package integration

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// tornScene is a state topic of one partition, as instances left it.
type tornScene struct {
	*scene
	arguments []string
	records   []*kgo.Record // the state
}

// newTornScene groups 2,501 alerts of one user, whose ids take three records, and one of each of nine others.
func newTornScene(t *testing.T) *tornScene {
	t.Helper()
	const account = "000000000001"
	s := &tornScene{scene: newScene(t, sharedBroker(t), 1)}
	s.arguments = quickIncidents(t, s.scene)
	today := time.Now().UTC().Format(`"2006-01-02T15:04:05Z"`)
	writeAlerts(t, s.scene, 2_510, func(n int) *kgo.Record {
		return hostileAlert(s.scene, account, userIdentity(account, fmt.Sprint(max(0, n-2_500))), today)
	})
	s.settled(t)
	for _, r := range s.readAll(t, s.group+"-state") {
		if !r.Attrs.IsControl() {
			s.records = append(s.records, r)
		}
	}
	return s
}

// settled runs an instance until it has read everything, and returns its metrics.
func (s *tornScene) settled(t *testing.T) map[string]float64 {
	t.Helper()
	p := start(t, s.arguments...)
	p.ready(t)
	grouping := *s.scene
	grouping.input = s.alerts
	grouping.settle(t, time.Minute, p.ended)
	eventually(t, time.Minute, func() error {
		if n := sum(p.metrics(t), "regionwatch_incident_ids_remembered"); n != 2_510 {
			return fmt.Errorf("%v alert ids are remembered", n)
		}
		return nil
	})
	m := p.metrics(t)
	p.stop(t)
	return m
}

// find returns the last record of a kind with the longest value.
func (s *tornScene) find(kind byte) (found *kgo.Record) {
	for _, r := range s.records {
		if r.Key[0] == kind && (found == nil || len(r.Value) >= len(found.Value)) {
			found = r
		}
	}
	return found
}

// copied returns the name of a new state topic with the records.
func (s *tornScene) copied(t *testing.T, n int, records []*kgo.Record) string {
	t.Helper()
	topic, cleanup := fmt.Sprintf("%s-state-%d", s.group, n), "compact"
	s.makeTopic(t, topic, map[string]*string{"cleanup.policy": &cleanup})
	var copies []*kgo.Record
	for _, r := range records {
		copies = append(copies, &kgo.Record{Topic: topic, Key: r.Key, Value: r.Value})
	}
	if err := s.client.ProduceSync(t.Context(), copies...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return topic
}

// without returns the state without the records of a key.
func (s *tornScene) without(key []byte) []*kgo.Record {
	return slices.DeleteFunc(slices.Clone(s.records), func(r *kgo.Record) bool { return bytes.Equal(r.Key, key) })
}

// with returns the state with a record in place of those with its key, or after the last.
func (s *tornScene) with(key, value []byte) []*kgo.Record {
	return append(s.without(key), &kgo.Record{Key: key, Value: value})
}

// refused runs an instance that must end because of the state, with one line that says so and what to do.
func (s *tornScene) refused(t *testing.T, name, topic string, parts ...string) {
	t.Helper()
	p := start(t, append(s.arguments, "--incident-state-topic", topic)...)
	if status := p.wait(t, time.Minute); status != 1 {
		t.Errorf("%s: exit status %d", name, status)
	}
	line := p.log.lastLine()
	for _, part := range append(parts, topic, "partition 0", "incidents rebuild") {
		if !strings.Contains(line, part) {
			t.Errorf("%s: no %q in the last line: %s", name, part, line)
		}
	}
	if n := strings.Count(p.log.String(), `"level":"ERROR"`); n > 1 || p.log.count() > 20 {
		t.Errorf("%s: %d errors and %d lines:\n%s", name, n, p.log.count(), p.log.String())
	}
}

// TestKafkaIncidentsTorn starts instances with state that is torn, or of another version. None starts to count with less
// than there was: each ends with one line that says what is wrong, and that a rebuild helps, which it does.
//
// Guards: the version in newReader, errTorn in entry and finish.
func TestKafkaIncidentsTorn(t *testing.T) {
	s := newTornScene(t)
	entry, chunk, account := s.find('i'), s.find('c'), s.find('a')
	version := func(v byte) []byte { return append([]byte{v}, entry.Value[1:]...) }
	const inconsistent = "the state is inconsistent"
	for n, test := range []struct {
		name, want string
		records    []*kgo.Record
	}{
		{"a newer version", "it has version 2, this program reads version 1", s.with(entry.Key, version(2))},
		{"an older version", "it has version 0, this program reads version 1", s.with(entry.Key, version(0))},
		{"a record cut in half", "it is damaged before byte", s.with(entry.Key, entry.Value[:40])},
		{"garbage", "it is damaged before byte", s.with(entry.Key, bytes.Repeat([]byte{1, 0xff, '{'}, 1000))},
		{"ids cut within one", "100 bytes are not 1 to 1000 alert ids", s.with(chunk.Key, chunk.Value[:100])},
		{"ids cut between two", inconsistent, s.with(chunk.Key, chunk.Value[:160])},
		{"ids deleted", inconsistent, s.with(chunk.Key, nil)},
		{"ids missing", inconsistent, s.without(chunk.Key)},
		{"an incident deleted", inconsistent, s.with(entry.Key, nil)},
		{"an incident missing", inconsistent, s.without(entry.Key)},
		{"an account missing", inconsistent, s.without(account.Key)},
		{"an account of another version", "it has version 9", s.with(account.Key, []byte{9, 9})},
		{"another program's record", "its key is unknown", s.with([]byte("incident-1"), []byte(`{"a":1}`))},
		{"the beginning missing", "its beginning is missing", s.without([]byte("topic"))},
		{"all missing", "its beginning is missing", nil},
	} {
		s.refused(t, test.name, s.copied(t, n, test.records), test.want)
	}
	whole := append(s.arguments, "--incident-state-topic", s.copied(t, 100, s.records))
	s.arguments = whole
	if m := s.settled(t); sum(m, "regionwatch_incidents_remembered") != 10 {
		t.Errorf("a copy of the whole state: %v", m)
	}
	s.arguments = append(s.arguments, "--incident-state-topic", s.copied(t, 101, s.with(chunk.Key, nil)))
	rebuild := start(t, append([]string{"incidents", "rebuild", "--yes"}, s.arguments[1:]...)...)
	if status := rebuild.wait(t, time.Minute); status != 0 {
		t.Fatalf("the rebuild ends with status %d: %s", status, rebuild.log.lastLine())
	}
	if m := s.settled(t); m[`regionwatch_incident_alerts_total{result="counted"}`] != 2_510 || sum(m, "regionwatch_incidents_remembered") != 10 {
		t.Errorf("after the rebuild: %v", m)
	}
}
