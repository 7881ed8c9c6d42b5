package alert

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/regionwatch/regionwatch/schema/schematest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenAlerts returns the native alerts that detection is tested with, one for each type of identity.
func goldenAlerts(t *testing.T) map[string]*Alert {
	t.Helper()
	paths, err := filepath.Glob("../../processor/detection/testdata/golden/*.json")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d golden alerts, %v", len(paths), err)
	}
	alerts := make(map[string]*Alert)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var line bytes.Buffer
		if err := json.Compact(&line, text); err != nil {
			t.Fatal(err)
		}
		var a Alert
		if err := json.Unmarshal(line.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		alerts[strings.TrimSuffix(filepath.Base(path), ".json")] = &a
	}
	return alerts
}

// TestOCSFGolden compares the whole finding for each type of identity. Write the files anew with
// go test ./schema/alert -run TestOCSFGolden -update, and read the difference.
func TestOCSFGolden(t *testing.T) {
	schema := schematest.Compile(t, "ocsf.schema.json", "native.schema.json")
	for name, a := range goldenAlerts(t) {
		encoded := AppendOCSF(nil, a)
		if err := schema.Validate(encoded); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, encoded, "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		path := filepath.Join("testdata", "ocsf", name+".json")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s:\ngot  %s\nwant %s", path, got.Bytes(), want)
		}
	}
}

// oddAlerts are alerts with values of the event that OCSF has no attribute or no type for.
func oddAlerts() map[string]*Alert {
	alerts := make(map[string]*Alert)
	f := func(name string, change func(*Alert)) {
		a := sampleAlert()
		change(a)
		alerts[name] = a
	}
	f("sample", func(*Alert) {})
	for _, value := range []string{``, `""`, `7`, `-1.50e+400`, `true`, `{"a":[1]}`, `[]`, `"\ud83d\ude00\n"`} {
		f("every value is "+value, func(a *Alert) {
			for _, field := range a.rawFields() {
				// The rule matches nothing without a region, and the account is not the event's.
				if field.name != "awsRegion" && field.name != "policy.account" {
					*field.raw = json.RawMessage(value)
				}
			}
		})
	}
	f("no principal", func(a *Alert) { a.Principal = Principal{Name: "unknown"} })
	f("no ARNs", func(a *Alert) { a.ARNs = nil })
	f("an AWS service", func(a *Alert) { a.SourceIPAddress = json.RawMessage(`"autoscaling.amazonaws.com"`) })
	f("IPv6", func(a *Alert) { a.SourceIPAddress = json.RawMessage(`"2001:db8::\u0031"`) })
	f("a zone", func(a *Alert) { a.SourceIPAddress = json.RawMessage(`"fe80::1%eth0"`) })
	f("a file", func(a *Alert) { a.Origin = Origin{File: "events.json.gz", Offset: 7, Shape: "gzip > records"} })
	f("an account", func(a *Alert) {
		a.Policy.Hash, a.Policy.Mode = "sha256:0123456789ab", ModeShadow
		a.Policy.Exception = &Exception{Name: "x", Owner: "o"}
		a.Policy.Account = json.RawMessage(`{"name":"payments","tags":{"a":"b"}}`)
	})
	f("no event copy", func(a *Alert) { a.Event = nil })
	f("omitted", func(a *Alert) { a.Event, a.EventOmitted, a.Truncated = nil, OmittedSize, []string{"userAgent"} })
	f("partial", func(a *Alert) {
		a.Partial, a.PartialReason, a.Event, a.EventOmitted = true, "salvaged", nil, OmittedDamage
	})
	f("an odd identity", func(a *Alert) {
		a.UserIdentity = json.RawMessage(`{"type":7,"principalId":{},"PRINCIPALID":"x","accessKeyId":"","sessionContext":[{}],"onBehalfOf":"","invokedBy":12}`)
	})
	f("an odd session", func(a *Alert) {
		a.UserIdentity = json.RawMessage(`{"sessionContext":{"sessionIssuer":"x","attributes":{"creationDate":1,"mfaAuthenticated":"maybe"}}}`)
	})
	f("invoked by", func(a *Alert) {
		a.UserIdentity = json.RawMessage(`{"invokedBy":"cloudformation.amazonaws.com","sessionContext":{"attributes":{"mfaAuthenticated":"true"}}}`)
	})
	return alerts
}

