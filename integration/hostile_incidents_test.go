package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
)

// hostileLimit is the --memory-limit of the processes in these tests, about the least that incidents starts with.
const hostileLimit = 2 << 30

// hostileAlert returns an alert whose author chose all that the author of an event can choose.
func hostileAlert(s *scene, account, identity, eventTime string) *kgo.Record {
	value := fmt.Appendf(nil, `{"id":%q,"ruleId":"AWS.UnusedRegion","severity":"High","title":"t","eventTime":%s,"eventName":"RunInstances",`+
		`"eventSource":"ec2.amazonaws.com","awsRegion":"eu-west-3","recipientAccountId":%q,"sourceIPAddress":"192.0.2.1",`+
		`"userAgent":"aws-cli/2.31","userIdentity":%s,"principal":{"type":"IAMUser","name":"u"}}`, uuid.NewString(), eventTime, account, identity)
	return &kgo.Record{Topic: s.alerts, Partition: partitionOf(account, s.partitions), Key: []byte(account), Value: value}
}

func userIdentity(account, name string) string {
	return fmt.Sprintf(`{"type":"IAMUser","arn":"arn:aws:iam::%s:user/%s"}`, account, name)
}

// sessionIdentity is that of a session whose name its author chose.
func sessionIdentity(account, session string) string {
	return fmt.Sprintf(`{"type":"AssumedRole","arn":"arn:aws:sts::%[1]s:assumed-role/admin/%[2]s","principalId":"AROA:%[2]s",`+
		`"sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::%[1]s:role/admin"}}}`, account, session)
}

// hostileTimes are event times that no clock may follow. Those of 1970 are in 28 windows of that year.
func hostileTimes() (times []string) {
	for day := 1; day <= 28; day++ {
		times = append(times, fmt.Sprintf(`"1970-02-%02dT00:00:00Z"`, day), fmt.Sprintf(`"2100-02-%02dT00:00:00Z"`, day))
	}
	return append(times, `"9999-12-31T23:59:59Z"`, `"0000-01-01T00:00:00Z"`, `"1969-12-31T23:59:59Z"`, `"yesterday"`, `""`, `null`, `1e300`, `{"a":[]}`)
}

// foreignAlert returns what another program may write to the alerts topic.
func foreignAlert(s *scene, n int) *kgo.Record {
	account, id := fmt.Sprintf("%012d", n%7), uuid.NewString()
	value := []string{
		fmt.Sprintf(`{"temperature":%d,"sensor":{"id":"x"}}`, n),
		fmt.Sprintf(`{"class_uid":2004,"metadata":{"uid":%q},"finding_info":{"uid":%[1]q},"severity_id":4}`, id),
		fmt.Sprintf(`{"id":%q,"severity":"High","title":"another rule's","alert_context":{"a":1}}`, id),
		fmt.Sprintf(`{"id":"%d","ruleId":"AWS.UnusedRegion","severity":"High"}`, n),
		fmt.Sprintf(`{"id":%q,"ruleId":"AWS.UnusedRegion","severity":"Doom"}`, id),
		fmt.Sprintf(`{"id":%q,"ruleId":"AWS.UnusedRegion","severity":"High"`, id),
		"\x00\x00\x00\x00\x07" + id, // Avro with the id of a schema
		strings.Repeat("[", 10_000),
		`[1,2,3]`, `17`, `""`, ``, "\xff\xfe",
		event(eventID(n), "eu-central-1", false),
	}
	return &kgo.Record{Topic: s.alerts, Partition: int32(n) % s.partitions, Key: []byte(account), Value: []byte(value[n%len(value)])}
}

