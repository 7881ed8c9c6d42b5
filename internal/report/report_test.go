package report

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// event is a write in a region by a role.
func event(n int, region, account, role, name string) string {
	text := func(s string) string {
		b, _ := json.Marshal(s)
		return string(b)
	}
	return fmt.Sprintf(`{"eventVersion":"1.08","eventTime":%q,"eventID":"id-%d","eventSource":"ec2.amazonaws.com","eventName":%s,"awsRegion":%s,"readOnly":false,"recipientAccountId":%q,`+
		`"sourceIPAddress":%s,"userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":%s}}}}`,
		time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n)*time.Hour).Format(time.RFC3339), n, text(name), text(region), account, text(name), text("arn:aws:iam::"+account+":role/"+role)) + "\n"
}

// made scans texts, each in a file, and returns the page.
func made(t *testing.T, p *policy.Policy, texts ...string) (page string, s *Source) {
	t.Helper()
	folder := t.TempDir()
	for i, text := range texts {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%03d.ndjson", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := scan.List([]string{folder}, nil)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "report.html")
	f, sources, err := Create(name, sources)
	if err != nil {
		t.Fatal(err)
	}
	appendTo := f.Tap(func(dst []byte, _ *alert.Alert) []byte { return append(dst, '\n') })
	summary, err := scan.Run(t.Context(), scan.Options{Policy: p, DecidedAt: time.Unix(1, 0), Alerts: io.Discard, Append: appendTo, NoEventCopy: true}, sources)
	if err != nil {
		t.Fatal(err)
	}
	s = &Source{Command: "regionwatch scan", Program: "regionwatch test", Policy: p, From: "file policy.yaml", Summary: summary}
	if err := f.Close(s); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(written), s
}

func compiled(t *testing.T) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(policy.Options{Version: "<b>7</b>", Default: policy.Level{AllowedRegions: []string{"us-east-1"}}, Exceptions: []policy.Exception{
		{Name: "recorder", Reason: "<i>records everywhere</i>", Owner: "cloud", EventNames: []string{"PutConfigRule"}},
		{Name: "idle", Reason: "applies to nothing", EventNames: []string{"Nothing"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReport(t *testing.T) {
	text := event(1, "eu-west-3", "111111111111", "alice", "RunInstances") + event(2, "eu-west-3", "111111111111", "alice", "RunInstances") +
		event(30, "ap-east-1", "222222222222", "bob", "CreateKey") + event(4, "us-east-1", "111111111111", "alice", "RunInstances") +
		event(5, "eu-west-3", "111111111111", "alice", "PutConfigRule") + "{\"awsRegion\n"
	page, s := made(t, compiled(t), text)
	sum := sha256.Sum256([]byte(text))
	for _, want := range []string{
		"<p><bdi>5 events in 1 file were decided by policy &lt;b&gt;7&lt;/b&gt;. 3 alerted.</bdi></p>",
		"The alerts are by 2 principals in 2 regions of 2 accounts.",
		"<h3><bdi>arn:aws:iam::111111111111:role/alice</bdi></h3>", "<dd><bdi>eu-west-3 2</bdi></dd>",
		`<th scope="row"><bdi>222222222222</bdi></th><td class="h5">1</td><td class="h0"></td><td>1</td>`,
		"From 2026-11-01 01:00 to 2026-11-02 07:00 UTC, 1 hour a bar, at most 1 alert in one.",
		`<td><bdi>recorder</bdi></td><td class="text"><bdi>&lt;i&gt;records everywhere&lt;/i&gt;</bdi></td><td><bdi>cloud</bdi></td><td class="n">1</td>`,
		"By reason: truncated 1.", hex.EncodeToString(sum[:]), s.Policy.Hash(), "<code>regionwatch scan</code>", "file policy.yaml",
		`<tr class="sum"><td>events decided</td><td class="n">5</td></tr>`, `<tr class="sum"><td>records</td><td class="n">6</td></tr>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, "applies to nothing") {
		t.Error("an exception that did not apply is on the page")
	}
	wantSums(t, page)
}

var sumRow = regexp.MustCompile(`<tr( class="sum")?><td>[^<]*</td><td class="n">([0-9,]+)</td></tr>`)

// wantSums wants every column of counts to add up.
func wantSums(t *testing.T, page string) {
	t.Helper()
	total, sums := 0, 0
	for _, row := range sumRow.FindAllStringSubmatch(page, -1) {
		n := 0
		_, _ = fmt.Sscan(strings.ReplaceAll(row[2], ",", ""), &n)
		if row[1] == "" {
			total += n
			continue
		}
		if total != n {
			t.Errorf("the parts add up to %d, the sum says %d", total, n)
		}
		total, sums = 0, sums+1
	}
	if sums != 3 {
		t.Errorf("%d sums, want those of events, records and files", sums)
	}
}

// Text from events is text on the page: no element, no attribute, no other host, no character that hides.
func TestReportNeutralizesText(t *testing.T) {
	const hostile = "</title></style><script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>\" onload='x' \u202e\u2066\x00\u200b{{.}}<!--"
	clean, _ := made(t, compiled(t), event(1, "eu-west-3", "111111111111", "alice", "RunInstances")+"{\"awsRegion\n")
	page, _ := made(t, compiled(t), event(1, hostile, "111111111111", hostile, hostile)+"{\"awsRegion\n")
	tags := regexp.MustCompile(`<[^>]*>`)
	if got, want := tags.FindAllString(page, -1), tags.FindAllString(clean, -1); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("hostile text changes the page's elements:\n%s\nwant\n%s", got, want)
	}
	if strings.ContainsAny(page, "\u202e\u2066\x00\u200b") {
		t.Error("a hidden character is on the page")
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the hostile text is not shown")
	}
}

// Nothing on the page can load anything. Its style and its script are those that its policy names, and no others can be.
func TestReportIsSelfContained(t *testing.T) {
	page, _ := made(t, compiled(t), event(1, "eu-west-3", "111111111111", "alice", "RunInstances"))
	for _, word := range []string{"<link", "<img", "<iframe", "src=", "href=", "style=", "url(", "@import", "http://", "https://", "javascript:"} {
		if strings.Contains(page, word) {
			t.Errorf("the page has %q", word)
		}
	}
	for _, name := range []string{"style", "script"} {
		if n := strings.Count(page, "<"+name); n != 1 {
			t.Errorf("there are %d elements %s, want one", n, name)
		}
		_, rest, _ := strings.Cut(page, "<"+name+">")
		written, _, _ := strings.Cut(rest, "</"+name+">")
		sum := sha256.Sum256([]byte(written))
		if want := strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;"); !strings.Contains(page, name+"-src &#39;sha256-"+want+"&#39;;") {
			t.Errorf("the policy does not allow the %s, whose hash is %s", name, want)
		}
	}
	if !strings.Contains(page, `content="default-src &#39;none&#39;;`) {
		t.Error("the policy does not deny the rest")
	}
}

// Whatever the input, the page is bounded and says of how many it shows the first.
func TestReportIsBounded(t *testing.T) {
	var texts []string
	long := strings.Repeat("x", 200)
	for i := range 300 {
		var b strings.Builder
		for j := range 40 {
			n := i*40 + j
			b.WriteString(event(n*7, fmt.Sprintf("mars-%d-%s", n%500, long), fmt.Sprintf("%012d", n), fmt.Sprintf("r%d-%s", n, long), long))
		}
		texts = append(texts, b.String())
	}
	page, s := made(t, compiled(t), texts...)
	if alerts := s.Summary.Counts.Outcomes[policy.OutcomeAlerted]; alerts != 12_000 {
		t.Fatalf("%d alerts", alerts)
	}
	if len(page) > 1<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	for _, want := range []string{
		"The 40 of 12,000 accounts and 40 of 500 regions with the most alerts.", "The first 100 of more than 10,000, by severity and number of alerts. 11,900 alerts of others are not shown.",
		"The first 200; 100 more.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(page, "<rect "); n == 0 || n > maxBars {
		t.Errorf("%d bars", n)
	}
	wantSums(t, page)
}

// The page does not depend on which worker is first.
func TestReportIsDeterministic(t *testing.T) {
	var texts []string
	for i := range 20 {
		texts = append(texts, event(i, "eu-west-3", "111111111111", "alice", "RunInstances")+event(100-i, "ap-east-1", "111111111111", "alice", "RunInstances"))
	}
	name := regexp.MustCompile(`<bdi>/[^<]*</bdi>`) // of temporary files
	first, _ := made(t, compiled(t), texts...)
	second, _ := made(t, compiled(t), texts...)
	sum := regexp.MustCompile(`in this order: <code>[0-9a-f]+`)
	clean := func(page string) string { return sum.ReplaceAllString(name.ReplaceAllString(page, ""), "") }
	if clean(first) != clean(second) {
		t.Error("two reports of one input differ")
	}
	if n := strings.Count(first, "<bdi>2026-11-01T0"); n != maxExamples {
		t.Errorf("%d examples are of the first hours, want %d", n, maxExamples)
	}
}

func TestCreate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "report.html")
	f, _, err := Create(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Create(name, nil); !os.IsExist(err) {
		t.Errorf("creating it again: %v", err)
	}
	if err := f.Close(&Source{Summary: &scan.Summary{Stopped: &scan.Place{}}}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("the report of a stopped scan is left: %v", err)
	}
	none, sources, err := Create("", []scan.Source{{Name: "a"}})
	if err != nil || len(sources) != 1 || none.Tap(nil) != nil || none.Close(&Source{}) != nil {
		t.Error("without a name there is something")
	}
}

func TestTimelineSpansYears(t *testing.T) {
	c := NewCollector()
	for _, year := range []int{1970, 2026, 9999} {
		c.addTime(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC))
	}
	c.addTime(time.Time{})
	line := c.timeline()
	if len(line.Bars) != 2 || line.Timed != 3 || line.Untimed != 1 || line.Width > maxBars*barWidth || line.Each != "32,610 days" {
		t.Errorf("%+v", line)
	}
}

// A million alerts, of more principals, accounts and hours than are counted apart, take bounded memory and make a bounded
// page that says so, and every alert is in one of its numbers.
func TestMillionAlerts(t *testing.T) {
	const alerts = 450_000
	c, before, after := NewCollector(), runtime.MemStats{}, runtime.MemStats{}
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	text := func(text string) []byte { return []byte(`"` + text + `"`) }
	for n := range alerts {
		c.Add(&alert.Alert{
			ID: strconv.Itoa(n), Severity: "High", EventTime: text(start.Add(time.Duration(n) * time.Hour).Format(time.RFC3339)), EventName: text("Run"), EventSource: text("ec2"),
			AWSRegion: text("mars-" + strconv.Itoa(n%60)), RecipientAccountID: text(strconv.Itoa(n % 430_000)), Principal: alert.Principal{Name: strconv.Itoa(n % 430_000)},
		})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 200<<20 {
		t.Errorf("it holds %d MiB", grown>>20)
	}
	var page strings.Builder
	if err := c.Write(&page, &Source{Policy: compiled(t), Files: &Files{}, Summary: &scan.Summary{}}); err != nil {
		t.Fatal(err)
	}
	if page.Len() > 1<<20 {
		t.Errorf("the page has %d bytes", page.Len())
	}
	heat, bars, groups := c.heatMap(func(string) string { return "" }), c.timeline(), uint64(0)
	for _, p := range c.principals {
		groups += p.alerts
	}
	if heat.Shown+heat.Hidden != alerts || bars.Timed+bars.Untimed != alerts || groups+c.others.principals != alerts {
		t.Errorf("%d and %d, %d and %d, %d and %d alerts", heat.Shown, heat.Hidden, bars.Timed, bars.Untimed, groups, c.others.principals)
	}
	for _, want := range []string{
		"The alerts are by more than 10,000 principals in more than 60 regions of more than 400,000 accounts.", "The 40 of more than 400,000 accounts and 40 of more than 60 regions with the most alerts.",
		"The first 100 of more than 10,000, by severity and number of alerts. 449,800 alerts of others are not shown.", "250,000 alerts without a time that could be charted.",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
