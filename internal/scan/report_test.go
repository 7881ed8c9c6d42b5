package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// event returns an event of an account, a region and a user, with more members at its end.
func event(account, region, user, more string) string {
	return `{"eventVersion":"1.11","eventID":"1","eventTime":"2026-11-2` + account[:1] + `T10:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::` +
		account + `:user/` + user + `","userName":"` + user + `"},"recipientAccountId":"` + account + `","awsRegion":"` + region + `"` + more + "}"
}

// reported scans five files, of which one cannot be opened and two end early. Most counts differ.
func reported(t *testing.T) *Summary {
	t.Helper()
	const known, shadow, exempt = "111122223333", "222233334444", "333344445555"
	p, err := policy.Compile(policy.Options{
		Default: policy.Level{UnusedRegions: []string{"eu-west-3", "sa-east-1"}, FailedSeverity: "Low"},
		Groups:  []policy.Group{{Name: "quiet", Level: &policy.Level{UnusedRegions: []string{"eu-west-3"}, Shadow: true}}},
		Accounts: []policy.Account{
			{ID: known, Name: "payments", Owner: "team-a"},
			{ID: shadow, Group: "quiet"},
		},
		Exceptions: []policy.Exception{{Name: "backup", Reason: "a backup", Accounts: []string{exempt}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Join([]string{
		event(known, "eu-west-3", "ann", `,"readOnly":false`),
		event(known, "eu-west-3", "ann", `,"readOnly":false,"errorCode":null`),
		event(known, "sa-east-1", "bob", `,"readOnly":false,"errorCode":"AccessDenied"`),
		event(known, "eu-west-1", "ann", `,"readOnly":false`),
		event(known, "eu-west-1", "ann", `,"readOnly":false`),
		event(known, "eu-west-3", "ann", `,"readOnly":true`),
		event(shadow, "eu-west-3", "ann", `,"readOnly":false`),
		event(shadow, "eu-west-3", "ann", `,"readOnly":false`),
		event(shadow, "eu-west-3", "ann", `,"readOnly":false`),
		event(exempt, "eu-west-3", "ann", `,"readOnly":false`),
		event(exempt, "eu-west-3", "ann", `,"readOnly":false`),
		`{"Records":[]}`,
		event(known, "eu-west-3", "eve", `,"readOnly":false,"requestParameters":{"a":}`),
		`{"awsRegion":"eu-west-3","readOnly":`,
	}, "\n") + "\n"
	other := gzipped(t, `{"Records":[`+event("999988887777", "eu-west-3", "kim", `,"readOnly":false`)+"]}")
	cut := gzipped(t, event(known, "eu-west-1", "ann", `,"readOnly":false`)+"\n")
	var faults int
	o := Options{Policy: p, DecidedAt: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), Alerts: io.Discard, DeadLetters: io.Discard, Workers: 1, OnError: func(error) { faults++ }}
	o.Append = func(dst []byte, _ *alert.Alert) []byte { return dst }
	s, err := Run(t.Context(), o, []Source{
		text("a", lines), text("b.gz", other), text("c.gz", cut[:len(cut)-4]),
		{Name: "e", Size: -1, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(event(known, "sa-east-1", "eve", `,"readOnly":false`)+"\n"), iotest.ErrReader(errors.New("a disk error")))), nil
		}},
		{Name: "d", Open: func() (io.ReadCloser, error) { return nil, errors.New("no such file") }},
	})
	if err != nil || faults != 2 {
		t.Fatalf("%d faults, error %v", faults, err)
	}
	return s
}