// TestKafkaIncidentsHostile writes what an attacker or another program can: PRINCIPALS (50,000) principals in one account,
// as many sessions of one role, event times in 1970 and 2100, alerts again, and records that are no alerts. Every alert
// counts in one way and is in one incident, memory stays within its limit, also of an instance that restores all of it, and the
// log has a line of each and no flood.
func TestKafkaIncidentsHostile(t *testing.T) {
	const crowded, sessions, timeless = "000000000001", "000000000002", "000000000003"
	n, times := int(setting(t, "PRINCIPALS", 50_000)), hostileTimes()
	s := newScene(t, sharedBroker(t), 4)
	today := time.Now().UTC().Format(`"2006-01-02T15:04:05Z"`)
	arguments := append(quickIncidents(t, s), "--memory-limit", fmt.Sprint(hostileLimit))
	p := start(t, arguments...)
	p.ready(t)
	last := &lastIncidents{last: make(map[string]hostileIncident)}
	incidents := follow(t, s.bootstrap, last.see, s.group+"-incidents")
	began := time.Now()
	var again []*kgo.Record
	writeAlerts(t, s, n, func(k int) *kgo.Record {
		r := hostileAlert(s, crowded, userIdentity(crowded, fmt.Sprint(k)), today)
		if k%10 == 0 {
			again = append(again, &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value})
		}
		return r
	})
	writeAlerts(t, s, n, func(k int) *kgo.Record {
		return hostileAlert(s, sessions, sessionIdentity(sessions, fmt.Sprintf("s%d", k)), today)
	})
	writeAlerts(t, s, len(times), func(k int) *kgo.Record { return hostileAlert(s, timeless, userIdentity(timeless, "u"), times[k]) })
	writeAlerts(t, s, 1, func(int) *kgo.Record { return hostileAlert(s, timeless, userIdentity(timeless, "u"), today) })
	foreign := n / 10
	writeAlerts(t, s, foreign, func(k int) *kgo.Record { return foreignAlert(s, k) })
	writeAlerts(t, s, len(again), func(k int) *kgo.Record { return again[k] })
	written := time.Since(began)
	grouping := *s
	grouping.input = s.alerts
	grouping.settle(t, 30*time.Minute, p.ended)
	took := time.Since(began)

	m := p.conserved(t)
	for result, want := range map[string]int{"counted": 2*n + len(times) + 1, "repeated": len(again), "below": 0, "late": 0, "unreadable": foreign} {
		if got := m[fmt.Sprintf("regionwatch_incident_alerts_total{result=%q}", result)]; int(got) != want {
			t.Errorf("%v alerts are %s, want %d", got, result, want)
		}
	}
	if got := len(s.readAll(t, s.deadLetters)); got != foreign {
		t.Errorf("%d dead letters, want %d", got, foreign)
	}
	if closed := m[`regionwatch_incidents_written_total{activity="close"}`]; closed != 0 {
		t.Errorf("%v incidents are closed by the clock of an event", closed)
	}
	eventually(t, time.Minute, func() error {
		if _, sum := last.of(""); int(sum) != 2*n+len(times)+1 {
			return fmt.Errorf("%d alerts are in incidents, want %d", sum, 2*n+len(times)+1)
		}
		return nil
	})
	peak, lines := p.peakRSS(), p.log.count()
	p.stop(t)
	incidents.catchUp(t, time.Minute)
	if most := min(n, 1_000) + 1; len(first(last.of(crowded))) > most {
		t.Errorf("the account with %d principals has %d incidents, want %d", n, len(first(last.of(crowded))), most)
	}
	if list := first(last.of(sessions)); len(list) != 1 {
		t.Errorf("a role is in %d incidents", len(list))
	}
	checkTimes(t, first(last.of(timeless)))
	checkLines(t, p, lines, took)

	writeAlerts(t, s, 1, func(int) *kgo.Record { return foreignAlert(s, 1) }) // the next to read is an OCSF finding
	next := start(t, arguments...)
	next.ready(t)
	grouping.settle(t, time.Minute, next.ended)
	eventually(t, time.Minute, func() error { // partitions may still move between its sessions
		if ids := sum(next.conserved(t), "regionwatch_incident_ids_remembered"); int(ids) != 2*n+len(times)+1 {
			return fmt.Errorf("%v alert ids are restored, want %d", ids, 2*n+len(times)+1)
		}
		return nil
	})
	restored := next.peakRSS()
	next.stop(t)
	if peak > hostileLimit || restored > hostileLimit {
		t.Errorf("the peaks are %d and %d MiB, the limit %d", peak>>20, restored>>20, hostileLimit>>20)
	}
	t.Logf("%d principals, %d sessions, %d repeated and %d foreign records: written in %v, grouped %v later, %.1f s of a core, peak %d MiB, restored %d MiB, %d lines in the log",
		n, n, len(again), foreign, written.Round(100*time.Millisecond), (took - written).Round(100*time.Millisecond), p.cpu().Seconds(), peak>>20, restored>>20, lines)
}

