package incident

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// fullEntries are entries that together have a value in every field of a record.
func fullEntries() []*entry {
	list := func(names ...string) (t tally) {
		for i, n := range names {
			t.list = append(t.list, named{n, uint64(300 + i), 7, severity(i % 5)})
		}
		t.more = true
		return t
	}
	ids := []uuid.UUID{alertID(1), alertID(2)}
	common := record{
		severity: 3, activity: update, created: true, unsent: true, rule: "AWS.UnusedRegion", start: day.Unix(), end: day.Unix() + 86_400,
		firstSeen: instantOf(day.Add(time.Nanosecond)), lastSeen: instantOf(day.Add(time.Hour)), sent: 2, lastArrival: 3, closedAt: 4, revision: 5,
		alerts: 1_500, failed: 600, partial: 7, salvaged: 6, remembered: 1_500,
		actions: list("ec2.amazonaws.com RunInstances", "x"), sources: list("192.0.2.1"), agents: list("aws-cli", "é"),
		escalations: []escalation{{instantOf(day), escalatedRegion, "ap-east-1"}, {6, escalatedCount, "10 alerts"}}, facts: `{"name":"prod"}`,
	}
	one, storm, late := common, common, common
	one.region, one.actor, one.actorType, one.actorName = "eu-west-3", "arn:aws:iam::111122223333:role/dev", "AssumedRole", "dev"
	one.otherRegions, one.continues = []string{"ap-east-1", "eu-central-1"}, alertID(9)
	late.kind, late.lateFor, late.region, late.actor, late.actorName = kindLate, alertID(8), one.region, one.actor, one.actorName
	storm.kind, storm.storm, storm.overflow, storm.partition = kindStorm, true, true, 11
	storm.crowd = &crowd{list("eu-west-3"), list("a", "b")}
	storm.estimated, storm.remembered, storm.firstIDs = true, 0, ids
	return []*entry{
		{record: one, account: &account{id: "111122223333"}}, {record: late, account: &account{id: "111122223333"}},
		{record: storm, account: &account{}},
	}
}

// What is decoded is what was encoded, in every field.
func TestEntryRoundTrip(t *testing.T) {
	used := map[string]bool{}
	for _, e := range fullEntries() {
		var got entry
		accountID, err := decodeEntry(e.encode(), names{}, &got)
		if err != nil {
			t.Fatal(err)
		}
		if accountID != e.account.id || !reflect.DeepEqual(got.record, e.record) {
			t.Errorf("decoded %+v, want %+v", got.record, e.record)
		}
		v := reflect.ValueOf(e.record)
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				used[v.Type().Field(i).Name] = true
			}
		}
	}
	for f := range reflect.TypeFor[record]().Fields() {
		if !used[f.Name] {
			t.Errorf("field %s of a record has a value in no entry of this test", f.Name)
		}
	}
}

// goldenState returns one record of each kind.
func goldenState() (records []StateRecord) {
	for i, e := range fullEntries() {
		e.id = alertID(100 + i)
		records = append(records, StateRecord{stateKey(stateEntry, e.id), e.encode()})
	}
	var ids idSet
	for n := range 3 {
		id := alertID(n)
		ids.add(&id)
	}
	g := New(Options{Durable: true})
	g.saveAccount(&account{id: "111122223333", schedule: schedule{{Window: 86_400}, {day.Unix(), 3_600}}})
	g.gone.ended[alertID(200)] = ended{&account{id: "111122223333"}, 300}
	g.saveGone(alertID(200))
	return append(append(records, StateRecord{chunkKey(alertID(100), 258), ids.chunk(0)}), g.state...)
}

// The state is written by one release and read by others, so that its format must not change by accident. If it must,
// raise stateVersion, run go test ./processor/incident -run TestStateIsFixed -update, and read the difference.
func TestStateIsFixed(t *testing.T) {
	const name = "testdata/state.golden"
	var got strings.Builder
	for _, r := range goldenState() {
		fmt.Fprintf(&got, "%s %s\n", hex.EncodeToString(r.Key), hex.EncodeToString(r.Value))
	}
	if *updateGolden {
		if err := os.WriteFile(name, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the format has changed:\n%swant\n%s", got.String(), want)
	}
	r := NewRestorer(Options{Settings: settings()})
	for line := range strings.Lines(string(want)) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), " ")
		key, _ := hex.DecodeString(k)
		value, _ := hex.DecodeString(v)
		if err := r.Record(key, value); err != nil {
			t.Error(err)
		}
	}
}

// What has not changed is not written again: an incident that closes is one record, without its alert ids.
//
// Guard: saved in appendState.
func TestStateHoldsChangesOnly(t *testing.T) {
	g := New(Options{Settings: settings(), Durable: true})
	g.Add(fact(1, day), day)
	g.Flush()
	if first := g.State(); !slices.ContainsFunc(first, func(s StateRecord) bool { return s.Key[0] == stateChunk }) {
		t.Fatalf("%d records without alert ids", len(first))
	}
	g.Advance(day.AddDate(0, 0, 2))
	g.Flush()
	for _, s := range g.State() {
		if s.Key[0] != stateEntry {
			t.Errorf("%s is written again", describe(s.Key))
		}
	}
	if i := g.All(); len(i) != 1 || i[0].Status != incident.StatusClosed {
		t.Errorf("%+v, want one that is closed", i)
	}
}

