package detection

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// told records the calls of a witness.
type told struct {
	lines []string
	ids   []string // of the alerts
	err   error    // returned for each event
}

func (w *told) Event(x *Explanation) error {
	w.lines = append(w.lines, fmt.Sprintf("%d %s | %s | %s | %s | %s", x.Event.Index, x.Event.Shape, x.RegionText(), x.ReadOnlyText(),
		x.DecisionText(), x.DamageText()))
	if x.Alert != nil {
		w.ids = append(w.ids, x.Alert.ID)
	}
	return w.err
}

func (w *told) Skip(k cloudtrail.Kind, shape cloudtrail.Chain) {
	w.lines = append(w.lines, fmt.Sprintf("skip %s %s | %s", k, shape, SkipText(k)))
}

func (w *told) Fault(f *cloudtrail.Fault) error {
	w.lines = append(w.lines, fmt.Sprintf("fault %d %s", f.Index, f.Reason))
	return nil
}

// checkExplained checks what a witness gets, and that what is explained is what is done.
func checkExplained(t *testing.T, p *policy.Policy, value string, want ...string) {
	t.Helper()
	d, w := NewDetector(Options{}), told{}
	if err := d.Explain(p, record(value), &w); err != nil || !slices.Equal(w.lines, want) {
		t.Errorf("%v\n%s", err, strings.Join(w.lines, "\n"))
	}
	var done []string
	r, counts := detectWith(t, p, Options{}, value)
	for _, a := range r.alerts {
		done = append(done, a.ID)
	}
	if !slices.Equal(w.ids, done) {
		t.Errorf("alerts %q are explained, %q are made", w.ids, done)
	}
	if !reflect.DeepEqual(d.Counts, counts) {
		t.Errorf("explained, it counts\n%+v, else\n%+v", d.Counts, counts)
	}
}

func TestExplain(t *testing.T) {
	lenient := mustPolicy(t, policy.Options{Default: policy.Level{AlertOnMissingReadOnly: true}})
	f := func(p *policy.Policy, value string, want ...string) {
		t.Helper()
		checkExplained(t, p, value, want...)
	}
	const unused = "unused: eu-central-1 is in unused_regions"
	p := defaultPolicy(t)
	f(p, `[`+matching+`]`, "0 array | "+unused+" | false: the call may write | alert: eu-central-1 is in unused_regions | ")
	f(p, with(t, regionField, `"awsRegion":"us-east-1"`),
		"0 event | used: the region is not in unused_regions | false: the call may write | no alert: the region is not in unused_regions | ")
	f(p, with(t, regionField, `"awsRegion":null`),
		"0 event | none: the event has no awsRegion at its top level | false: the call may write | no alert: the event has no awsRegion | ")
	f(p, with(t, regionField, `"awsRegion":7`),
		"0 event | none: awsRegion is not a text | false: the call may write | no alert: the event has no awsRegion | ")
	f(p, with(t, readOnlyField, `"readOnly":"False"`),
		"0 event | "+unused+" | false, from a text: the call may write | alert: eu-central-1 is in unused_regions | ")
	f(p, with(t, readOnlyField, `"readOnly":"TRUE"`),
		"0 event | "+unused+" | true, from a text: the call only reads | no alert: readOnly is true | ")
	f(p, with(t, readOnlyField, `"readOnly":true`), "0 event | "+unused+" | true: the call only reads | no alert: readOnly is true | ")
	f(p, with(t, readOnlyField, `"x":0`),
		"0 event | "+unused+" | missing: the event has no readOnly at its top level | no alert: readOnly is missing | ")
	f(lenient, with(t, readOnlyField, `"readOnly":null`),
		"0 event | "+unused+" | missing: null counts as absent | alert: eu-central-1 is in unused_regions, and readOnly is missing | ")
	f(p, with(t, readOnlyField, `"readOnly":0`), "0 event | "+unused+" | unknown: neither a boolean nor the text true or false |"+
		" no alert: readOnly is neither a boolean nor the text true or false | ")
	f(p, `[`+matching+`,`+matching+`]`, "0 array | "+unused+" | false: the call may write | alert: eu-central-1 is in unused_regions | ",
		"1 array | "+unused+" | false: the call may write | not decided again: the same event is earlier in the record | ")
	f(mustPolicy(t, policy.Options{Shadow: true}), matching,
		"0 event | "+unused+" | false: the call may write | no alert but a finding of a level in shadow mode: eu-central-1 is in unused_regions | ")
	f(mustPolicy(t, policy.Options{Exceptions: []policy.Exception{{Name: "x", Regions: []string{"eu-central-1"}}}}), matching,
		"0 event | "+unused+" | false: the call may write | exempted: exception x | ")
	f(p, `{"s3Bucket":"b","s3ObjectKey":[]}`, "skip log-file-notice  | CloudTrail announces a new log file: the events are in the file")
}

