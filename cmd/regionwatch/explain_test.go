package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

func TestExplainGolden(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		stdout, stderr, status := runCommand(t, "explain", "testdata/scan/mixed.ndjson", "--policy-version", "test", "--format", format)
		if status != cli.ExitDone || stderr != "" {
			t.Errorf("exit status %d: %s", status, stderr)
		}
		golden(t, "explain."+format+".golden", stdout)
		if format == "text" && strings.ContainsAny(stdout, "\x1b\u202e\x00") {
			t.Error("an escape sequence of an event reaches the terminal")
		}
	}
}

// explainedLine is the part of the JSON form that the tests read.
type explainedLine struct {
	Kind   string
	Number *int64
	Shape  []string
	Fields struct{ EventID string }
	Alert  struct{ ID string }

	Reason, Error, Before, After string
	Bytes, StoppedAt             int
}

// explained returns what explain prints about a text, in JSON.
func explained(t *testing.T, text string, args ...string) []explainedLine {
	t.Helper()
	file := filepath.Join(t.TempDir(), "events.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return explainedFile(t, file, args...)
}

func explainedFile(t *testing.T, file string, args ...string) []explainedLine {
	t.Helper()
	stdout, stderr, status := runCommand(t, append([]string{"explain", file, "--format", "json"}, args...)...)
	if status != cli.ExitDone {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	var lines []explainedLine
	for text := range strings.Lines(stdout) {
		var l explainedLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		lines = append(lines, l)
	}
	return lines
}

// Explain reports the same alerts as scan.
func TestExplainAgreesWithScan(t *testing.T) {
	folder := t.TempDir()
	if _, stderr, status := runCommand(t, "generate", "--count", "50", "--match-share", "0.1", "--damaged-share", "0.2", "--output-dir", folder); status != cli.ExitDone {
		t.Fatal(stderr)
	}
	if err := os.CopyFS(folder, os.DirFS("testdata/scan")); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) < 50 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	var ids, scanned []string
	for _, f := range files {
		for _, l := range explainedFile(t, filepath.Join(folder, f.Name()), "--limit", "100000") {
			if l.Alert.ID != "" {
				ids = append(ids, l.Alert.ID)
			}
		}
	}
	stdout, _, _ := runCommand(t, "scan", folder)
	for line := range strings.Lines(stdout) {
		var a struct{ ID string }
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		scanned = append(scanned, a.ID)
	}
	if len(ids) == 0 || !slices.Equal(ids, scanned) {
		t.Errorf("%d alerts are explained, %d are made", len(ids), len(scanned))
	}
}

const explainEventText = `{"eventVersion":"1.11","eventID":"(id)","awsRegion":"eu-west-3","readOnly":false}`

func eventWithID(id string) string { return strings.Replace(explainEventText, "(id)", id, 1) }

// Both forms name the exception that exempts an event, and one that did so until it expired.
func TestExplainExceptions(t *testing.T) {
	dir := t.TempDir()
	policy, file := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "event.json")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, eventWithID("a"))
	f := func(expires, text, program string) {
		t.Helper()
		write(policy, "exceptions:\n  - {name: lab, reason: a test, owner: x@example.com, regions: [eu-west-3]"+expires+"}\n")
		for format, want := range map[string]string{"text": "\n  exception           " + text + "\n", "json": program} {
			stdout, stderr, status := runCommand(t, "explain", file, "--policy", policy, "--format", format)
			if status != cli.ExitDone || !strings.Contains(stdout, want) {
				t.Errorf("exit status %d, %s, %q is not in\n%s", status, stderr, want, stdout)
			}
		}
	}
	const lab = `{"name":"lab","reason":"a test","owner":"x@example.com"}`
	f("", "lab, owner x@example.com: a test", `"exception":`+lab+`,"decision":{"outcome":"exempted"`)
	f(", expires: 2020-01-31", "none applies any more; expired: lab, owner x@example.com: a test",
		`"exception":null,"expiredException":`+lab+`,"decision":{"outcome":"alerted"`)
}

