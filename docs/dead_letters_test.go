package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// constants returns the string constants of a Go file whose names begin with prefix.
func constants(t *testing.T, file, prefix string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(parsed, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != len(spec.Names) || !strings.HasPrefix(spec.Names[0].Name, prefix) {
			return true
		}
		if value, ok := spec.Values[0].(*ast.BasicLit); ok && value.Kind == token.STRING {
			text, err := strconv.Unquote(value.Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, text)
		}
		return true
	})
	if len(found) == 0 {
		t.Fatalf("%s has no constants that begin with %s", file, prefix)
	}
	return found
}

// TestDeadLetters compares the lists of headers and reasons in dead-letters.md with the format.
func TestDeadLetters(t *testing.T) {
	const format = "processor/deadletter/format.go"
	page := documents(t)["docs/dead-letters.md"]
	actual := map[string]bool{}
	for _, name := range constants(t, format, "Header") {
		actual[name] = true
	}
	for _, name := range constants(t, format, "Reason") {
		actual[name] = true
	}
	for reason := range cloudtrail.Reason(cloudtrail.ReasonCount) {
		if reason != cloudtrail.ReasonNone {
			actual[reason.String()] = true
		}
	}
	for name := range actual {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("dead-letters.md does not name %s", name)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+`) \\|").FindAllStringSubmatch(page, -1) {
		for _, match := range code.FindAllStringSubmatch(row[1], -1) {
			if !actual[match[1]] {
				t.Errorf("dead-letters.md names %s, which the format does not have", match[1])
			}
		}
	}
}
