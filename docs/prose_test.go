package docs_test

import (
	"regexp"
	"testing"
)

// riddle matches phrases that read like a translation.
var riddle = regexp.MustCompile(`(?i)\b(is|are) no (longer )?[a-z]+ (of|that|to)\b|\b(is|are|was) told\b|\bnobody (knows|looks)\b|` +
	`\bholds whole\b|\bwhoever\b|\bwhat (becomes|came) of\b|\bof (its|our) own accord\b`)

// TestProse checks that the documents are in plain English.
func TestProse(t *testing.T) {
	for page, text := range documents(t) {
		for _, match := range riddle.FindAllString(text, -1) {
			t.Errorf("%s: %q", page, match)
		}
	}
}