func TestExplainShapeChain(t *testing.T) {
	sns := `{"Type":"Notification","Message":` + strconv.Quote(`{"Records":[`+eventWithID("a")+`]}`) + `}`
	lines := explained(t, `{"Records":[{"eventSource":"aws:sqs","body":`+strconv.Quote(sns)+`}]}`)
	if len(lines) != 1 || strings.Join(lines[0].Shape, " > ") != "records > sqs > sns > records" {
		t.Errorf("%+v", lines)
	}
}

func TestExplainSelection(t *testing.T) {
	text := strings.Join([]string{eventWithID("a"), `{"s3Bucket":"b","s3ObjectKey":[]}`, "[" + eventWithID("b") + "," + eventWithID("c") + "]", "{x", eventWithID("b")}, "\n")
	f := func(want string, args ...string) {
		t.Helper()
		var got []string
		for _, l := range explained(t, text, args...) {
			word := l.Kind
			if l.Number != nil {
				word += " " + strconv.FormatInt(*l.Number, 10)
			}
			if l.Fields.EventID != "" {
				word += " " + l.Fields.EventID
			}
			got = append(got, word)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%v: %s", args, strings.Join(got, ", "))
		}
	}
	f(`event 0 a, skip, event 1 b, event 2 c, fault 3, event 4 b`)
	f(`event 0 a`, "--index", "0")
	f(`event 2 c`, "--index", "2")
	f(`fault 3`, "--index", "3")
	f(`event 1 b, event 4 b`, "--event-id", "b")
	f(`event 1 b`, "--event-id", "b", "--limit", "1")
	f(`event 0 a, skip, event 1 b`, "--limit", "3")
	f(`event 0 a, skip, event 1 b, event 2 c, fault 3, event 4 b`, "--limit", "6")
}

func TestExplainSaysThatThereIsMore(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		cmd := command(t, append([]string{"explain", "-"}, args...)...)
		cmd.Stdin = strings.NewReader(strings.Repeat(eventWithID("a")+"\n", 101))
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Run(); err != nil || stderr.String() != want {
			t.Errorf("%v: %v, %q", args, err, stderr.String())
		}
	}
	f("regionwatch: there is more than these 100; select with --index or --event-id, or raise --limit\n")
	f("regionwatch: there is more than these 3; select with --index or --event-id, or raise --limit\n", "--limit=3", "--event-id=a")
	f("", "--limit=101")
	f("", "--index=100")
}

func TestExplainMistakes(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		stdout, stderr, status := runCommand(t, append([]string{"explain"}, args...)...)
		if status != cli.ExitMistake || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit status %d, %q", args, status, stderr)
		}
	}
	const file = "testdata/scan/mixed.ndjson"
	f("0 arguments given; name one file")
	f("2 arguments given", file, file)
	f("nothing: no such file", "nothing")
	f("testdata is a folder", "testdata")
	f("--index: 5: no such event in "+file+", which holds 5", file, "--index", "5")
	f(`--index: 2, flag --event-id: "nothing": no such event in `+file+"; the event with this number", file, "--index", "2", "--event-id", "nothing")
	f(`--event-id: "x\x1b": no such event`, file, "--event-id", "x\x1b")
	f(`--index: "-1" is not allowed`, file, "--index", "-1")
	f(`--limit: "0" is not allowed`, file, "--limit", "0")
	f("no such file; for a record of a topic, flag --brokers is required", "cloudtrail:0:1")
	f(`did you mean "eu-west-3"`, file, "--unused-regions", "eu-west-33")
}

// Text from events reaches a terminal through display.Bytes, wherever it appears.
func TestExplainEscapes(t *testing.T) {
	const bad = "\\u001b]0;x\\u0007\u202e\u009b\xff"
	event := `{"eventVersion":"1","awsRegion":"` + bad + `","readOnly":"` + bad + `","eventName":"` + bad + `","eventSource":"` + bad + `","eventID":"` +
		bad + `","recipientAccountId":"` + bad + `","userIdentity":{"type":"` + bad + `","userName":"` + bad + `"}}`
	file := filepath.Join(t.TempDir(), "event.json")
	text := event + "\n" + strings.ReplaceAll(event, `"awsRegion":"`+bad, `"awsRegion":"eu-west-3`) + "\n" +
		`{"readOnly":false,"awsRegion":"eu-west-3","eventName":"` + bad + "\x1b[2J\x00\u202e\"\n\x1b[2J\xff\u202e"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, status := runCommand(t, "explain", file, "--missing-read-only", "alert")
	if status != cli.ExitDone || strings.Count(stdout, "alert id") != 2 {
		t.Errorf("exit status %d: %s", status, stdout)
	}
	if at := strings.IndexFunc(stdout, func(r rune) bool { return r != '\n' && display.IsHidden(r) }); at >= 0 {
		t.Errorf("%q reaches the terminal", stdout[max(at-20, 0):at+5])
	}
}

