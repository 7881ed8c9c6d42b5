package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const example = `package example

import (
	"errors"
	"time"
)

const most = 8

var (
	errOdd = errors.New("odd")
	table  = []func(n int) int{func(n int) int { return n + 9 }}
)

func half(n time.Duration) (time.Duration, error) {
	if n < 0 && n != -2 {
		return 0, errOdd
	}
	total := n
	total += 3
	var list [4]time.Duration
	for i := len(list) - 1; i >= 0; i-- {
		list[i]++
	}
	total += 60 * time.Second
	println("x" + "y")
	ends := make(chan int, 5)
	select {
	case ends <- 6:
	default:
		go println("full")
		ends <- 7
	}
	if total > 10 {
		println()
	} else if total < 11 {
		return 0, nil
	}
	return total, nil
}
`

// module makes a module of files the current folder.
func module(t *testing.T, files map[string]string) {
	t.Helper()
	folder := t.TempDir()
	files["go.mod"] = "module example\n\ngo 1.26\n"
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
}

func TestFind(t *testing.T) {
	module(t, map[string]string{"a/a.go": example})
	p, mutants, err := find("a")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, m := range mutants {
		got[strings.TrimPrefix(m.exactKey(), "a/a.go: half: ")] = true
	}
	want := []string{
		"n < 0 && n != -2 => !(n < 0 && n != -2)", "n < 0 && n != -2 => false", "< => <= [1]", "&& => ||", "!= => ==", "0 => 1 [1]", "0 => 1 [2]", "2 => 3", "3 => 4",
		"errOdd => nil", "total += 3 => {}", `println("x" + "y") => {}`, "4 => 5", "- => +", "1 => 2",
		">= => >", "0 => 1 [3]", "i-- => {}", "list[i]++ => {}", "60 => 61", "total += 60 * time.Second => {}",
		"5 => 6", "6 => 7", `go println("full") => {}`, "ends <- 7 => {}", "7 => 8",
		"total > 10 => !(total > 10)", "> => >=", "10 => 11", "println() => {}", "total < 11 => !(total < 11)", "total < 11 => false",
		"< => <= [2]", "11 => 12", "0 => 1 [4]", "a/a.go: table: + => -", "a/a.go: table: 9 => 10",
	}
	for _, w := range want {
		if !got[w] {
			t.Errorf("no change %s", w)
		}
		delete(got, w)
	}
	for g := range got {
		t.Errorf("unexpected change %s", g)
	}
	if _, err := p.build(mutants, t.TempDir()); err != nil {
		t.Error(err)
	}
	for _, m := range mutants {
		if _, err := parser.ParseFile(token.NewFileSet(), "", m.apply(), 0); err != nil && m.alone {
			t.Errorf("%s: %v", m, err)
		}
		if want := m.key() == "a/a.go: half: 4 => 5"; m.alone != want {
			t.Errorf("%s: needs a build of its own: %t, not %t", m, m.alone, want)
		}
	}
}

// A survivor is a change that the tests do not notice; accepted changes do not count.
func TestRun(t *testing.T) {
	const test = "package a\n\nimport \"testing\"\n\nfunc TestLess(t *testing.T) {\n\tif !Less(1, 2) || Equal(1, 2) {\n\t\tt.Error(\"1 < 2\")\n\t}\n}\n"
	module(t, map[string]string{
		"a/a.go":      "package a\n\nfunc Less(a, b int) bool { return a < b }\n\nfunc Equal(a, b int) bool { return a == b || a == b }\n\nfunc Never() int { return 1 }\n",
		"a/a_test.go": test,
		"broken":      "a/a.go: Less: < => <=\n",
		"gone":        "a/a.go: Less: > => >= # no reason at all\n",
		"several":     "a/a.go: Equal: == => != # which of them?\n",
		"nowhere":     "b/a.go: Less: < => <= # equal values never come\n",
		"twice":       "a/a.go: Less: < => <= # equal values never come\na/a.go: Less: < => <= # for two reasons\n",
		"most":        "# one place only\na/a.go: Less: < => <= # equal values never come\na/a.go: Equal: == => != [2] # once is enough\n",
		"all":         "a/a.go: Less: < => <= # equal values never come\na/a.go: Equal: || => && # the same twice\na/a.go: Never: 1 => 2 # never called\n",
	})
	for _, c := range []struct{ accepted, only, want string }{
		{"", "", "3 of 5 changes survived"},
		{"", "b.go", `a: no change has "b.go" in its line`},
		{"", "Less: <", "1 of 1 changes survived"},
		{"most", "", "2 of 5 changes survived"},
		{"all", "", ""},
		{"broken", "", "broken:1: want folder/file.go: function: before => after # reason"},
		{"nowhere", "", "nowhere:1: there is no file b/a.go"},
		{"twice", "", "twice:2: the same as line 1"},
		{"gone", "", "gone:1: the code has no such change: a/a.go: Less: > => >="},
		{"several", "", "several:1: the function has 2 such places: end it with one of [1] to [2]"},
	} {
		err := run(options{seed: 1, workers: 2, accepted: c.accepted, only: c.only}, []string{"./a"})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("accepted %q, only %q: %v", c.accepted, c.only, err)
		}
	}
	if err := os.WriteFile("a/a_test.go", []byte(strings.Replace(test, "!Less", "Less", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(options{workers: 2}, []string{"a"}); err == nil || !strings.Contains(err.Error(), "TestLess of a fails without a change") {
		t.Errorf("%v", err)
	}
}
