package detection

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// One record of everything: each event and each damage is counted once.
func TestDetectCounts(t *testing.T) {
	value := strings.Join(distinct(
		matching,
		with(t, regionField, `"awsRegion":"us-east-1"`),
		with(t, readOnlyField, `"readOnly":true`),
		with(t, readOnlyField, `"readOnly":null`),
		with(t, readOnlyField, `"readOnly":"perhaps"`),
		with(t, regionField, `"awsRegion":null`),
		with(t, agentField, "\"userAgent\":\"\xff\""),
		matching[:strings.Index(matching, `,"eventType"`)], // alerts: cut after readOnly
		with(t, parameters, `{]`),                          // alerts: salvaged
		`{"awsRegion":"us-east-1","readOnly":false,`,       // does not alert
		`{"neither":"event nor envelope"}`,
	), "\n")
	r, c := detect(t, value)
	want := Counts{
		Records: 1, DeadLettered: 1, Bytes: uint64(len(value)), Events: 9, Partial: 2, Salvaged: 1, BadUTF8: 1,
		ReadOnlyMissing: 1, ReadOnlyOdd: 1,
	}
	want.Alerted = map[AlertedKind]uint64{{"eu-central-1", "High"}: 4}
	want.Outcomes[policy.OutcomeAlerted] = 4
	want.Outcomes[policy.OutcomeUsedRegion] = 1
	want.Outcomes[policy.OutcomeReadOnly] = 1
	want.Outcomes[policy.OutcomeUnknownReadOnly] = 2
	want.Outcomes[policy.OutcomeNoRegion] = 1
	want.Regions[regions.Index([]byte("eu-central-1"))] = RegionEvents{Unused: 3, Alerted: 4}
	want.Regions[regions.Index([]byte("us-east-1"))] = RegionEvents{Used: 1}
	want.Faults[cloudtrail.ReasonSyntax] = 3
	want.Faults[cloudtrail.ReasonUnknownShape] = 1
	want.Shapes[cloudtrail.ShapeNDJSON] = 9
	if !reflect.DeepEqual(c, want) {
		t.Errorf("counts\n%+v, want\n%+v", c, want)
	}
	if c.Passed() != 5 || len(r.alerts) != 4 || len(r.letters) != 4 {
		t.Errorf("%d passed, %d alerts, %d dead letters", c.Passed(), len(r.alerts), len(r.letters))
	}
}

// What is counted by region must not grow by what stands in events: an allow list alerts on any text.
func TestDetectCountsByRegion(t *testing.T) {
	p := mustPolicy(t, policy.Options{Default: policy.Level{AllowedRegions: []string{"us-east-1"}, FailedSeverity: "Low"}})
	_, c := detectWith(t, p, Options{}, strings.Join(distinct(
		matching,
		with(t, regionField, `"awsRegion":"eu-west-3","errorCode":"AccessDenied"`),
		with(t, regionField, `"awsRegion":"mars-east-1"`),
		with(t, regionField, `"awsRegion":"mars-east-2"`),
		with(t, regionField, `"awsRegion":"us-east-1"`),
	), "\n"))
	want := map[AlertedKind]uint64{{"eu-central-1", "High"}: 1, {"eu-west-3", "Low"}: 1, {"other", "High"}: 2}
	if !reflect.DeepEqual(c.Alerted, want) {
		t.Errorf("alerted %v, want %v", c.Alerted, want)
	}
}

func TestDetectCountsWhatHoldsNoEvents(t *testing.T) {
	for _, value := range []string{"", "null", "[]", `{"Records":[]}`} {
		_, c := detect(t, value)
		want := Counts{Records: 1, Done: 1, Bytes: uint64(len(value))}
		want.Skips[cloudtrail.KindEmpty] = 1
		if !reflect.DeepEqual(c, want) {
			t.Errorf("%q: counts %+v, want %+v", value, c, want)
		}
	}
}