// Names of the JSON form are added, never changed.
func TestExplainFaultForPrograms(t *testing.T) {
	const stop = len(explainEventText) - len(`se}`)
	lines := explained(t, strings.Replace(explainEventText, "false", "fal\xffse", 1))
	if len(lines) != 1 {
		t.Fatalf("%+v", lines)
	}
	l := lines[0]
	if l.Kind != "fault" || l.Reason != "syntax" || !strings.Contains(l.Error, "found 0xff") || l.Bytes != len(explainEventText)+1 ||
		l.StoppedAt != stop || l.Before != explainEventText[stop-40:stop] || l.After != `\xffse}` {
		t.Errorf("%+v", l)
	}
}

// The total size of a text that is too large to be one value is unknown.
func TestExplainTooLarge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "zeros")
	if err := os.WriteFile(file, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := runCommand(t, "explain", file, "--max-event-bytes", "64KiB")
	if status != cli.ExitDone || !strings.Contains(stdout, "stopped at          byte 0; total size unknown") {
		t.Errorf("exit status %d, %s: %s", status, stderr, stdout)
	}
}

func TestExplainRecord(t *testing.T) {
	c := processortest.New(t, kfake.SeedTopics(1, "trail"))
	c.ProduceValues("trail", 1, eventWithID("a"), "["+eventWithID("b")+","+eventWithID("c")+"]", "")
	broker := c.ListenAddrs()[0]
	f := func(want int, text, place string) {
		t.Helper()
		stdout, stderr, status := runCommand(t, "explain", place, "--brokers", broker)
		if status != want || !strings.Contains(stdout+stderr, text) {
			t.Errorf("%s: exit status %d, %q is not in\n%s%s", place, status, text, stdout, stderr)
		}
	}
	f(cli.ExitDone, "event 0 (trail:0:0, event 0 of the record)\n  shape               event\n", "trail:0:0")
	f(cli.ExitDone, "event 1 (trail:0:1, event 1 of the record)\n  shape               array\n", "trail:0:1")
	f(cli.ExitDone, "empty: it has no content", "trail:0:2")
	f(cli.ExitMistake, "the offset is out of range: the partition holds 0 to 2", "trail:0:3")
	f(cli.ExitMistake, "the topic has partitions 0 to 0", "trail:99:3")
	f(cli.ExitMistake, "no such topic, or no permission to read it", "nothing:0:0")
	if c.GroupInfo("regionwatch") != nil || c.Committed("regionwatch", "trail", 0) != -1 {
		t.Error("an offset was committed")
	}
}

