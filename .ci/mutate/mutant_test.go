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

import "errors"

var errOdd = errors.New("odd")

func half(n int) (int, error) {
	if n < 0 && n != -2 {
		return 0, errOdd
	}
	total := n
	total += 3
	println("x" + "y")
	return total, nil
}
`

func TestFind(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "example.go")
	if err := os.WriteFile(name, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	mutants, err := find(folder)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, m := range mutants {
		if _, err := parser.ParseFile(token.NewFileSet(), "", m.apply(), 0); err != nil {
			t.Errorf("%s: %v", m, err)
		}
		got[strings.TrimPrefix(m.key(), filepath.ToSlash(name)+": half: ")] = true
	}
	want := []string{
		"n < 0 && n != -2 => !(n < 0 && n != -2)", "< => <=", "&& => ||", "!= => ==", "0 => 1", "2 => 3", "3 => 4",
		"errOdd => nil", "total += 3 => {}", `println("x" + "y") => {}`,
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
}

// A survivor is a change that the tests do not notice; accepted changes do not count.
func TestRun(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module example\n\ngo 1.26\n",
		"a/a.go":      "package a\n\nfunc Less(a, b int) bool { return a < b }\n",
		"a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestLess(t *testing.T) {\n\tif !Less(1, 2) {\n\t\tt.Error(\"1 < 2\")\n\t}\n}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
	if err := run(1, 0, 2, "", "", false, []string{"a"}); err == nil || !strings.Contains(err.Error(), "1 of 1 changes survived") {
		t.Errorf("%v", err)
	}
	if err := run(1, 0, 2, "", "b.go", false, []string{"a"}); err != nil {
		t.Errorf("with none that is wanted: %v", err)
	}
	if err := os.WriteFile("accepted", []byte("# equal values never come\na/a.go: Less: < => <= # equal values never come\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(1, 0, 2, "accepted", "", false, []string{"a"}); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile("accepted", []byte("a/a.go: Less: < => <=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(1, 0, 2, "accepted", "", false, []string{"a"}); err == nil || !strings.Contains(err.Error(), "accepted:1: no reason") {
		t.Errorf("%v", err)
	}
}