// No length in a state is believed: torn anywhere, or with any byte changed, it is an error or another valid state.
func TestTornState(t *testing.T) {
	for _, s := range goldenState() {
		if s.Key[0] == stateChunk {
			continue // any 16 bytes are an id
		}
		for n := 1; n < len(s.Value); n++ {
			err := NewRestorer(Options{}).Record(s.Key, s.Value[:n])
			if err == nil || !strings.Contains(err.Error(), "damaged before byte") {
				t.Fatalf("the first %d bytes of %x: %v", n, s.Value, err)
			}
		}
		for n := range s.Value {
			for _, change := range []byte{1, 0x80, 0xff} {
				spoilt := bytes.Clone(s.Value)
				spoilt[n] ^= change
				_ = NewRestorer(Options{}).Record(s.Key, spoilt)
			}
		}
	}
}

// What follows a wrong field is zero, and the error says where that was.
func TestReaderFault(t *testing.T) {
	const most = 8
	f := func(name string, at int, read func(r *reader) any) {
		t.Helper()
		r := newReader([]byte{stateVersion, most + 1, most + 1, most + 1}, names{})
		first := read(&r)
		got := fmt.Sprint(first, r.byte(255), r.number(255), r.signed(-255, 255), len(r.bytes(255)), r.id() == uuid.Nil)
		if want := fmt.Sprintf("it is damaged before byte %d of 4", at); got != "0 0 0 0 0 true" || r.end() == nil || r.end().Error() != want {
			t.Errorf("%s: got %s, %v", name, got, r.end())
		}
	}
	f("byte", 2, func(r *reader) any { return r.byte(most) })
	f("number", 1, func(r *reader) any { return r.number(most) })
	f("signed", 2, func(r *reader) any { return r.signed(0, most) })
}

// A text that is the end of another takes no memory.
func TestEndOf(t *testing.T) {
	const whole = "role/name"
	for end, isShared := range map[string]bool{whole: true, "name": true, "": true, "nam": false, "a role/name": false} {
		r := reader{rest: appendText(nil, end)}
		got := r.endOf(whole, 100)
		if got != end || r.end() != nil || end != "" && (unsafe.StringData(got) == unsafe.StringData(whole[len(whole)-min(len(end), len(whole)):])) != isShared {
			t.Errorf("%q: got %q, %v", end, got, r.end())
		}
	}
}

// A huge length costs no memory.
func TestHostileLength(t *testing.T) {
	value := []byte{stateVersion, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}
	key := stateKey(stateEntry, alertID(1))
	r := NewRestorer(Options{})
	if allocated := testing.AllocsPerRun(10, func() { _ = r.Record(key, value) }); allocated > 20 {
		t.Errorf("%v allocations", allocated)
	}
	if err := r.Record(key, value); err == nil {
		t.Error("no error")
	}
}

// FuzzState decodes anything without a panic, and what it accepts is encoded as it was.
func FuzzState(f *testing.F) {
	for _, r := range goldenState() {
		f.Add(r.Key, r.Value)
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		r := NewRestorer(Options{Settings: settings(), Durable: true})
		if err := r.Record(key, value); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %v", err)
		}
		if g, err := r.Finish(); err == nil {
			g.Add(fact(1, day), day)
			g.Advance(day.AddDate(0, 0, 9))
			g.Flush()
			g.State()
		}
		var e entry
		if accountID, err := decodeEntry(value, names{}, &e); err == nil {
			e.account = &account{id: accountID}
			if again := e.encode(); !bytes.Equal(again, value) {
				t.Errorf("encoded again: %x, was %x", again, value)
			}
			e.ids.sketch = nil
			e.snapshot()
		}
		if s, err := decodeSchedule(value); err == nil && !bytes.Equal(s.encode(), value) {
			t.Errorf("schedule encoded again: %x, was %x", s.encode(), value)
		}
		if late, id, err := decodeGone(value); err == nil {
			if again := encodeGone(ended{&account{id: id}, late}); !bytes.Equal(again, value) {
				t.Errorf("encoded again: %x, was %x", again, value)
			}
		}
	})
}

// All incidents of an account share what the policy knows of it, after a restore too: it may be 32 KiB.
//
// Guard: Restorer.entry takes the account's copy.
func TestRestoredFactsAreShared(t *testing.T) {
	g := New(Options{Settings: settings(), Durable: true})
	facts := []byte(`{"owner":"` + strings.Repeat("x", longName) + `"}`)
	for n := range 3 {
		g.Add(fact(n, day, func(f *alert.Facts) { f.Actor, f.AccountFacts = fmt.Sprint(n), facts }), day)
	}
	g.Flush()
	topic := make(topic)
	topic.write(g.State())
	copies := make(map[*byte]bool)
	for _, e := range topic.restore(t, Options{Settings: settings(), Durable: true}).entries {
		if e.facts != string(facts) {
			t.Errorf("facts %q", e.facts)
		}
		copies[unsafe.StringData(e.facts)] = true
	}
	if len(copies) != 1 {
		t.Errorf("%d copies", len(copies))
	}
}
