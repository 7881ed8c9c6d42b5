package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityTests checks that every test named in SECURITY.md exists in the folder given there, and that every promise
// has a test.
func TestSecurityTests(t *testing.T) {
	var (
		row    = regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \|$`)
		folder = regexp.MustCompile("^\\s*`([^`]+)` ")
		name   = regexp.MustCompile(`\b(?:Test|Fuzz)\w+`)
	)
	_, promises, _ := strings.Cut(documents(t)["SECURITY.md"], "\n## Promises\n")
	promises, _, _ = strings.Cut(promises, "\n## ")
	found := 0
	for _, match := range row.FindAllStringSubmatch(promises, -1) {
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
	if found < 50 {
		t.Errorf("only %d tests named", found)
	}
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
