package sample

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

func mustShape(t testing.TB, text string) cloudtrail.Chain {
	t.Helper()
	chain, err := ParseShape(text)
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func mustNew(t testing.TB, o Options) *Generator {
	t.Helper()
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestTruth reads everything back with encoding/json and compares it with what the generator says of it.
func TestTruth(t *testing.T) {
	const records = 500
	unused := []string{"ap-east-1", "eu-west-3", "eu-central-1"}
	for shape, depth := range map[string]int{"event": 1, "ndjson": 1, "array": 2, "records": 3, "gzip+records": 3, "gzip+gzip+ndjson": 1} {
		t.Run(shape, func(t *testing.T) {
			g := mustNew(t, Options{Seed: 42, MatchShare: 0.2, DamagedShare: 0.4, Shapes: []cloudtrail.Chain{mustShape(t, shape)}})
			ids := make(map[string]bool)
			var alerts, partial, lost, bytesMade, unreadable, invalid, unknown uint64
			for i := range records {
				r := g.Next()
				bytesMade += uint64(len(r.Value))
				if r.Damage == DamageUTF8 {
					invalid++
				}
				if r.DeadLettered() {
					unreadable++
				}
				text := gunzipAll(t, r.Value)
				if r.Damage == DamageGarbage {
					if json.Valid(text) || len(r.Events) > 0 {
						t.Fatalf("record %d: garbage is JSON: %s", i, text)
					}
					continue
				}
				if !utf8.Valid(text) != (r.Damage == DamageUTF8) {
					t.Fatalf("record %d: valid UTF-8 is %v, but the damage is %v", i, utf8.Valid(text), r.Damage)
				}
				if diff := cmp.Diff(readBack(text, depth), factsOf(r.Events)); diff != "" {
					t.Fatalf("record %d (%v):\n%s\n%s", i, r.Damage, diff, text)
				}
				for j := range r.Events {
					e := &r.Events[j]
					ids[string(e.ID[:])] = true
					if e.Matches(unused) {
						alerts++
						if e.Partial {
							partial++
						}
					}
					if e.Lost {
						lost++
					} else if e.ReadOnly == Unknown && !e.Partial {
						unknown++
					}
				}
			}
			truth := g.Truth()
			if truth.Records != records || truth.Bytes != bytesMade || truth.Lost != lost || truth.Events+truth.Partial+truth.Lost != uint64(len(ids)) {
				t.Errorf("truth is %+v, but there are %d bytes, %d lost events, %d ids", truth, bytesMade, lost, len(ids))
			}
			for _, tally := range truth.Regions {
				unknown -= tally.Unknown
			}
			if truth.DeadLettered != unreadable || truth.InvalidUTF8 != invalid || unreadable == 0 || invalid == 0 || unknown != 0 {
				t.Errorf("truth is %+v, but there are %d dead letters, %d invalid events, %d more without readOnly", truth, unreadable, invalid, unknown)
			}
			before := g.Truth()
			if before.Regions["ap-east-1"] = (Tally{}); !cmp.Equal(g.Truth(), truth) {
				t.Error("the truth that was handed out is not the caller's own")
			}
			if truth.Alerts(unused) != alerts || truth.PartialAlerts(unused) != partial || alerts == 0 || partial == 0 {
				t.Errorf("truth has %d alerts, %d partial; its events %d and %d", truth.Alerts(unused), truth.PartialAlerts(unused), alerts, partial)
			}
		})
	}
}

// fact is what encoding/json finds of an event.
type fact struct {
	ID, Region string
	ReadOnly   ReadOnly
	Lost       bool
}

func factsOf(events []Event) []fact {
	var facts []fact
	for i := range events {
		e := &events[i]
		if e.Lost {
			continue
		}
		facts = append(facts, fact{ID: string(e.ID[:]), Region: e.Region, ReadOnly: e.ReadOnly})
	}
	return facts
}

// readBack walks over the tokens of text and returns the events that can be decided: objects whose
// members are at the given depth and say awsRegion and readOnly before the text ends.
func readBack(text []byte, depth int) []fact {
	dec := json.NewDecoder(bytes.NewReader(text))
	var facts []fact
	members, level, key := map[string]any{}, 0, ""
	flush := func() {
		readOnly, hasReadOnly := members["readOnly"]
		region, hasRegion := members["awsRegion"]
		if hasReadOnly && hasRegion {
			f := fact{ReadOnly: readOnlyOf(readOnly)}
			f.ID, _ = members["eventID"].(string)
			f.Region, _ = region.(string)
			facts = append(facts, f)
		}
		clear(members)
	}
	for {
		token, err := dec.Token()
		if err != nil {
			flush()
			return facts
		}
		open := token == json.Delim('{') || token == json.Delim('[')
		closing := token == json.Delim('}') || token == json.Delim(']')
		switch {
		case closing && level == depth:
			flush()
		case level == depth && key == "" && !open:
			key, _ = token.(string)
		case level == depth:
			members[key], key = token, ""
		}
		if open {
			level++
		}
		if closing {
			level--
		}
	}
}

func readOnlyOf(v any) ReadOnly {
	text, isText := v.(string)
	switch {
	case v == false || isText && strings.EqualFold(text, "false"):
		return Write
	case v == true || isText && strings.EqualFold(text, "true"):
		return Read
	default:
		return Unknown
	}
}

func gunzipAll(t *testing.T, value []byte) []byte {
	t.Helper()
	for bytes.HasPrefix(value, []byte("\x1f\x8b")) {
		r, err := gzip.NewReader(bytes.NewReader(value))
		if err != nil {
			t.Fatal(err)
		}
		if value, err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return value
}

// TestPopulation compares the events with what public data sets show.
func TestPopulation(t *testing.T) {
	g := mustNew(t, Options{Seed: 1, Accounts: 5, MatchShare: 0.01})
	const n = 30_000
	var sizes []int
	count := make(map[string]float64)
	for range n {
		r := g.Next()
		var e struct {
			UserIdentity     struct{ Type string }
			ErrorCode        string
			ReadOnly         bool
			RecipientAccount string `json:"recipientAccountId"`
			EventSource      string
		}
		if err := json.Unmarshal(r.Value, &e); err != nil {
			t.Fatalf("%v: %s", err, r.Value)
		}
		if e.RecipientAccount != r.Account {
			t.Fatalf("key is %s, recipientAccountId is %s", r.Account, e.RecipientAccount)
		}
		sizes = append(sizes, len(r.Value))
		count["identity "+e.UserIdentity.Type]++
		count["account "+e.RecipientAccount]++
		count["source "+e.EventSource]++
		if !e.ReadOnly {
			count["write"]++
			if e.ErrorCode != "" {
				count["failed write"]++
			}
		}
	}
	slices.Sort(sizes)
	within := func(what string, got, low, high float64) {
		if got < low || got > high {
			t.Errorf("%s: %v is not between %v and %v", what, got, low, high)
		}
	}
	within("p50 in bytes", float64(sizes[n/2]), 1100, 1300)
	within("p99 in bytes", float64(sizes[n*99/100]), 2100, 2500)
	within("share of writes", count["write"]/n, 0.19, 0.22)
	within("share of failures in writes", count["failed write"]/count["write"], 0.14, 0.18)
	within("alerts", float64(g.truth.Alerts(defaultUnusedRegions))/n, 0.008, 0.012)
	for _, typ := range []string{"AssumedRole", "IAMUser", "Root", "FederatedUser", "SAMLUser", "WebIdentityUser", "IdentityCenterUser", "AWSAccount", "AWSService", ""} {
		within("identity "+typ, count["identity "+typ], 10, n)
	}
}

// TestEveryRowIsJSON fills each template of each row once.
func TestEveryRowIsJSON(t *testing.T) {
	g := mustNew(t, Options{})
	s := g.newScene(&Event{Account: "111122223333", Region: "us-east-1"})
	object := func(what string, tmpl template) {
		text := g.fill([]byte(`{"x":0`), tmpl, s)
		if !json.Valid(append(text, '}')) {
			t.Errorf("%s: %s", what, text)
		}
	}
	value := func(what string, tmpl template) {
		if text := g.fill(nil, tmpl, s); !json.Valid(text) {
			t.Errorf("%s: %s", what, text)
		}
	}
	for _, c := range slices.Concat(g.calls.globalReads, g.calls.globalWrites) {
		value(c.names, c.request)
		value(c.names, c.response)
		for _, tmpl := range []template{c.additional, c.resources, c.service, c.tls} {
			object(c.names, tmpl)
		}
		if len(c.who) == 0 {
			t.Errorf("%s: nobody calls it", c.names)
		}
		for _, who := range c.who {
			value(c.names, who.userIdentity)
		}
	}
}

// In one unused region there are reads as in several. Without one there are none.
func TestUnusedRegions(t *testing.T) {
	for _, unused := range [][]string{{}, {"eu-west-3"}} {
		g := mustNew(t, Options{UnusedRegions: unused})
		for range 2000 {
			g.Next()
		}
		if regions := g.Truth().Regions; len(regions) != len(defaultRegions)+len(unused) || len(unused) > 0 && regions[unused[0]].Reads == 0 {
			t.Errorf("%q are unused, got %+v", unused, regions)
		}
	}
}

// A wrong template is noticed when the program starts.
func TestCompileFailure(t *testing.T) {
	f := func(text string, want bool) {
		defer func() {
			if got := recover() != nil; got != want {
				t.Errorf("%s: panics: %t", text, got)
			}
		}()
		compile(text)
	}
	f("a${hex:1}b${region}", false)
	for _, text := range []string{"${region", "${nothing}", "${nothing:1}", "${hex:0}", "${hex:x}", "${"} {
		f(text, true)
	}
}

func TestAccountIDs(t *testing.T) {
	ids := AccountIDs(MaxAccounts)
	if ids[0] != "111122223333" {
		t.Errorf("the first account is %s", ids[0])
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(ids)))); n != MaxAccounts {
		t.Errorf("%d of %d accounts differ", n, MaxAccounts)
	}
}

func TestNewFailure(t *testing.T) {
	f := func(o Options, want string) {
		t.Helper()
		_, err := New(o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	f(Options{Accounts: 901}, "accounts: 901 is not between 1 and 900")
	f(Options{Accounts: -1}, "accounts: -1 is not between 1 and 900")
	for _, o := range []Options{{Accounts: 1}, {Accounts: 900}, {MatchShare: 1, DamagedShare: 1}, {EventsPerRecord: 1}, {UnusedRegions: []string{}}, {Interval: 1}} {
		mustNew(t, o)
	}
	f(Options{MatchShare: -0.5}, "match share: -0.5 is not between 0 and 1")
	f(Options{Shapes: []cloudtrail.Chain{}}, "shapes: none given")
	f(Options{Shapes: []cloudtrail.Chain{cloudtrail.Chain{}.Push(cloudtrail.ShapeNone)}}, "none cannot be generated")
	f(Options{Shapes: []cloudtrail.Chain{cloudtrail.Chain{}.Push(cloudtrail.ShapeKinesis)}}, "event within kinesis needs base64 between them")
	f(Options{Regions: []string{""}}, `regions: "" is not a region code`)
	f(Options{UnusedRegions: []string{"eu west"}}, `regions: "eu west" is not a region code`)
	f(Options{MatchShare: math.NaN()}, "match share: NaN")
	f(Options{DamagedShare: 1.5}, "damaged share: 1.5 is not between 0 and 1")
	f(Options{EventsPerRecord: -1}, "events per record: -1")
	f(Options{Interval: -1}, "interval: -1ns is negative")
	f(Options{Regions: []string{}}, "regions: none given")
	f(Options{Regions: []string{`"`}}, `regions: "\"" is not a region code`)
	f(Options{Regions: []string{"eu-west-3"}}, "regions: eu-west-3 is both in use and unused")
	f(Options{UnusedRegions: []string{}, MatchShare: 0.5}, "unused regions: none given")
	f(Options{Shapes: []cloudtrail.Chain{{}}}, "shape: none given")
	f(Options{Accounts: -1, MatchShare: 2}, "match share: 2") // all faults at once
	if _, err := NewCompany(1, MaxAccounts+1, defaultStart); err == nil {
		t.Error("a company of more accounts than there are")
	}
}

// Each kind of damage has a name, and what is none as well.
func TestDamageString(t *testing.T) {
	for d, want := range map[Damage]string{DamageNone: "none", DamageType: "wrong-type", damageCount: "unknown", 255: "unknown"} {
		if got := d.String(); got != want {
			t.Errorf("%d is %s, want %s", d, got, want)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, shape := range []string{"event", "gzip+records"} {
		b.Run(shape, func(b *testing.B) {
			g := mustNew(b, Options{Accounts: 5, MatchShare: 0.01, DamagedShare: 0.001, Shapes: []cloudtrail.Chain{mustShape(b, shape)}})
			b.ReportAllocs()
			for b.Loop() {
				g.Next()
			}
			truth := g.Truth()
			b.ReportMetric(float64(truth.Events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