// Whatever an alert holds, both formats hold it: the native alert made of the finding is the native alert.
func TestOCSFCarriesTheSameFacts(t *testing.T) {
	schema := schematest.Compile(t, "ocsf.schema.json", "native.schema.json")
	all := goldenAlerts(t)
	maps.Copy(all, oddAlerts())
	for name, a := range all {
		encoded := AppendOCSF(nil, a)
		if err := schema.Validate(encoded); err != nil {
			t.Errorf("%s: %v in %s", name, err, encoded)
		}
		back, err := decodeOCSF(encoded)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, want := AppendJSON(nil, back), AppendJSON(nil, a); !bytes.Equal(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
		if again := AppendOCSF(nil, back); !bytes.Equal(again, encoded) {
			t.Errorf("%s: the finding of the finding is\n%s\nwant\n%s", name, again, encoded)
		}
	}
}

// The times are the event's, else the record's, else 0: never the clock's.
func TestOCSFTime(t *testing.T) {
	f := func(eventTime, timestamp string, want int64, known bool) {
		t.Helper()
		a := sampleAlert()
		a.EventTime, a.Origin.Timestamp = json.RawMessage(eventTime), timestamp
		got := newFinding(a)
		if got.Time != want || (got.StartTime != nil) != known || (got.EndTime != nil) != known {
			t.Errorf("%s, %s: time %d, start_time %v, end_time %v", eventTime, timestamp, got.Time, got.StartTime, got.EndTime)
		}
		if known && (*got.StartTime != want || *got.EndTime != want) {
			t.Errorf("%s: start_time %d, end_time %d, want %d", eventTime, *got.StartTime, *got.EndTime, want)
		}
	}
	const stamp, stampMS = "2021-10-19T04:55:00.123Z", 1634619300123
	f(`"2021-10-19T04:50:27Z"`, stamp, 1634619027000, true)
	f(`"2021-10-19T06:50:27.5+02:00"`, stamp, 1634619027500, true)
	f(`"2021-10-19T04:50:27\u005a"`, stamp, 1634619027000, true)
	f(`"1969-12-31T23:59:59Z"`, stamp, -1000, true)
	f(`"yesterday"`, stamp, stampMS, false)
	f(`1634619027`, stamp, stampMS, false)
	f(`null`, stamp, stampMS, false)
	f(``, stamp, stampMS, false)
	f(``, "", 0, false)
	f(`"yesterday"`, "", 0, false)
}

// Texts come from events too: whatever stands in them, the line stays one line of valid JSON.
func TestOCSFOfHostileTexts(t *testing.T) {
	for _, text := range []string{"\xff\xfe", "\x00\x01\x1b[31m", "a\nb\r\u2028", `","uid":"x`, "\xed\xa0\x80", "\\"} {
		a := sampleAlert()
		for _, f := range a.textFields() {
			*f.text = text
		}
		a.ARNs = []string{text}
		got := AppendOCSF([]byte("before"), a)[len("before"):]
		if !utf8.Valid(got) || !json.Valid(got) || bytes.ContainsAny(got, "\n\r\u2028") {
			t.Errorf("%q: %s", text, got)
		}
		b, err := decodeOCSF(got)
		if want := string([]rune(text)); err != nil || b.Title != want || b.Principal.Name != want || b.ARNs[0] != want {
			t.Errorf("%q came back as %q: %v", text, b.Title, err)
		}
	}
}

func TestOCSFSchemaFailure(t *testing.T) {
	schema := schematest.Compile(t, "ocsf.schema.json", "native.schema.json")
	f := func(change func(*finding)) {
		t.Helper()
		finding := newFinding(sampleAlert())
		change(finding)
		encoded, err := json.Marshal(finding)
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(encoded) == nil {
			t.Error("the schema accepts it")
		}
	}
	f(func(f *finding) { f.TypeUID = 200402 })
	f(func(f *finding) { f.SeverityID = 5 })
	f(func(f *finding) { f.FindingInfo.UID = "1111" })
	f(func(f *finding) { f.Cloud.Region = nil })
	f(func(f *finding) { f.Cloud.Region = json.RawMessage(`7`) })
	f(func(f *finding) { f.Evidences[0].Actor.User.Name = "" })
	f(func(f *finding) { f.Evidences[0].Actor.User.TypeID = 3 })
	f(func(f *finding) { f.Evidences[0].SrcEndpoint = &endpoint{} })
	f(func(f *finding) { f.Evidences[0].SrcEndpoint.IP = json.RawMessage(`"192.0.2.256"`) })
	f(func(f *finding) { f.Evidences[0].Actor.Session = &session{} })
	f(func(f *finding) { f.Resources[0].Role = "Target" })
	f(func(f *finding) { f.Observables[0].TypeID = 99 })
	f(func(f *finding) { f.Unmapped.EventOmitted = OmittedSize })
	f(func(f *finding) { f.Unmapped.Origin.Topic = "" })
	f(func(f *finding) { f.EndTime = nil })
	f(func(f *finding) { f.RawData = "[]" })
}

func TestDecodeOCSFFailure(t *testing.T) {
	for _, encoded := range []string{``, `{`, `[]`, `{}`, `{"class_uid":2004}`, string(AppendJSON(nil, sampleAlert()))} {
		if a, err := decodeOCSF([]byte(encoded)); err == nil || !strings.Contains(err.Error(), "decoding OCSF finding") {
			t.Errorf("decodeOCSF(%.40q) = %v, %v", encoded, a, err)
		}
	}
	late := strings.Replace(string(AppendOCSF(nil, sampleAlert())), `"version":"`, `"version":7,"x":"`, 1) // all else is decoded
	if a, err := decodeOCSF([]byte(late)); err == nil {
		t.Errorf("a number as version: %v", a)
	}
	for i, spoil := range []func(f *finding){
		func(f *finding) { f.ClassUID++ }, func(f *finding) { f.Evidences = nil }, func(f *finding) { f.Remediation.References = f.Remediation.References[:1] },
	} {
		var f finding
		if err := json.Unmarshal(AppendOCSF(nil, sampleAlert()), &f); err != nil {
			t.Fatal(err)
		}
		spoil(&f)
		encoded, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := decodeOCSF(encoded); err == nil {
			t.Errorf("spoiled in way %d: %v", i, a)
		}
	}
}

// A number becomes a text, and the number itself stays as well; what has no text is not one.
func TestPlace(t *testing.T) {
	for raw, want := range map[string][2]string{
		``: {}, `""`: {"", `""`}, `"a"`: {`"a"`, ""}, `-1`: {`"-1"`, `-1`}, `0`: {`"0"`, `0`}, `9`: {`"9"`, `9`}, `true`: {"", `true`}, `{}`: {"", `{}`},
	} {
		if text, rest := place(json.RawMessage(raw)); string(text) != want[0] || string(rest) != want[1] {
			t.Errorf("%s: text %s, rest %s", raw, text, rest)
		}
	}
}