// The summary names each count, for people and for programs.
func TestReport(t *testing.T) {
	s := reported(t)
	s.Bytes = 4550 // depends on the compression
	var b bytes.Buffer
	s.Print(&b, 5, 2*time.Second, 2)
	if diff := cmp.Diff(reportText, b.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(reportJSON, string(s.AppendJSON(nil, 5, 2*time.Second, 2))); diff != "" {
		t.Error(diff)
	}
}

const reportText = `4 of 5 files, 4.55 kB in 2s: 15 events, 7 events/s
1 file could not be opened, 1 not be read to their end
6 alerts, 1 of them partial, 1 for failed calls
alerts from 2026-11-21T10:00:00Z to 2026-11-29T10:00:00Z
2 events exempted by exceptions, 3 findings in shadow mode
4 events passed (used-region 3, read-only 1)
3 records with dead letters (syntax 1, truncated 1, compression 1)
no events in: empty 1
alerts by severity     High                                  5
                       Low                                   1
alerts by level        default                               6
alerts by account      111122223333  payments, owner team-a  5
                       999988887777                          1
alerts by region       eu-west-3                             4
                       sa-east-1                             2
alerts by event        ec2.amazonaws.com RunInstances        6
alerts by principal    ann                                   2
                       eve                                   2
                       others                                2
alerts by shape        ndjson                                4
                       event                                 1
                       others                                1
events by outer shape  ndjson                                12
                       event                                 1
                       others                                2
dead letters by file   a                                     2
                       c.gz                                  1
`

const reportJSON = `{"files":5,"read":4,"unopened":1,"unreadable":1,"bytes":4550,"seconds":2,` +
	`"records":18,"events":15,"alerts":6,"partial":1,"failed":1,"succeeded":5,"exempted":2,"shadowed":3,"passed":4,"deadLetters":3,` +
	`"first":"2026-11-21T10:00:00Z","last":"2026-11-29T10:00:00Z",` +
	`"top":{"accounts":[{"name":"111122223333","count":5},{"name":"999988887777","count":1}],` +
	`"deadLetterFiles":[{"name":"a","count":2},{"name":"c.gz","count":1}],"eventShapes":[{"name":"ndjson","count":12},{"name":"event","count":1}],"events":[{"name":"ec2.amazonaws.com RunInstances","count":6}],` +
	`"levels":[{"name":"default","count":6}],"principals":[{"name":"ann","count":2},{"name":"eve","count":2}],"regions":[{"name":"eu-west-3","count":4},{"name":"sa-east-1","count":2}],` +
	`"severities":[{"name":"High","count":5},{"name":"Low","count":1}],"shapes":[{"name":"ndjson","count":4},{"name":"event","count":1}]},` +
	`"accountFacts":{"111122223333":{"name":"payments","owner":"team-a"}}}` + "\n"

// The report leaves out what did not happen, and says what happened once.
func TestReportOfLittle(t *testing.T) {
	f := func(s *Summary, want string) {
		t.Helper()
		var b bytes.Buffer
		s.Print(&b, 1, time.Second, 1)
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Error(diff)
		}
	}
	const head, alerts = "0 of 1 file, 0 B in 1s: 0 events, 0 events/s\n", "0 alerts, 0 of them partial, 0 for failed calls\n"
	const passed, letters = "0 events passed\n", "0 records with dead letters\n"
	f(&Summary{}, head+alerts+passed+letters)
	f(&Summary{Unopened: 1}, head+"1 file could not be opened, 0 not be read to their end\n"+alerts+passed+letters)
	f(&Summary{Stopped: &Place{"a\x1b[2J", 1234}}, head+"stopped in a\\x1b[2J at byte 1,234 of its text; everything before that is done\n"+alerts+passed+letters)
	f(&Summary{Incidents: &Grouped{}}, head+alerts+passed+letters+"0 alerts in 0 incidents\n")
	s := &Summary{}
	s.Counts.Outcomes[policy.OutcomeExempted], s.Counts.Outcomes[policy.OutcomeShadowed] = 1, 1
	s.Counts.Events = 2
	f(s, "0 of 1 file, 0 B in 1s: 2 events, 2 events/s\n"+alerts+"1 event exempted by exceptions, 1 finding in shadow mode\n"+passed+letters)
	s = &Summary{}
	s.Counts.Outcomes[policy.OutcomeExempted], s.Counts.Events = 1, 1
	f(s, "0 of 1 file, 0 B in 1s: 1 event, 1 event/s\n"+alerts+"1 event exempted by exceptions, 0 findings in shadow mode\n"+passed+letters)
	s = &Summary{}
	s.Counts.Faults[cloudtrail.ReasonSyntax], s.Counts.DeadLettered = 1, 1
	f(s, head+alerts+passed+"1 record with dead letters (syntax 1)\n")
}

// A cell of CSV neither controls a terminal nor is a formula, and numbers are decimal.
func TestCSVCells(t *testing.T) {
	a := &alert.Alert{EventName: json.RawMessage(`"x\u001b[2J"`), EventSource: json.RawMessage(`"@a"`)}
	a.Origin.Offset = 1234
	if got := string(AppendCSV(nil, a)); got != ",,,,'@a,x\\x1b[2J,,,,,,,1234,,,,\n" {
		t.Errorf("%q", got)
	}
}

// What a chunk counted before it kept too much is counted with the rest.
func TestTalliesMerge(t *testing.T) {
	findings := []finding{
		{"1", "r1", "e1", "p1", "s1", "High", "l1", "2026-11-02T00:00:00Z", json.RawMessage(`{"name":"one"}`), true},
		{"2", "r2", "e2", "p2", "s2", "Low", "l2", "2026-11-01T00:00:00Z", nil, false},
		{"3", "r3", "e3", "p3", "s3", "Info", "l3", "2026-11-03T00:00:00Z", json.RawMessage(`{"name":"three"}`), true},
		{},
	}
	show := func(t *tally) string {
		s := Summary{tally: *t}
		return string(s.AppendJSON(nil, 1, time.Second, 9))
	}
	var whole, first, second tally
	whole.add(findings)
	first.add(findings[:2])
	second.add(findings[2:])
	first.merge(&second)
	if diff := cmp.Diff(show(&whole), show(&first)); diff != "" || !strings.Contains(show(&first), `"three"`) || first.Failed != 2 {
		t.Errorf("%s\n%s", diff, show(&first))
	}
}

// Times whose year in UTC has no four digits do not count: they would be first or last of all as text.
func TestFindingTimes(t *testing.T) {
	for text, want := range map[string]string{
		"0000-01-01T00:00:00Z": "0000-01-01T00:00:00Z", "0000-01-01T00:00:00+01:00": "",
		"9999-12-31T23:59:59Z": "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00": "", "2026-11-01T00:30:00+01:00": "2026-10-31T23:30:00Z", "soon": "",
	} {
		if got := newFinding(&alert.Alert{EventTime: json.RawMessage(strconv.Quote(text))}).at; got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	for code, want := range map[string]bool{"": false, "null": false, "7": true, `"x"`: true} {
		if got := newFinding(&alert.Alert{ErrorCode: json.RawMessage(code)}).failed; got != want {
			t.Errorf("error code %s: failed %v", code, got)
		}
	}
}
