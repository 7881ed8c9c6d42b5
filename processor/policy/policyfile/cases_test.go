package policyfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An event written as text is what a record would hold, damage and all. Anything else is YAML.
func TestCaseWrittenAsText(t *testing.T) {
	f := func(log, want string) {
		t.Helper()
		name := filepath.Join(t.TempDir(), "cases.yaml")
		if err := os.WriteFile(name, []byte("- {Name: a, ExpectedResult: true, Log: "+log+"}"), 0o600); err != nil {
			t.Fatal(err)
		}
		cases, err := LoadCases(name)
		if err != nil || len(cases) != 1 || string(cases[0].Event) != want {
			t.Errorf("%s: %v %v, want %s", log, err, cases, want)
		}
	}
	f(`'{"x": [1], "cut'`, `{"x": [1], "cut`)
	f("TRUE", "true")
	f("{x: text}", `{"x":"text"}`)
}

// Booleans keep their meaning in each of the ways in which YAML's core schema writes them; so do numbers and null.
func TestCases(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		name := filepath.Join(t.TempDir(), "cases.yaml")
		if err := os.WriteFile(name, []byte("- {Name: a, ExpectedResult: true, Log: {x: "+text+"}}"), 0o600); err != nil {
			t.Fatal(err)
		}
		cases, err := LoadCases(name)
		if err != nil || len(cases) != 1 || string(cases[0].Event) != `{"x":`+want+`}` {
			t.Errorf("%s: %v %v, want %s", text, err, cases, want)
		}
	}
	for _, text := range []string{"true", "True", "TRUE"} {
		f(text, "true")
	}
	for _, text := range []string{"false", "False", "FALSE"} {
		f(text, "false")
	}
	for _, text := range []string{"null", "~", "Null", "NULL", ""} {
		f(text, "null")
	}
	f("12345678901234567890123", "12345678901234567890123")
	f("0x1f", `"0x1f"`)
	f("yes", `"yes"`)
	f(`"false"`, `"false"`)
	f(`"True"`, `"True"`)
	f(`"FALSE"`, `"FALSE"`)
	f("{y: 1, z: [2, 3], a: {}}", `{"y":1,"z":[2,3],"a":{}}`)
	f("[1, {y: FALSE}]", `[1,{"y":false}]`)
	f("[{y: 1}, {y: text}]", `[{"y":1},{"y":"text"}]`)
	f(strings.Repeat("[", maxDepth-1)+strings.Repeat("]", maxDepth-1), strings.Repeat("[", maxDepth-1)+strings.Repeat("]", maxDepth-1))
}

// Cases are a list, or the list under Tests, as in Panther's own rules.
func TestCaseList(t *testing.T) {
	for text, want := range map[string]string{
		"- {Log: {}, ExpectedResult: true}": "", "- {ExpectedResult: true}": "a case needs a Log", "Tests: [{Log: {}, ExpectedResult: true}]": "", "Cases: []": "the key Tests is missing",
		"Tests: {}": "want a list of cases", "a": "want a list of cases", "Tests: []": "the list has no cases",
		"- {ExpectedResult: true, Log: {x: &a 1, y: *a}}": "1:44: want a value, not an alias",
	} {
		name := filepath.Join(t.TempDir(), "cases.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cases, err := LoadCases(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || err == nil && len(cases) != 1 {
			t.Errorf("%s: %v, %v, want %q", text, cases, err, want)
		}
	}
}

// A case says what it expects in one of two ways.
func TestCaseExpects(t *testing.T) {
	for expects, want := range map[string]string{
		"ExpectedResult: false": "", "ExpectedResult: true": "", "Outcome: alerted": "", "Outcome: alerted, ExpectedResult: true": "and not both", "Name: a": "a case needs an ExpectedResult",
	} {
		name := filepath.Join(t.TempDir(), "cases.yaml")
		if err := os.WriteFile(name, []byte("- {Log: {}, "+expects+"}"), 0o600); err != nil {
			t.Fatal(err)
		}
		cases, err := LoadCases(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || err == nil && (len(cases) != 1 || cases[0].Want != strings.HasSuffix(expects, "true")) {
			t.Errorf("%s: %v, %v, want %q", expects, cases, err, want)
		}
	}
}

// An event may be nested exactly so deep.
func TestCaseDepth(t *testing.T) {
	for depth, want := range map[int]bool{maxDepth: true, maxDepth + 1: false} {
		for begin, end := range map[string]string{"[": "]", `{"x":`: "}"} {
			name := filepath.Join(t.TempDir(), "cases.yaml")
			event := strings.Repeat(begin, depth) + "1" + strings.Repeat(end, depth)
			if err := os.WriteFile(name, []byte("- {Name: a, ExpectedResult: true, Log: "+event+"}"), 0o600); err != nil {
				t.Fatal(err)
			}
			if cases, err := LoadCases(name); (err == nil) != want || want && string(cases[0].Event) != event {
				t.Errorf("%d levels of %s: %v", depth, begin, err)
			}
		}
	}
}
