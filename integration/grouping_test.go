package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
)

// nativeAlert returns an alert of 1.5 KiB as stage one writes it, of one of many incidents. At most 1,000 incidents are
// in an account, so that none becomes a storm.
func nativeAlert(topic string, incident int, at time.Time) (r *kgo.Record, actor string) {
	account := fmt.Sprintf("%012d", incident%1_000)
	actor = fmt.Sprintf("arn:aws:iam::%s:user/u%d", account, incident/1_000)
	id, when := uuid.NewString(), at.UTC().Format(time.RFC3339)
	identity := fmt.Sprintf(`{"type":"IAMUser","arn":%q,"accountId":%q,"userName":"u"}`, actor, account)
	event := fmt.Sprintf(`{"eventID":%q,"eventTime":%q,"userIdentity":%s,"requestParameters":{"userData":%q}}`, id, when, identity, strings.Repeat("x", 640))
	value := fmt.Appendf(nil, `{"id":%q,"ruleId":"AWS.UnusedRegion","severity":"High","title":"Non-read-only API call in unused region","eventTime":%q,`+
		`"eventID":%[1]q,"eventName":"Action%[3]d","eventSource":"ec2.amazonaws.com","awsRegion":"eu-west-3","recipientAccountId":%[4]q,`+
		`"sourceIPAddress":"10.0.0.%[3]d","userAgent":"aws-cli/2.31","userIdentity":%[5]s,"principal":{"type":"IAMUser","name":"u","arn":%[6]q},"event":%[7]s}`,
		id, when, rand.IntN(1+rand.IntN(5)), account, identity, actor, event)
	return &kgo.Record{Topic: topic, Key: []byte(account), Value: value, Timestamp: at}, actor
}

// alertWriter writes alerts in transactions, as a session of stage one does.
type alertWriter struct {
	client *kgo.Client
	topic  string
}

func newAlertWriter(t *testing.T, s *scene, n int) *alertWriter {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(s.bootstrap, ",")...), kgo.TransactionalID(fmt.Sprintf("%s-writer-%d", s.group, n)),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(2*time.Millisecond), kgo.MaxBufferedRecords(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &alertWriter{client: client, topic: s.alerts}
}

// write commits alerts.
func (w *alertWriter) write(records []*kgo.Record) error {
	return w.writeWith(records, func() {})
}

// writeWith commits alerts, and calls commits before the request and after the answer.
func (w *alertWriter) writeWith(records []*kgo.Record, commits func()) error {
	if err := w.client.BeginTransaction(); err != nil {
		return err
	}
	if err := w.client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		return err
	}
	commits()
	defer commits()
	return w.client.EndTransaction(context.Background(), kgo.TryCommit)
}

// fillAlerts writes alerts of the last day, with so many for each incident. About a thousand incidents have alerts at
// the same time.
func fillAlerts(t *testing.T, s *scene, alerts, each int) {
	t.Helper()
	w, start := newAlertWriter(t, s, 0), time.Now().Add(-24*time.Hour).Truncate(24*time.Hour)
	var records []*kgo.Record
	for n := range alerts {
		at := start.Add(24 * time.Hour * time.Duration(n) / time.Duration(alerts))
		r, _ := nativeAlert(s.alerts, max(0, n/each-rand.IntN(1_000)), at)
		if records = append(records, r); len(records) == 10_000 || n == alerts-1 {
			if err := w.write(records); err != nil {
				t.Fatal(err)
			}
			records = nil
		}
	}
}

// incidentArguments are those of "regionwatch incidents" with its own group and topics.
func incidentArguments(t *testing.T, s *scene, name string) []string {
	t.Helper()
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte("default:\n  unused_regions: [eu-west-3]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"incidents", "--brokers", s.bootstrap, "--alert-topic", s.alerts, "--dead-letter-topic", s.deadLetters, "--policy", policy, "--create-topics",
		"--incident-topic", name + "-incidents", "--incident-state-topic", name + "-state", "--incident-group", name, "--instance-id", name,
	}
}

