package incident

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// Each number and text of a state is accepted up to its limit, and no further.
//
// Guards: each limit in decode.go and wire.go.
func TestStateLimits(t *testing.T) {
	const incidentKind, lateKind, stormKind = 0, 1, 2
	f := func(name string, which int, change func(e *entry, n int), good, bad int) {
		t.Helper()
		for _, n := range []int{good, bad} {
			e := fullEntries()[which]
			change(e, n)
			var got entry
			if _, err := decodeEntry(e.encode(), names{}, &got); (err == nil) != (n == good) {
				t.Errorf("%s, %d: %v", name, n, err)
			}
		}
	}
	text := func(n int) string { return strings.Repeat("x", n) }
	f("account", incidentKind, func(e *entry, n int) { e.account.id = text(n) }, maxText, maxText+1)
	f("rule", incidentKind, func(e *entry, n int) { e.rule = text(n) }, maxText, maxText+1)
	f("region", incidentKind, func(e *entry, n int) { e.region = text(n) }, maxText, maxText+1)
	f("actor", incidentKind, func(e *entry, n int) { e.actor = text(n) }, maxText, maxText+1)
	f("actor's type", incidentKind, func(e *entry, n int) { e.actorType = text(n) }, maxText, maxText+1)
	f("actor's name", incidentKind, func(e *entry, n int) { e.actorName = text(n) }, maxName, maxName+1)
	f("facts", incidentKind, func(e *entry, n int) { e.facts = text(n) }, maxFacts, maxFacts+1)
	f("kind", lateKind, func(e *entry, n int) { e.kind = kind(n) }, int(kindLate), int(kindLate)+1)
	f("kind of a storm", stormKind, func(e *entry, n int) { e.kind, e.overflow = kind(n), false }, int(kindStorm), int(kindIncident))
	f("kind of an overflow", stormKind, func(e *entry, n int) { e.kind = kind(n) }, int(kindStorm), int(kindLate))
	f("no storm", incidentKind, func(e *entry, n int) { e.kind = kind(n) }, int(kindIncident), int(kindStorm))
	f("activity", incidentKind, func(e *entry, n int) { e.activity = activity(n) }, int(closing), int(closing)+1)
	f("severity", incidentKind, func(e *entry, n int) { e.severity = severity(n) }, len(alert.Severities)-1, len(alert.Severities))
	f("partition", incidentKind, func(e *entry, n int) { e.partition = int32(n) }, math.MaxInt32, -1)
	f("window", incidentKind, func(e *entry, n int) { e.end = e.start + int64(n) }, 1, 0)
	f("long window", incidentKind, func(e *entry, n int) { e.start, e.end = 0, int64(n) }, maxWindow, maxWindow+1)
	f("first window", incidentKind, func(e *entry, n int) { e.start, e.end = int64(n), 0; e.end = e.start + 9 }, leastSecond, leastSecond-1)
	f("last window", incidentKind, func(e *entry, n int) { e.start, e.end = mostSecond-9, int64(n) }, mostSecond, mostSecond+1)
	f("early", incidentKind, func(e *entry, n int) { e.firstSeen = instant(n) }, int(leastInstant.UnixNano()), int(leastInstant.UnixNano())-1)
	f("late", incidentKind, func(e *entry, n int) { e.closedAt = instant(n) }, int(mostInstant.UnixNano()), int(mostInstant.UnixNano())+1)
	f("revision", incidentKind, func(e *entry, n int) { e.revision = uint64(n) }, math.MaxInt64, math.MinInt64)
	f("escalations", incidentKind, func(e *entry, n int) { e.escalations = make([]escalation, n) }, incident.MaxEscalations, incident.MaxEscalations+1)
	f("reason", incidentKind, func(e *entry, n int) { e.escalations[1].reason = reason(n) }, int(escalatedRegion), int(escalatedRegion)+1)
	f("detail", incidentKind, func(e *entry, n int) { e.escalations[1].detail = text(n) }, maxDetail, maxDetail+1)
	f("alerts", stormKind, func(e *entry, n int) { e.alerts = uint64(n) }, math.MaxInt64, math.MinInt64)
	f("failed", incidentKind, func(e *entry, n int) { e.failed = uint64(n) }, 1_500, 1_501)
	f("partial", incidentKind, func(e *entry, n int) { e.partial = uint64(n) }, 1_500, 1_501)
	f("salvaged", incidentKind, func(e *entry, n int) { e.salvaged = uint64(n) }, 1_500, 1_501)
	f("remembered", incidentKind, func(e *entry, n int) { e.remembered = n }, 1_500, 1_499)
	f("many remembered", incidentKind, func(e *entry, n int) { e.remembered, e.alerts = n, uint64(n) }, maxRemembered, maxRemembered+1)
	f("remembered beside an estimate", stormKind, func(e *entry, n int) { e.remembered = n }, 0, 1)
	f("first ids", stormKind, func(e *entry, n int) { e.firstIDs = make([]uuid.UUID, n) }, incident.MaxAlertIDs, incident.MaxAlertIDs+1)
	f("actions", incidentKind, func(e *entry, n int) { e.actions.list = make([]named, n) }, maxActions, maxActions+1)
	f("sources and no more", incidentKind, func(e *entry, n int) { e.sources = tally{list: make([]named, n)} }, maxSources, maxSources+1)
	f("sources", incidentKind, func(e *entry, n int) { e.sources.list = make([]named, n) }, maxSources, maxSources+1)
	f("agents", incidentKind, func(e *entry, n int) { e.agents.list = make([]named, n) }, maxAgents, maxAgents+1)
	f("regions", stormKind, func(e *entry, n int) { e.crowd.regions.list = make([]named, n) }, incident.MaxRegions, incident.MaxRegions+1)
	f("principals", stormKind, func(e *entry, n int) { e.crowd.principals.list = make([]named, n) }, maxPrincipals, maxPrincipals+1)
	f("name", incidentKind, func(e *entry, n int) { e.actions.list[1].name = text(n) }, maxName, maxName+1)
	f("alerts of a name", incidentKind, func(e *entry, n int) { e.actions.list[1].alerts = uint64(n) }, math.MaxInt64, math.MinInt64)
	f("successes of a name", incidentKind, func(e *entry, n int) { e.actions.list[1].succeeded = uint64(n) }, 301, 302)
	f("severity of a name", incidentKind, func(e *entry, n int) { e.actions.list[1].severity = severity(n) }, len(alert.Severities)-1, len(alert.Severities))
	f("other regions", incidentKind, func(e *entry, n int) { e.otherRegions = make([]string, n) }, incident.MaxRegions, incident.MaxRegions+1)
	f("order of other regions", incidentKind, func(e *entry, n int) { e.otherRegions[1] = string(rune(n)) }, 'b', 'A')

	spoilt := fullEntries()[0].encode()
	spoilt[4] |= 1 << 5
	if _, err := decodeEntry(spoilt, names{}, &entry{}); err == nil {
		t.Error("a sixth flag is accepted")
	}
	whole := fullEntries()[0].encode()
	flag := len(whole) - idSize - 1 // whether it continues another
	for name, spoil := range map[string]func(b []byte){
		"a second flag at the end": func(b []byte) { b[flag] |= 2 },
		"no incident to continue":  func(b []byte) { clear(b[flag+1:]) },
	} {
		spoilt := bytes.Clone(whole)
		if spoil(spoilt); bytes.Equal(spoilt, whole) {
			t.Fatalf("%s: nothing is spoilt", name)
		}
		if _, err := decodeEntry(spoilt, names{}, &entry{}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// The same for the other kinds of records.
func TestOtherStateLimits(t *testing.T) {
	segments := func(n int) (s schedule) {
		for i := range n {
			s = append(s, segment{int64(i), 60})
		}
		return s
	}
	key, gone := stateKey(stateChunk, alertID(1)), stateKey(stateGone, alertID(1))
	divided := func(s schedule) StateRecord { return StateRecord{accountKey("1"), s.encode()} }
	chunk := append(bytes.Clone(key), 0, 0, 0, 0)
	end := func(late int, id string) StateRecord {
		return StateRecord{gone, encodeGone(ended{&account{id: id}, late})}
	}
	for name, c := range map[string]struct {
		record StateRecord
		fault  string // none if empty
	}{
		"16 segments":        {divided(segments(maxSegments)), ""},
		"17 segments":        {divided(segments(maxSegments + 1)), "damaged"},
		"longest window":     {divided(schedule{{0, maxWindow}}), ""},
		"too long a window":  {divided(schedule{{0, maxWindow + 1}}), "damaged"},
		"shortest window":    {divided(schedule{{0, 1}}), ""},
		"no window":          {divided(schedule{{0, 0}}), "damaged"},
		"segments at once":   {divided(schedule{{5, 60}, {5, 60}}), "damaged"},
		"segments backwards": {divided(schedule{{5, 60}, {4, 60}}), "damaged"},
		"first second":       {divided(schedule{{leastSecond, 60}}), ""},
		"before it":          {divided(schedule{{leastSecond - 1, 60}}), "damaged"},
		"most late":          {end(math.MaxInt32, "1"), ""},
		"too many late":      {end(math.MaxInt32+1, "1"), "damaged"},
		"long id":            {end(1, strings.Repeat("x", maxText)), ""},
		"too long an id":     {end(1, strings.Repeat("x", maxText+1)), "damaged"},
		"full chunk":         {StateRecord{chunk, make([]byte, 16*chunkIDs)}, ""},
		"more than a chunk":  {StateRecord{chunk, make([]byte, 16*(chunkIDs+1))}, "16016 bytes"},
		"chunk 16777216":     {StateRecord{append(bytes.Clone(key), 1, 0, 0, 0), make([]byte, 16)}, ""},
		"chunk without one":  {StateRecord{key, make([]byte, 16)}, "unknown"},
		"chunk of 3 bytes":   {StateRecord{chunk[:20], make([]byte, 16)}, "unknown"},
		"chunk of 5 bytes":   {StateRecord{append(bytes.Clone(chunk), 0), make([]byte, 16)}, "unknown"},
		"entry of 1 byte":    {StateRecord{append(stateKey(stateEntry, alertID(1)), 0), fullEntries()[0].encode()}, "unknown"},
		"largest sketch":     {StateRecord{stateKey(stateSketch, alertID(1)), make([]byte, sketchLimit)}, "reading a sketch"},
		"too large a sketch": {StateRecord{stateKey(stateSketch, alertID(1)), make([]byte, sketchLimit+1)}, "65537 bytes are not"},
	} {
		err := NewRestorer(Options{Settings: settings()}).Record(c.record.Key, c.record.Value)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v, want %q", name, err, c.fault)
		}
	}
}

// A fault names the record, by its id or the beginning of its key.
func TestDescribe(t *testing.T) {
	id := alertID(5)
	for key, want := range map[string]string{
		string(stateKey(stateEntry, id)): "i " + id.String(), string(chunkKey(id, 7)): "c " + id.String(), string(accountKey("1111222233334444555")): `"a1111222233334444555"`,
		"i123": `"i123"`, "": `""`, strings.Repeat("z", 50): `"` + strings.Repeat("z", 40) + `"`, string(stateKey(stateGone, id)[:16]): fmt.Sprintf("%q", "g"+string(id[:15])),
	} {
		if got := describe([]byte(key)); got != want {
			t.Errorf("%q: %s, want %s", key, got, want)
		}
	}
}

// A text that is not UTF-8 is refused: no incident can have written it.
func TestReaderRefusesInvalidText(t *testing.T) {
	for name, read := range map[string]func(*reader){"text": func(r *reader) { r.text(9) }, "name": func(r *reader) { r.name(9) }} {
		for text, want := range map[string]bool{"\xc3\xa9": true, "\xe9z": false} {
			r := newReader(append([]byte{stateVersion, 2}, text...), names{})
			if read(&r); (r.err == nil) != want {
				t.Errorf("%s %q: %v", name, text, r.err)
			}
		}
	}
}

// A number has one form: another is damage.
func TestReaderRefusesLongForms(t *testing.T) {
	for form, want := range map[string]bool{"\x01": true, "\x81\x01": true, "\x81\x00": false, "\x80\x00": false, "\x80": false, "\x81\x80\x00": false} {
		r := newReader(append([]byte{stateVersion}, form...), names{})
		if r.number(1 << 20); (r.err == nil) != want {
			t.Errorf("%x: %v", form, r.err)
		}
	}
}
