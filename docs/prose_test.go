package docs_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// riddle matches phrases that read like a translation. "Told apart" is English.
var riddle = regexp.MustCompile(`(?i)\b(is|are) no (longer )?[a-z]+ (of|that|to)\b|\b(is|are|was|were|be) told\b( [^a]|[^ ]|$)|` +
	`\bnobody (knows|looks|else|reads|watches|wants|writes|can)\b|\bwhoever\b|\bwhat (becomes|became|came|comes|is known) of\b|` +
	`\bof (its|our|their) own accord\b|\b(memory|parts|letters|clients?|ids?|level|group|topics?|port|volume|user) of (its|our|their) own\b|` +
	`\bstands? twice\b|\bis none of\b|\bno (YAML|CSV|JSON):|\bwants? a text\b|\bthere is no such (topic|dead letter|record|file|region)\b|` +
	`\bcomes? about\b|, be it\b|\bthereby\b|\bthat is to say\b|\blets? go of\b|\bholds whole\b|\bone a line\b`)

// TestProse checks that documents, comments and texts are in plain English.
func TestProse(t *testing.T) {
	texts := documents(t)
	for _, top := range []string{".ci", "cmd", "config", "deploy", "docs", "integration", "internal", "processor", "schema"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, entry os.DirEntry, err error) error {
			name, _ := filepath.Rel(root, file)
			if err != nil || entry.IsDir() || !isProse(filepath.ToSlash(name)) {
				return err
			}
			text, err := os.ReadFile(file)
			texts[name] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range texts {
		for i, line := range strings.Split(text, "\n") {
			for _, match := range riddle.FindAllString(line, -1) {
				t.Errorf("%s:%d: %q", name, i+1, match)
			}
		}
	}
}

// isProse reports whether a file is checked: sources and configurations that people read, except this file.
func isProse(name string) bool {
	switch {
	case name == "docs/prose_test.go", strings.Contains(name, "/testdata/"):
		return false
	}
	return path.Ext(name) == ".go" || path.Ext(name) == ".yaml" || name == ".ci/run"
}