// A record with many faults has a bounded number of dead letters, and still none is lost from the count.
func TestDeadLettersAreBounded(t *testing.T) {
	const faults = MaxDeadLetters + 10
	var lines strings.Builder
	for i := range faults {
		fmt.Fprintf(&lines, "{\"line\":%d,}\n", i)
	}
	r, c := detect(t, lines.String()+matching)
	if len(r.letters) != MaxDeadLetters || len(r.alerts) != 1 {
		t.Fatalf("%d dead letters, %d alerts", len(r.letters), len(r.alerts))
	}
	sum := 0
	for i, l := range r.letters {
		sum += l.Count
		if l.Alerted != 1 || l.AlertID != "" {
			t.Errorf("dead letter %d: %+v", i, l)
		}
		if want := fmt.Sprintf(`{"line":%d,}`, i); strings.TrimSpace(string(l.Piece)) != want {
			t.Errorf("dead letter %d has the piece %q, want %q", i, l.Piece, want)
		}
	}
	if sum != faults || c.Faults[cloudtrail.ReasonSyntax] != faults || r.letters[MaxDeadLetters-1].Count != 11 {
		t.Errorf("the dead letters stand for %d faults, %v are counted, want %d", sum, c.Faults, faults)
	}
}

// The decoder uses its buffers again for the next quoted text: what a dead letter holds must outlive that.
func TestDeadLettersKeepTheirPieces(t *testing.T) {
	const body = `{"messageId":"1","eventSource":"aws:sqs","body":"{\"eventName\":%d,}"}`
	r, _ := detect(t, `{"Records":[`+fmt.Sprintf(body, 1)+","+fmt.Sprintf(body, 2)+`]}`)
	if len(r.letters) != 2 {
		t.Fatalf("%d dead letters", len(r.letters))
	}
	for i, l := range r.letters {
		if want := fmt.Sprintf(`{"eventName":%d,}`, i+1); string(l.Piece) != want || l.Index != i {
			t.Errorf("dead letter %d: index %d, piece %q, want %q", i, l.Index, l.Piece, want)
		}
	}
}

// The same bytes give the same alerts, from the same detector and from another one.
func TestDetectIsIdempotent(t *testing.T) {
	values := []string{matching, matching + "x", with(t, `"eventID"`, `"x"`), with(t, parameters, `{]`), "[" + matching + "," + seedEvent("ap-east-1", "false") + "]"}
	d := NewDetector(Options{})
	var first results
	for range 2 {
		var again results
		for _, value := range values {
			if err := d.Detect(defaultPolicy(t), record(value), &again); err != nil {
				t.Fatal(err)
			}
		}
		if first.encoded == nil {
			first = again
		}
		if !slices.Equal(again.encoded, first.encoded) || len(again.encoded) != 6 || len(again.letters) != 2 {
			t.Errorf("%d alerts, %d at first, %d dead letters", len(again.encoded), len(first.encoded), len(again.letters))
		}
	}
	if c := d.Counts; c.Records != 10 || c.DeadLettered != 4 {
		t.Errorf("%d records, %d dead-lettered", c.Records, c.DeadLettered)
	}
	var other results
	for _, value := range values {
		r, _ := detect(t, value)
		other.encoded = append(other.encoded, r.encoded...)
	}
	if !slices.Equal(other.encoded, first.encoded) {
		t.Error("another detector makes other alerts")
	}
}

// The sink's error stops the record and comes back as it is; the next record starts afresh.
func TestDetectReturnsTheSinksError(t *testing.T) {
	value := "[" + strings.Join(distinct(matching, "{]", matching), ",") + "]"
	d := NewDetector(Options{})
	for failAt, wantAlerts := range []int{0: 2, 1: 0, 2: 1, 3: 2} {
		r := &results{failAt: failAt}
		err := d.Detect(defaultPolicy(t), record(value), r)
		if want := failAt > 0; errors.Is(err, errSink) != want || (err != nil) != want {
			t.Errorf("failing call %d: %v", failAt, err)
		}
		if len(r.alerts) != wantAlerts || failAt > 0 && len(r.letters) != 0 {
			t.Errorf("failing call %d: %d alerts, %d dead letters", failAt, len(r.alerts), len(r.letters))
		}
		checkSums(t, &d.Counts)
	}
	if d.Counts.Records != 4 {
		t.Errorf("%d records, want 4", d.Counts.Records)
	}
}

