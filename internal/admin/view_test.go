package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// hostile is text an attacker might write.
const hostile = `<script>alert(1)</script>" onerror='x' </title>{{.}} ` + "\u202e\u200b\x1b]0;x\a\u009b\r\n\u2028\ufe0f"

// Of an endless stream of alerts and dead letters, only a bounded number of the latest is kept, with bounded texts.
func TestRecentIsBounded(t *testing.T) {
	f := func(format alert.Format) {
		r := NewRecent(format)
		long := strings.Repeat("x", 1<<17)
		for i := range 500 {
			name := fmt.Sprintf("%q", fmt.Sprint("event ", i))
			a := alert.Alert{EventName: []byte(name), UserAgent: []byte(`"` + long[:1<<(i%17)] + `"`), Principal: alert.Principal{Name: long[:i]}}
			r.Alert(format.Append(nil, &a))
			r.DeadLetter(output.DeadLetter{Offset: int64(i), Error: long, Topic: long})
		}
		held := 0
		for _, l := range r.late.items {
			held += len(l.encoded)
		}
		if held > keptAlerts*lateBytes {
			t.Errorf("%s: %d bytes are held", format, held)
		}
		alerts, letters, total := r.latest()
		if len(alerts) != keptAlerts || len(letters) != keptLetters || total != 500 {
			t.Fatalf("%s: %d alerts and %d dead letters are kept", format, len(alerts), len(letters))
		}
		for i, a := range alerts {
			if want := fmt.Sprint("event ", 499-i); a.Event != want {
				t.Errorf("%s: alert %d is %q, want %q", format, i, a.Event, want)
			}
			if len(a.Agent) > textLength+len("…") || len(a.Principal) > nameLength+len("…") {
				t.Errorf("%s: text of %d and %d bytes", format, len(a.Agent), len(a.Principal))
			}
		}
		if want := ":0:499"; !strings.HasSuffix(letters[0].Place, want) || len(letters[0].Error) > textLength+len("…") {
			t.Errorf("%s: the latest dead letter is at %q", format, letters[0].Place)
		}
	}
	f(alert.Native)
	f(alert.OCSF)
}