func TestExplainDamage(t *testing.T) {
	f := func(value string, want ...string) {
		t.Helper()
		checkExplained(t, defaultPolicy(t), value, want...)
	}
	const lean = "alert: awsRegion and readOnly were found around the damage, and what is damaged leans to alerting"
	const search = "the event is damaged before both fields were read; a lenient search of its bytes found this region"
	f(matching[:strings.Index(matching, `,"eventType"`)], "0 event | unused: eu-central-1 is in unused_regions | false: the call may write |"+
		" alert: awsRegion and readOnly were read before the damage; eu-central-1 is in unused_regions |"+
		" the event is damaged after both fields were read", "fault 0 truncated")
	f(`{"awsRegion":"us-east-1"],"awsRegion":"ap-east-1","awsRegion":"eu-west-3","readOnly":false`,
		"0 event | used: the region is not in unused_regions | false: the call may write |"+
			" no alert, a dead letter only: the event is damaged, and as far as it can be read the region is not in unused_regions | "+search,
		"0 event | unused: ap-east-1 is in unused_regions | false: the call may write | "+lean+" | "+search,
		"0 event | unused: eu-west-3 is in unused_regions | false: the call may write |"+
			" no second alert: the damaged event has made one for another region | "+search,
		"fault 0 syntax")
}

// What a record was found to hold ends with it.
func TestExplainOneAfterAnother(t *testing.T) {
	d := NewDetector(Options{})
	for _, value := range []string{"{]", matching} {
		if err := d.Explain(defaultPolicy(t), record(value), &told{}); err != nil {
			t.Fatal(err)
		}
	}
	if c := d.Counts; c.DeadLettered != 1 || c.Done != 1 || d.passage.policy != nil || d.passage.record != nil {
		t.Errorf("%d dead-lettered, %d done; %+v", c.DeadLettered, c.Done, d.passage.record)
	}
}

// The witness's error stops the record and comes back as it is, and the next record starts afresh.
func TestExplainReturnsTheWitnesssError(t *testing.T) {
	d, w := NewDetector(Options{}), told{err: errSink}
	for range 2 {
		w.lines = nil
		if err := d.Explain(defaultPolicy(t), record(matching+matching), &w); !errors.Is(err, errSink) || len(w.lines) != 1 {
			t.Errorf("%v, %q", err, w.lines)
		}
	}
	checkSums(t, &d.Counts)
}

// An exception is reported if it applies, and if it would had it not expired: only of a finding, and not of a
// damaged event, which none exempts.
func TestExplainException(t *testing.T) {
	f := func(value, want string) {
		t.Helper()
		p := mustPolicy(t, policy.Options{Exceptions: []policy.Exception{
			{Name: "old", Owner: "a@example.com", Regions: []string{"eu-central-1"}, Expires: testNow},
			{Name: "new", Reason: "so it is", Regions: []string{"ap-east-1"}, Expires: testNow.Add(1)},
		}})
		var got []string
		r := record(value)
		r.DecidedAt = testNow
		err := NewDetector(Options{}).Explain(p, r, eventWitness(func(x *Explanation) {
			if got = append(got, x.ExceptionText()); x.Expired != nil && !x.Decision.IsFinding() {
				t.Errorf("%s: exception %s would apply to what is no finding", value, x.Expired.Name)
			}
		}))
		if err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("%v, %q, want %q: %s", err, got, want, value)
		}
	}
	f(matching, "none applies any more; expired: old, owner a@example.com")
	f(with(t, regionField, `"awsRegion":"ap-east-1"`), "new: so it is")
	f(with(t, regionField, `"awsRegion":"eu-west-3"`), "none")
	f(with(t, regionField, `"awsRegion":"us-east-1"`), "none")
	f(with(t, readOnlyField, `"readOnly":true`), "none")
	f(matching[:strings.Index(matching, `,"eventType"`)], "none")
}

// eventWitness receives events only.
type eventWitness func(*Explanation)

func (w eventWitness) Event(x *Explanation) error           { w(x); return nil }
func (eventWitness) Skip(cloudtrail.Kind, cloudtrail.Chain) {}
func (eventWitness) Fault(*cloudtrail.Fault) error          { return nil }

// Every kind of what is skipped says why.
func TestSkipTexts(t *testing.T) {
	for k := range cloudtrail.Kind(cloudtrail.KindCount) {
		if SkipText(k) == "" {
			t.Errorf("%s has no text", k)
		}
	}
}

// Each kind of skip has its text, and one that is not known is no fault.
func TestSkipText(t *testing.T) {
	for k := range cloudtrail.KindCount {
		if text := SkipText(cloudtrail.Kind(k)); text == "" || text == "holds no events" {
			t.Errorf("kind %d: %q", k, text)
		}
	}
	if text := SkipText(cloudtrail.Kind(cloudtrail.KindCount)); text != "holds no events" {
		t.Errorf("no kind: %q", text)
	}
}