// Of an alert it is said which incident it joins, and its copy of the event is explained as the event itself is.
//
// Guards: readAlert in Visit; copyOf.
func TestExplainAlert(t *testing.T) {
	event := strings.Replace(eventWithID("a"), "{", `{"eventTime":"2026-01-02T03:04:05Z",`, 1)
	of := explained(t, event)[0].Alert
	alertOf := func(more string) string {
		return `{"id":"` + of.ID + `","ruleId":"r","severity":"High","title":"t","eventTime":"2026-01-02T03:04:05Z",
			"origin":{"topic":"trail","partition":3,"offset":42,"index":1,"shape":"array"}` + more + `}`
	}
	f := func(alert string, kinds []string, parts ...string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "alert.json")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(alert, "\n", "")), 0o600); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range explainedFile(t, file) {
			if got = append(got, l.Kind); l.Alert.ID != of.ID {
				t.Errorf("alert %q, want %q", l.Alert.ID, of.ID)
			}
		}
		stdout, _, _ := runCommand(t, "explain", file)
		for _, part := range parts {
			if !strings.Contains(stdout, part) {
				t.Errorf("no %q in\n%s", part, stdout)
			}
		}
		if !slices.Equal(got, kinds) {
			t.Errorf("kinds %q, want %q:\n%s", got, kinds, stdout)
		}
	}
	f(alertOf(`,"event":`+event), []string{"alert", "event"}, "incident window     2026-01-02 00:00 to 2026-01-03 00:00 UTC",
		"raised by           trail:3:42, event 1 of the record\n", "event 0 (trail:3:42, event 1 of the record)", "alert of regionwatch > event")
	f(alertOf(""), []string{"alert"}, "incident            unknown, of ", "give --partition\n")
	f(alertOf(""), []string{"alert"}, "explain that record to see the decision")
	f(alertOf(`,"policy":{"mode":"shadow"}`), []string{"alert"}, "incident            none: it records an event that was exempted or is in shadow mode")
}

// The incident of an alert without an account depends on the partition of the alert's record, which only that record or the
// flag tells. An id is shown only if it is the right one.
//
// Guards: the assignment of alerts in alert; the case without an account in place.
func TestExplainPartition(t *testing.T) {
	c := processortest.New(t, kfake.SeedTopics(2, "alerts"))
	event := strings.Replace(eventWithID("a"), "{", `{"eventTime":"2026-01-02T03:04:05Z",`, 1)
	alert := `{"id":"72271e5a-0d1f-5315-af5a-607e839b1ff2","ruleId":"AWS.UnusedRegion","severity":"High","title":"t","eventTime":"2026-01-02T03:04:05Z","awsRegion":"eu-west-3",` +
		`"principal":{"type":"Root"},"origin":{"topic":"trail","partition":0,"offset":1,"index":0,"shape":"event"},"event":` + event + `}`
	c.Produce(&kgo.Record{Topic: "alerts", Partition: 1, Value: []byte(alert)})
	file := filepath.Join(t.TempDir(), "alert.json")
	if err := os.WriteFile(file, []byte(alert), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(arguments ...string) (ids []string) {
		t.Helper()
		stdout, stderr, status := runCommand(t, append([]string{"explain"}, arguments...)...)
		if status != cli.ExitDone {
			t.Fatalf("%q: exit status %d: %s%s", arguments, status, stdout, stderr)
		}
		for line := range strings.Lines(stdout) {
			if id, ok := strings.CutPrefix(line, "  incident            "); ok {
				ids = append(ids, strings.FieldsFunc(id, func(r rune) bool { return r == ',' })[0])
			}
		}
		if len(ids) != 2 || len(ids[0]) != len(ids[1]) {
			t.Fatalf("%q: incidents %q in\n%s", arguments, ids, stdout)
		}
		return ids
	}
	unknown, read := f(file), f("alerts:1:0", "--brokers", c.ListenAddrs()[0])
	if !slices.Equal(unknown, []string{"unknown", "unknown"}) {
		t.Errorf("without a partition: %q", unknown)
	}
	if told := f(file, "--partition", "1"); !slices.Equal(told, read) {
		t.Errorf("with the partition %q, of the record %q", told, read)
	}
	if other := f(file, "--partition", "0"); slices.Equal(other, read) || other[0] == "unknown" {
		t.Errorf("in another partition %q, too", other)
	}
}

// The account's name and owner are shown also for events that raise no alert.
func TestExplainAccount(t *testing.T) {
	file := filepath.Join(t.TempDir(), "event.json")
	event := strings.Replace(reading, "{", `{"recipientAccountId":"111111111111",`, 1)
	if err := os.WriteFile(file, []byte(event), 0o600); err != nil {
		t.Fatal(err)
	}
	policy := writePolicy(t, `{accounts: {"111111111111": {name: payments, owner: pay@example.com, unused_regions: [ap-east-1]}}}`)
	stdout, stderr, _ := runCommand(t, "explain", file, "--policy", policy)
	if !strings.Contains(stdout, "\n  account             payments, owner pay@example.com\n") {
		t.Errorf("%s%s", stdout, stderr)
	}
}