// Of a salvaged event with several regions each is tested, and one alert comes of them.
func TestSalvagedRegionsAreAllTested(t *testing.T) {
	f := func(regions string, want int) {
		t.Helper()
		r, c := detect(t, `{"awsRegion":`+regions+`"readOnly":false,"x":]`)
		if len(r.alerts) != want || int(c.Salvaged) != want || int(c.Events) != want || len(r.letters) != 1 {
			t.Fatalf("%s: %d alerts, %d dead letters, counts %+v", regions, len(r.alerts), len(r.letters), c)
		}
		if want == 1 && (r.letters[0].AlertID != r.alerts[0].ID || string(r.alerts[0].AWSRegion) != `"ap-east-1"`) {
			t.Errorf("%s: dead letter of %q, alert %s", regions, r.letters[0].AlertID, r.encoded[0])
		}
	}
	f(`"us-east-1"],`, 0)
	f(`"us-east-1"],"awsRegion":"us-east-2",`, 0)
	f(`"us-east-1"],"awsRegion":"ap-east-1",`, 1)
	f(`"ap-east-1"],"awsRegion":"eu-west-3","awsRegion":"eu-central-1",`, 1)
}

// A dead letter names the alert of its own event, not that of another one.
func TestDeadLettersNameTheirAlert(t *testing.T) {
	cut := matching[:strings.Index(matching, `,"eventType"`)]
	r, _ := detect(t, strings.Join(distinct("{]", cut, `{"awsRegion":"us-east-1","readOnly":false,`, cut), "\n"))
	if len(r.letters) != 4 || len(r.alerts) != 2 {
		t.Fatalf("%d dead letters, %d alerts", len(r.letters), len(r.alerts))
	}
	for i, want := range []string{"", r.alerts[0].ID, "", r.alerts[1].ID} {
		if got := r.letters[i].AlertID; got != want {
			t.Errorf("dead letter %d names the alert %q, want %q", i, got, want)
		}
	}
}

// However many codes an actor plants before and after it, a region of the catalogue is found in a damaged event.
func TestSalvageKeepsRegionsOfTheCatalogue(t *testing.T) {
	var flood strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&flood, `"awsRegion":"x%d",`, i)
	}
	first := regions.All()[0].Code
	p := mustPolicy(t, policy.Options{Default: policy.Level{UnusedRegions: []string{first, "eu-central-1"}}})
	for _, region := range []string{first, "eu-central-1"} {
		r, _ := detectWith(t, p, Options{}, `{"readOnly":false,"x":],`+flood.String()+`"awsRegion":"`+region+`",`+flood.String())
		if len(r.alerts) != 1 || string(r.alerts[0].AWSRegion) != `"`+region+`"` {
			t.Errorf("%s: alerts %q", region, r.encoded)
		}
	}
}

// One huge record does not make the detector keep its size.
func TestDetectGivesMemoryBack(t *testing.T) {
	d := NewDetector(Options{})
	huge := with(t, "aws-cli/2.15.0", strings.Repeat("x", 1<<20))
	for _, value := range []string{huge, huge + huge[:len(huge)-1], with(t, `"type":"AssumedRole"`, `"type":"`+strings.Repeat("x", 1<<20)+`"`)} {
		if err := d.Detect(defaultPolicy(t), record(value), &results{}); err != nil {
			t.Fatal(err)
		}
		p := &d.passage
		kept := cap(p.pieces) + cap(p.enricher.clean) + cap(p.enricher.texts.buf) + len(p.enricher.alert.UserAgent)
		for _, f := range p.faults[:cap(p.faults)] {
			kept += len(f.Piece)
		}
		if kept > 3*maxKept {
			t.Errorf("%d bytes are kept", kept)
		}
	}
	once := 0
	for i, value := range []string{matching, matching + "\n" + with(t, `"eventID":"3`, `"eventID":"4`)} {
		if err := d.Detect(defaultPolicy(t), record(value), &results{}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			once = len(d.passage.enricher.clean)
		} else if kept := len(d.passage.enricher.clean); kept != once {
			t.Errorf("%d bytes are kept for two alerts of a record, %d for one", kept, once)
		}
	}
}