// groupAll runs the program over the backlog with a new group, and again to restore what it wrote.
func groupAll(t *testing.T, s *scene, alerts int) (grouping, restoring, reading cost, state int) {
	t.Helper()
	again := *s
	again.input, again.group = s.alerts, fmt.Sprintf("%s-%d", s.group, time.Now().UnixNano())
	arguments := incidentArguments(t, s, again.group)
	p := start(t, arguments...)
	again.settle(t, 30*time.Minute, p.ended)
	grouping.wall, grouping.rss = time.Since(p.began), p.peakRSS()
	counts := p.metrics(t)
	if n := counts[`regionwatch_incident_alerts_total{result="counted"}`]; int(n) != alerts {
		t.Errorf("%v of %d alerts are counted", n, alerts)
	}
	state = int(sum(counts, "regionwatch_incident_state_records_total"))
	p.stop(t)
	grouping.cpu = p.cpu()
	p = start(t, arguments...)
	eventually(t, 10*time.Minute, func() error { _, err := p.get("/readyz"); return err })
	restoring.wall, restoring.rss = time.Since(p.began), p.peakRSS()
	if n := p.metrics(t); sum(n, "regionwatch_incidents_remembered") != sum(counts, "regionwatch_incidents_remembered") ||
		sum(n, "regionwatch_incident_ids_remembered") != float64(alerts) {
		t.Errorf("restored %v incidents with %v ids", sum(n, "regionwatch_incidents_remembered"), sum(n, "regionwatch_incident_ids_remembered"))
	}
	p.stop(t)
	restoring.cpu = p.cpu()
	again.input = again.group + "-state"
	return grouping, restoring, bare(t, &again, state), state
}

// TestIncidentBacklog measures processor seconds for a million alerts, and the rate at which the program catches up
// with a backlog of MILLIONS (1) million alerts, EACH (5) for an incident, and then restores its state: against a
// consumer that reads what was committed and discards it, ROUNDS (3) times in turn.
func TestIncidentBacklog(t *testing.T) {
	c := startCluster(t, 1)
	alerts, rounds := int(1e6*setting(t, "MILLIONS", 1)), int(setting(t, "ROUNDS", 3))
	s := newScene(t, c.Bootstrap(), 12)
	fillAlerts(t, s, alerts, int(setting(t, "EACH", 5)))
	source := *s
	source.input = s.alerts
	bare(t, &source, alerts) // so that no round pays for cold caches
	names := []string{"bare consumer", "incidents", "bare consumer of the state", "restoring"}
	costs, records := map[string][]cost{}, []int{alerts, alerts, 0, 0}
	for range rounds {
		read := bare(t, &source, alerts)
		grouping, restoring, reading, state := groupAll(t, s, alerts)
		for i, c := range []cost{read, grouping, reading, restoring} {
			costs[names[i]] = append(costs[names[i]], c)
		}
		records[2], records[3] = state, state
	}
	fmt.Printf("%d alerts, %d rounds, medians\n%-28s %10s %14s %14s %12s %12s\n", alerts, rounds,
		"", "records", "CPU s/million", "of row above", "thousand/s", "peak MiB")
	var above float64
	for i, name := range names {
		cpu := middle(costs[name], func(c cost) float64 { return c.cpu.Seconds() * 1e6 / float64(records[i]) })
		ratio := "-"
		if i > 0 {
			ratio = fmt.Sprintf("%.2fx", cpu/above)
		}
		fmt.Printf("%-28s %10d %14.2f %14s %12.0f %12.0f\n", name, records[i], cpu, ratio,
			middle(costs[name], func(c cost) float64 { return float64(records[i]) / 1000 / c.wall.Seconds() }),
			middle(costs[name], func(c cost) float64 { return float64(c.rss) / (1 << 20) }))
		above = cpu
	}
}

// createWaits are how long incidents took from the commit of their first alert to a reader of what is committed.
type createWaits struct {
	mu        sync.Mutex
	committed map[string]time.Time // by actor; of those that were not seen
	waits     []time.Duration
}