// quickIncidents are the arguments of "regionwatch incidents" that writes what changed every second.
func quickIncidents(t *testing.T, s *scene) []string {
	t.Helper()
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte("default:\n  unused_regions: [eu-west-3]\n  incidents: {update_interval: 1s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return append(incidentArguments(t, s, s.group), "--policy", policy) // the last one counts
}

func first[T any](list []T, _ uint64) []T { return list }

// checkTimes checks the windows of the alerts with [hostileTimes].
func checkTimes(t *testing.T, list []hostileIncident) {
	t.Helper()
	old, soon := 0, time.Now().Add(time.Hour)
	for _, i := range list {
		switch {
		case i.Window.Start.Year() == 1970:
			old++
		case i.Window.Start.After(soon), time.Since(i.Window.End) > time.Hour:
			t.Errorf("an incident has the window of %v", i.Window.Start)
		}
	}
	if old != 28 || len(list) > old+2 {
		t.Errorf("%d incidents, %d of them in 1970", len(list), old)
	}
}

// checkLines checks that the log of a process that has taken what was hostile says so, and no more than a few times.
func checkLines(t *testing.T, p *process, lines int, took time.Duration) {
	t.Helper()
	for _, line := range []string{"a record is no alert: it is set aside as a dead letter", "a storm begins: further principals and regions go into one incident"} {
		n, most := strings.Count(p.log.String(), line), 2+int(took/(30*time.Second))
		if n == 0 || n > most {
			t.Errorf("%q is in the log %d times, want 1 to %d", line, n, most)
		}
	}
	if most := 30 + int(took/(10*time.Second)); lines > most {
		t.Errorf("%d lines in the log, more than %d", lines, most)
	}
}

// writeAlerts writes n records.
func writeAlerts(t *testing.T, s *scene, n int, record func(n int) *kgo.Record) {
	t.Helper()
	for from := 0; from < n; from += 10_000 {
		var records []*kgo.Record
		for k := from; k < min(n, from+10_000); k++ {
			records = append(records, record(k))
		}
		if err := s.client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatalf("producing: %v", err)
		}
	}
}

// lastIncidents is what a reader of committed incidents knows: the last record of each.
type lastIncidents struct {
	mu   sync.Mutex
	last map[string]hostileIncident
}

type hostileIncident struct {
	ID, Kind, Activity string
	Account            string `json:"recipientAccountId"`
	Window             struct{ Start, End time.Time }
	Counts             struct {
		Alerts   uint64
		Estimate bool `json:"countIsEstimate"`
	}
}

func (l *lastIncidents) see(r *kgo.Record, _ time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var i hostileIncident
	if json.Unmarshal(r.Value, &i) == nil {
		l.last[i.ID] = i
	}
}

// of returns the incidents of an account and the sum of their alerts.
func (l *lastIncidents) of(account string) (list []hostileIncident, alerts uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range l.last {
		if account == "" || i.Account == account {
			list, alerts = append(list, i), alerts+i.Counts.Alerts
		}
	}
	return list, alerts
}
