package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPromises checks that every promise of SECURITY.md and docs/promises.md has a test, and that every test named there
// exists in the folder given for it.
func TestPromises(t *testing.T) {
	_, security, _ := strings.Cut(documents(t)["SECURITY.md"], "\n## Promises\n")
	security, _, _ = strings.Cut(security, "\n## ")
	for name, text := range map[string]string{"SECURITY.md": security, "docs/promises.md": documents(t)["docs/promises.md"]} {
		if n := checkPromises(t, text); n < 50 {
			t.Errorf("%s names only %d tests", name, n)
		}
	}
}

// checkPromises checks the rows of a text and returns how many tests they name.
func checkPromises(t *testing.T, text string) (found int) {
	t.Helper()
	var (
		row    = regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \|$`)
		folder = regexp.MustCompile("^\\s*`([^`]+)` ")
		name   = regexp.MustCompile(`\b(?:Test|Fuzz)\w+`)
	)
	for _, match := range row.FindAllStringSubmatch(text, -1) {
		if strings.HasPrefix(match[1], "---") || match[1] == "promise" {
			continue
		}
		for part := range strings.SplitSeq(match[2], ";") {
			in := folder.FindStringSubmatch(part)
			names := name.FindAllString(part, -1)
			if in == nil || len(names) == 0 {
				t.Errorf("no folder or test in %q, for the promise: %s", part, match[1])
				continue
			}
			source := tests(t, in[1])
			for _, test := range names {
				found++
				if !strings.Contains(source, "\nfunc "+test+"(") {
					t.Errorf("%s has no %s", in[1], test)
				}
			}
		}
	}
	return found
}

// tests returns the text of a folder's test files.
func tests(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
