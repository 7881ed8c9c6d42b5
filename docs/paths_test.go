package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	code      = regexp.MustCompile("`([^`\\s]+)`")
	extension = regexp.MustCompile(`\.(go|md|yaml|json|sh|css|js|html)$`)
)

// isPath reports whether a word in a document names a file or folder of the repository: it has a slash or a file
// extension.
func isPath(word string) bool {
	switch {
	case strings.ContainsAny(word, "=…{}()$:") || strings.HasPrefix(word, "/") || strings.HasPrefix(word, "--"):
		return false
	case word == "apache/kafka": // an image
		return false
	}
	return strings.Contains(word, "/") || extension.MatchString(word)
}

// TestPaths checks that every file and package named in DESIGN.md and CONTRIBUTING.md exists.
func TestPaths(t *testing.T) {
	pages := documents(t)
	found := 0
	for _, page := range []string{"DESIGN.md", "CONTRIBUTING.md"} {
		for _, match := range code.FindAllStringSubmatch(pages[page], -1) {
			word := strings.TrimSuffix(match[1], "/...")
			if !isPath(word) || strings.Contains(word, "WHAT-IS-WRONG") {
				continue
			}
			found++
			if _, err := os.Stat(filepath.Join(root, strings.TrimPrefix(word, "./"))); err != nil {
				t.Errorf("%s names %s: %v", page, word, err)
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d paths found", found)
	}
}

// packages returns the number of non-test lines of each package of the program.
func packages(t *testing.T) map[string]int {
	t.Helper()
	lines := map[string]int{}
	for _, top := range []string{"cmd", "config", "internal", "processor", "schema"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			name, _ := filepath.Rel(root, filepath.Dir(path))
			lines[filepath.ToSlash(name)] += strings.Count(string(text), "\n")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return lines
}

// TestPackages checks that DESIGN.md names every package, and says why each large one is a single package.
func TestPackages(t *testing.T) {
	design := documents(t)["DESIGN.md"]
	_, large, _ := strings.Cut(design, "\n### Large packages\n")
	large, _, _ = strings.Cut(large, "\n## ")
	for name, lines := range packages(t) {
		row := "| `" + name + "` |"
		switch {
		case strings.HasSuffix(name, "test"): // shared by tests
		case !strings.Contains(design, "`"+name+"`"):
			t.Errorf("DESIGN.md does not name %s", name)
		case lines > 1500 && !strings.Contains(large, row):
			t.Errorf("%s has %d lines, and DESIGN.md does not say why", name, lines)
		case lines <= 1500 && strings.Contains(large, row):
			t.Errorf("DESIGN.md calls %s large: it has %d lines", name, lines)
		}
	}
}