// A detector that waits for its next record keeps neither the last one nor a policy that may be out of date.
func TestDetectLetsGo(t *testing.T) {
	p, r, d := mustPolicy(t, policy.Options{Exceptions: []policy.Exception{{Name: "x", EventNames: []string{"x"}}}}), record(matching), NewDetector(Options{})
	under, of := weak.Make(p), weak.Make(r)
	if err := d.Detect(p, r, &results{}); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	if under.Value() != nil || of.Value() != nil {
		t.Errorf("policy kept: %t, record kept: %t", under.Value() != nil, of.Value() != nil)
	}
	runtime.KeepAlive(d)
}

// Where events without readOnly alert, one that is cut off before its readOnly does too: as a partial alert, beside the
// dead letter. Elsewhere it is a dead letter alone.
func TestEventsCutBeforeReadOnly(t *testing.T) {
	lenient := policy.Options{Default: policy.Level{AlertOnMissingReadOnly: true}}
	other := policy.Options{Accounts: []policy.Account{{ID: "999999999999", Level: &policy.Level{UnusedRegions: policy.DefaultUnusedRegions, AlertOnMissingReadOnly: true}}}}
	region := strings.Index(matching, regionField) + len(regionField)
	readOnly := strings.Index(matching, readOnlyField)
	if readOnly < region {
		t.Fatal("want awsRegion before readOnly")
	}
	f := func(name string, p *policy.Policy, value string, want int) {
		t.Helper()
		d, r := NewDetector(Options{}), &results{}
		if err := d.Detect(p, record(value), r); err != nil {
			t.Fatal(err)
		}
		if len(r.alerts) != want || len(r.letters) != 1 || r.letters[0].Alerted != want || d.Counts.Partial != uint64(want) {
			t.Errorf("%s: %d alerts, want %d; %d dead letters; counts %+v; %s", name, len(r.alerts), want, len(r.letters), d.Counts, value)
		}
		for _, a := range r.alerts {
			if !a.Partial || r.letters[0].AlertID != a.ID {
				t.Errorf("%s: partial %v, id %s, the dead letter's %s", name, a.Partial, a.ID, r.letters[0].AlertID)
			}
		}
	}
	for cut := region + 1; cut < readOnly; cut += 7 {
		f("lenient", mustPolicy(t, lenient), matching[:cut], 1)
		f("default", defaultPolicy(t), matching[:cut], 0)
		f("another account is lenient", mustPolicy(t, other), matching[:cut], 0)
	}
	f("used region", mustPolicy(t, lenient), with(t, regionField, `"awsRegion":"us-east-1"`)[:region], 0)
}

// Detect asks before a record takes much memory. The answer stops the record, and comes back as it is.
func TestDetectAsksBeforeMuchMemory(t *testing.T) {
	asked := 0
	r := record(strings.Repeat(" ", cloudtrail.HeavyBytes) + matching)
	r.Heavy = func() error { asked++; return errSink }
	d, got := NewDetector(Options{}), &results{}
	if err := d.Detect(defaultPolicy(t), r, got); !errors.Is(err, errSink) || asked != 1 || len(got.alerts) != 0 {
		t.Errorf("%v, asked %d times, %d alerts", err, asked, len(got.alerts))
	}
	r.Heavy = nil
	if err := d.Detect(defaultPolicy(t), r, got); err != nil || asked != 1 || len(got.alerts) != 1 {
		t.Errorf("%v, asked %d times, %d alerts", err, asked, len(got.alerts))
	}
}