// commits returns what notes the time at which the alerts of new incidents are committed: first that of the request,
// because a reader may see them before the answer, then that of the answer.
func (w *createWaits) commits(actors []string) func() {
	requested := false
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		now := time.Now()
		for _, actor := range actors {
			if _, waiting := w.committed[actor]; waiting || !requested {
				w.committed[actor] = now
			}
		}
		requested = true
	}
}

// see takes an incident that was committed.
func (w *createWaits) see(r *kgo.Record, at time.Time) {
	if !slices.ContainsFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == "activity" && string(h.Value) == "Create" }) {
		return
	}
	var i incidentRecord
	if json.Unmarshal(r.Value, &i) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if since, found := w.committed[i.Principal.ID]; found {
		w.waits = append(w.waits, at.Sub(since))
		delete(w.committed, i.Principal.ID)
	}
}

// missing is an error until each incident was seen.
func (w *createWaits) missing() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.committed); n > 0 {
		return fmt.Errorf("%d incidents are missing", n)
	}
	return nil
}

// load writes alerts at a rate for a time, in transactions that take what is due. So many a second are the first of an
// incident.
func (w *createWaits) load(t *testing.T, writer *alertWriter, first, rate, creates int, lasts time.Duration) {
	start, made, incidents := time.Now(), 0, first
	for elapsed := time.Duration(0); elapsed < lasts; {
		time.Sleep(20 * time.Millisecond)
		elapsed = time.Since(start)
		var records []*kgo.Record
		var actors []string
		for ; made < int(elapsed.Seconds()*float64(rate)); made++ {
			incident, fresh := first+rand.IntN(max(incidents-first, 1)), incidents-first < int(elapsed.Seconds()*float64(creates)) && rand.IntN(rate) < 2*creates
			if fresh || incidents == first {
				incident, incidents, fresh = incidents, incidents+1, true
			}
			r, actor := nativeAlert(writer.topic, incident, time.Now())
			if records = append(records, r); fresh {
				actors = append(actors, actor)
			}
		}
		if err := writer.writeWith(records, w.commits(actors)); err != nil {
			t.Errorf("writing alerts: %v", err)
			return
		}
	}
}

// TestIncidentDelay measures how long the first record of an incident takes, from the commit of its first alert to a
// reader of what is committed: at RATE (5,000) alerts a second for SECONDS (30), in transactions of two writers, with
// few and with many new incidents a second.
func TestIncidentDelay(t *testing.T) {
	c := startCluster(t, 1)
	rate, lasts := int(setting(t, "RATE", 5_000)), time.Duration(setting(t, "SECONDS", 30)*float64(time.Second))
	fmt.Printf("%12s %12s %12s %10s %10s %10s %10s\n", "alerts/s", "creates/s", "creates", "median", "99%", "worst", "CPU")
	for _, creates := range []int{rate / 50, rate / 10, rate} {
		s := newScene(t, c.Bootstrap(), 12)
		p := start(t, incidentArguments(t, s, s.group)...)
		p.ready(t)
		w := &createWaits{committed: make(map[string]time.Time)}
		reader := follow(t, s.bootstrap, w.see, s.group+"-incidents")
		var writing sync.WaitGroup
		for n := range 2 {
			writer := newAlertWriter(t, s, n)
			writing.Go(func() { w.load(t, writer, n*500_000, rate/2, creates/2, lasts) })
		}
		writing.Wait()
		eventually(t, time.Minute, w.missing)
		p.stop(t)
		reader.catchUp(t, time.Minute)
		slices.Sort(w.waits)
		share := func(q float64) float64 { return w.waits[int(q*float64(len(w.waits)-1))].Seconds() }
		fmt.Printf("%12d %12d %12d %9.3fs %9.3fs %9.3fs %9.1fs\n", rate, creates, len(w.waits), share(0.5), share(0.99), share(1), p.cpu().Seconds())
	}
}
