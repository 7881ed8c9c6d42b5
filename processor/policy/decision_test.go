package policy

import (
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

func TestDecideReadOnly(t *testing.T) {
	strict, lenient := defaultPolicy(t), mustPolicy(t, Options{Default: Level{AlertOnMissingReadOnly: true}})
	f := func(readOnly string, kind ReadOnly, want, wantLenient Outcome) {
		t.Helper()
		e := &cloudtrail.Event{AWSRegion: jsonscan.Value(`"eu-central-1"`), ReadOnly: jsonscan.Value(readOnly)}
		reason := map[ReadOnly]string{
			ReadOnlyFalse: "eu-central-1 is in unused_regions", ReadOnlyTrue: "readOnly is true", ReadOnlyMissing: "readOnly is missing",
			ReadOnlyOdd: "readOnly is neither a boolean nor the text true or false",
		}[kind]
		if d := strict.Decide(e, testNow); d.ReadOnly != kind || d.Outcome != want || d.Reason != reason {
			t.Errorf("%s: %+v, want %s, %s: %s", readOnly, d, kind, want, reason)
		}
		if d := lenient.Decide(e, testNow); d.ReadOnly != kind || d.Outcome != wantLenient {
			t.Errorf("%s, alerting where it is missing: %+v, want %s, %s", readOnly, d, kind, wantLenient)
		}
	}
	for _, s := range []string{`false`, `"false"`, `"False"`, `"FALSE"`, `"fAlSe"`, `"\u0066alse"`, `"\u0046\u0041\u004c\u0053\u0045"`} {
		f(s, ReadOnlyFalse, OutcomeAlerted, OutcomeAlerted)
	}
	for _, s := range []string{`true`, `"true"`, `"True"`, `"TRUE"`, `"tru\u0065"`} {
		f(s, ReadOnlyTrue, OutcomeReadOnly, OutcomeReadOnly)
	}
	for _, s := range []string{``, `null`} {
		f(s, ReadOnlyMissing, OutcomeUnknownReadOnly, OutcomeAlerted)
	}
	for _, s := range []string{`0`, `1`, `""`, `"no"`, `" false"`, `"false "`, `"falſe"`, "\"\uff46alse\"", `[false]`, `{}`, `"null"`,
		`"` + strings.Repeat("false", 100_000) + `"`, "\"fals\xff\"", `"fals\ud800"`} {
		f(s, ReadOnlyOdd, OutcomeUnknownReadOnly, OutcomeAlerted)
	}
}

func TestDecideRegion(t *testing.T) {
	p := defaultPolicy(t)
	f := func(region string, want Outcome) {
		t.Helper()
		e := &cloudtrail.Event{AWSRegion: jsonscan.Value(region), ReadOnly: jsonscan.Value("false")}
		d := p.Decide(e, testNow)
		if d.Outcome != want {
			t.Errorf("%.60s: %+v, want %s", region, d, want)
		}
		if wantRegion := map[bool]string{true: "eu-central-1"}[want == OutcomeAlerted]; d.Region != wantRegion {
			t.Errorf("%.60s: region %q, want %q", region, d.Region, wantRegion)
		}
	}
	f(`"eu-central-1"`, OutcomeAlerted)
	f(`"eu\u002dcentral-1"`, OutcomeAlerted)
	f(`"\u0065\u0075\u002d\u0063\u0065\u006e\u0074\u0072\u0061\u006c\u002d\u0031"`, OutcomeAlerted)
	for _, s := range []string{`"EU-CENTRAL-1"`, `"eu-central-1 "`, `"eu-central-1\u0000"`, `"eu-central-10"`, `"eu-central"`,
		"\"eu-central-1\xff\"", `"eu\u2010central-1"`, `"` + strings.Repeat(`\u0065`, 100_000) + `"`, `"x"`} {
		f(s, OutcomeUsedRegion)
	}
	for _, s := range []string{``, `null`, `""`, `1`, `["eu-central-1"]`, `{"eu-central-1":1}`, `true`} {
		f(s, OutcomeNoRegion)
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	p := defaultPolicy(t)
	for _, region := range []string{`"us-east-1"`, `"us\u002deast-1"`, `"eu-central-1"`, `"eu\u002dcentral-1"`, `null`} {
		for _, readOnly := range []string{`true`, `"tru\u0065"`, `null`, `"odd"`, `false`} {
			e := &cloudtrail.Event{AWSRegion: jsonscan.Value(region), ReadOnly: jsonscan.Value(readOnly)}
			if n := testing.AllocsPerRun(100, func() { p.Decide(e, testNow) }); n > 0 {
				t.Errorf("awsRegion %s, readOnly %s: %v allocations, want none", region, readOnly, n)
			}
		}
	}
}