// Anything in an alert or a dead letter is shown as text: without markup, and without characters that hide or reorder
// it.
func TestHostileText(t *testing.T) {
	i := newInstance(t)
	quoted := []byte(fmt.Sprintf("%q", strings.ToValidUTF8(hostile, "")))
	quoted = []byte(strings.NewReplacer(`\a`, `\u0007`, `\x1b`, `\u001b`, `\u009b`, "\u009b").Replace(string(quoted)))
	a := alert.Alert{
		ID: hostile, Severity: hostile, Title: hostile, EventTime: quoted, EventID: quoted, EventName: quoted, EventSource: quoted,
		AWSRegion: quoted, RecipientAccountID: quoted, SourceIPAddress: quoted, UserAgent: quoted, ErrorCode: quoted,
		Principal: alert.Principal{Type: hostile, Name: hostile, Session: hostile, ARN: hostile, AccountID: hostile},
		Policy:    alert.Policy{Level: hostile, Reason: hostile, Exception: &alert.Exception{Name: hostile}, Account: []byte(`{"name":` + string(quoted) + `,"owner":` + string(quoted) + `}`)},
		Origin:    alert.Origin{Topic: hostile},
	}
	i.source.Recent.Alert(alert.AppendJSON(nil, &a))
	i.source.Recent.DeadLetter(output.DeadLetter{Topic: hostile, Reason: hostile, Shape: hostile, Error: hostile})
	i.source.Facts = []Fact{{"Group", hostile}}
	i.source.Version = hostile
	i.status.Store(&processor.Status{Partitions: []processor.PartitionStatus{{Topic: hostile}}})
	s := i.start(t.Context(), t, "127.0.0.1:0")
	body := get(t, "GET", "http://"+s.Address()+"/").body
	if n := strings.Count(body, "<script"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	if !strings.Contains(body, "&lt;script&gt;") {
		t.Error("the text is not on the page")
	}
	if at := strings.IndexFunc(body, func(r rune) bool { return r != '\n' && display.IsHidden(r) }); at >= 0 {
		t.Errorf("%q is on the page", body[at:at+10])
	}
	for name, part := range parts(s.live.now()) {
		if at := strings.IndexFunc(string(part), func(r rune) bool { return display.IsHidden(r) || r == '<' }); at >= 0 {
			t.Errorf("%q is in %s", part[at:], name)
		}
	}
}

// What the policy knows of an account stands in the rows of its alerts.
func TestAccountFacts(t *testing.T) {
	r := NewRecent(alert.Native)
	a := alert.Alert{
		RecipientAccountID: []byte(`"111122223333"`),
		Policy:             alert.Policy{Account: []byte(`{"name":"payments","group":"prod","owner":"payments@example.com"}`)},
	}
	r.Alert(alert.AppendJSON(nil, &a))
	rows, _, _ := r.latest()
	if row := &rows[0]; row.Account != "111122223333 payments" || row.Owner != "group prod, owner payments@example.com" {
		t.Errorf("account %q, owner %q", row.Account, row.Owner)
	}
}

// A region is shown with its policy and its activity.
func TestRegions(t *testing.T) {
	i := newInstance(t)
	compiled := i.source.Policy().Policy
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var h history
	slot := func(code string) int {
		for i, r := range regions.All() {
			if r.Code == code {
				return i
			}
		}
		t.Fatalf("no region %s", code)
		return -1
	}
	var status processor.Status
	regions := &status.Counts.Regions
	regions[slot("us-east-1")].Used = 1234567
	regions[slot("eu-west-3")].Unused = 9
	regions[slot("cn-north-1")].Used = 1
	regions[detection.OtherRegion].Used = 2
	f := func(now time.Time, code, state, count string) {
		t.Helper()
		for _, area := range newRegionsView(&h, compiled, nil, now).Areas {
			for _, tile := range area.Tiles {
				if tile.Key == code {
					if tile.State != state || tile.Count != count {
						t.Errorf("%s is %s with %q, want %s with %q", code, tile.State, tile.Count, state, count)
					}
					return
				}
			}
		}
		if state != "" {
			t.Errorf("%s is not shown", code)
		}
	}
	h.add(at, status)
	f(at, "us-east-1", "used", "1.2M")
	f(at, "eu-west-3", "unused", "9")
	f(at, "eu-west-1", "quiet", "")
	f(at, "cn-north-1", "used", "1")
	f(at, "cn-northwest-1", "quiet", "")
	f(at, "us-gov-west-1", "", "")
	f(at, "others", "used", "2")
	status.Counts.Regions[slot("eu-west-3")].Alerted = 1
	h.add(at, status)
	f(at, "eu-west-3", "alerting", "1 / 10")
	f(at.Add(alertingFor), "eu-west-3", "unused", "1 / 10")
	if got, want := newRegionsView(&h, compiled, nil, at).Summary, "2 in use, 1 unused, 1 alerting"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}

// With very many partitions, the page lists only those furthest behind.
func TestManyPartitions(t *testing.T) {
	var h history
	var status processor.Status
	for i := range 5000 {
		status.Partitions = append(status.Partitions, processor.PartitionStatus{Topic: "t", Partition: int32(i), Next: 1, Lag: int64(i)})
	}
	h.add(time.Now(), status)
	v := newPartitionsView(&h)
	if len(v.Rows) != shownPartitions || v.Rows[0].Partition != "4999" || v.Rows[0].Late != "yes" || v.Note == "" {
		t.Errorf("%d rows, the first %+v, %q", len(v.Rows), v.Rows[0], v.Note)
	}
	if v := newPartitionsView(&history{}); v.Note == "" || v.Rows == nil {
		t.Errorf("without any: %+v", v)
	}
}

// Dead letters are counted by reason, most frequent first. A failed attempt to replace the policy is shown.
func TestLettersAndPolicy(t *testing.T) {
	var c detection.Counts
	c.Faults[cloudtrail.ReasonSyntax], c.Faults[cloudtrail.ReasonUnknownShape] = 1, 4
	v := newLettersView(&c, nil)
	if len(v.Reasons) != 2 || v.Reasons[0].Share != "100.0%" || v.Reasons[1] != (countRow{"syntax", "1", "25.0%"}) || v.Empty != "" {
		t.Errorf("%+v", v)
	}
	state := newInstance(t).source.Policy()
	state.Fault, state.FaultAt = "policy.yaml:3: \x1b[2J", time.Date(2026, 11, 1, 2, 3, 4, 0, time.UTC)
	p := newPolicyView(&state, state.Since.Add(90*time.Minute))
	if p.Fault != `policy.yaml:3: \x1b[2J` || p.FaultAt != "2026-11-01 02:03:04" || p.Age != "1 h 30 min" || p.Version != "v1" {
		t.Errorf("%+v", p)
	}
}

func TestFigures(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1.0k", 99_940: "99.9k", 99_999: "100k", 999_499: "999k", 999_500: "1.0M", 1 << 50: "1126T"} {
		if got := short(n); got != want {
			t.Errorf("short(%d) = %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-time.Hour: "0 s", 59 * time.Second: "59 s", 61 * time.Second: "1 min 1 s", 25 * time.Hour: "1 d 1 h"} {
		if got := ageText(d); got != want {
			t.Errorf("ageText(%v) = %s, want %s", d, got, want)
		}
	}
	for rate, want := range map[float64]string{0.01: "0", 0.26: "0.3", 9.96: "10", 12345.6: "12,346"} {
		if got := rateText(rate); got != want {
			t.Errorf("rateText(%v) = %s, want %s", rate, got, want)
		}
	}
}

// Only AWS partitions with events are unfolded, or aws alone if there are no events.
func TestPartitionsInUse(t *testing.T) {
	i := newInstance(t)
	view := func(codes ...string) (shown, folded []string, others string) {
		var status processor.Status
		for i, r := range catalogue {
			if slices.Contains(codes, r.Code) {
				status.Counts.Regions[i].Used = 1
			}
		}
		var h history
		h.add(time.Now(), status)
		v := newRegionsView(&h, i.source.Policy().Policy, nil, time.Now())
		for _, a := range v.Areas {
			shown = append(shown, a.Key)
		}
		for _, a := range v.Folded {
			folded = append(folded, a.Key)
		}
		return shown, folded, v.Others
	}
	shown, folded, others := view()
	if want := []string{"Americas", "Europe", "Middle East and Africa", "Asia Pacific"}; !slices.Equal(shown, want) || len(folded) == 0 ||
		!strings.Contains(others, "aws-us-gov") {
		t.Errorf("without events: %q, folded %q, %q", shown, folded, others)
	}
	shown, folded, others = view("us-gov-west-1")
	if !slices.Equal(shown, []string{"aws-us-gov"}) || !slices.Contains(folded, "Europe") || !strings.Contains(others, ": aws, aws-cn") {
		t.Errorf("only GovCloud: %q, folded %q, %q", shown, folded, others)
	}
}

// A region shows which levels differ from the default.
func TestRegionLevels(t *testing.T) {
	p, err := policy.Compile(policy.Options{
		Default: policy.Level{UnusedRegions: []string{"eu-west-3"}},
		Groups: []policy.Group{
			{Name: "prod", Accounts: []string{"111111111111", "111111111112"}, Level: &policy.Level{UnusedRegions: []string{"eu-west-3", "us-west-2"}}},
			{Name: "paris", Accounts: []string{"222222222222"}, Level: &policy.Level{UnusedRegions: []string{"us-west-2"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var l levels
	differ := l.of(p, time.Now())
	for code, want := range map[string]string{"eu-west-3": "used in group paris", "us-west-2": "unused in group prod, group paris", "us-east-1": ""} {
		if got := levelsText(code == "eu-west-3", differ[code]); got != want {
			// Accounts are ordered by ID, so the order of levels is fixed.
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := levelsText(true, []string{"a", "b", "c", "d", "e"}); got != "used in a, b, c and 2 more" {
		t.Errorf("many levels: %q", got)
	}
}

// No two regions have the same place.
func TestPlaces(t *testing.T) {
	places := make(map[string]string)
	for _, r := range catalogue {
		place := placeIn(r.Name)
		if other := places[place]; other != "" || place == "" || strings.ContainsAny(place, "()") {
			t.Errorf("%s and %s are both %q", other, r.Code, place)
		}
		places[place] = r.Code
	}
	if got := placeOf("ca-central-1"); got != "Canada Central" {
		t.Errorf("ca-central-1 is %q", got)
	}
	if got := placeOf("eu-west-3"); got != "Paris" {
		t.Errorf("eu-west-3 is %q", got)
	}
}

// Equal alerts are one row with a count. Rows are ordered by event time, whatever the order of arrival.
func TestGroupRows(t *testing.T) {
	r := NewRecent(alert.Native)
	add := func(name, at, region string) {
		r.Alert(alert.AppendJSON(nil, &alert.Alert{
			EventName: []byte(`"` + name + `"`), EventTime: []byte(`"` + at + `"`), AWSRegion: []byte(`"` + region + `"`),
			RecipientAccountID: []byte(`"111122223333"`), Principal: alert.Principal{Name: "alice"}, Severity: "High",
		}))
	}
	add("RunInstances", "2026-11-01T10:00:00Z", "eu-west-3")
	add("CreateKeyPair", "2026-11-01T09:00:00Z", "eu-west-3")
	add("RunInstances", "2026-11-01T10:00:05Z", "eu-west-3")
	add("RunInstances", "2026-11-01T08:00:00Z", "ap-east-1")
	add("RunInstances", "2026-11-01T09:59:00Z", "eu-west-3")
	rows, _, total := r.latest()
	v := newAlertsView(rows, total)
	var got []string
	keys := make(map[string]bool)
	for _, row := range v.Rows {
		got = append(got, row.Event+" "+row.Region+" "+row.Time+" "+row.Times+" "+row.Since)
		keys[row.Key] = true
	}
	want := []string{
		"RunInstances eu-west-3 2026-11-01 10:00:05 ×3 2026-11-01 09:59:00",
		"CreateKeyPair eu-west-3 2026-11-01 09:00:00  ",
		"RunInstances ap-east-1 2026-11-01 08:00:00  ",
	}
	if !slices.Equal(got, want) || len(keys) != 3 || v.Total != 5 {
		t.Errorf("got %q, %d keys, %d in total", got, len(keys), v.Total)
	}
	if want := []countRow{{"alice", "5", "100.0%"}}; !slices.Equal(v.Principals, want) {
		t.Errorf("principals %v", v.Principals)
	}
	add("RunInstances", "2026-11-01T11:00:00Z", "eu-west-3")
	rows, _, total = r.latest()
	if again := newAlertsView(rows, total); again.Rows[0].Key != v.Rows[0].Key || again.Rows[0].Times != "×4" {
		t.Errorf("a group that grows has become another row: %+v", again.Rows[0])
	}
}
