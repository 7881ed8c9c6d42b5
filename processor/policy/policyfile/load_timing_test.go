package policyfile

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// largeSource is a policy of 5,000 accounts and 2,000 exceptions.
func largeSource() []byte {
	var b strings.Builder
	b.WriteString("version: \"1\"\ndefault:\n  allowed_regions: [us-east-1]\naccounts:\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "  %012d:\n    name: account-%d\n    owner: team@example.com\n    environment: prod\n    allowed_regions: [us-east-1, us-west-2]\n", i, i)
	}
	b.WriteString("exceptions:\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "  - name: exception-%d\n    reason: because\n    owner: team@example.com\n    expires: 2027-03-31\n"+
			"    event_sources: [service%d.amazonaws.com]\n    principals: [\"arn:aws:iam::*:role/team-%d/*\"]\n", i, i, i)
	}
	return []byte(b.String())
}

func BenchmarkLoad(b *testing.B) {
	name := filepath.Join(b.TempDir(), "policy.yaml")
	if err := os.WriteFile(name, largeSource(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(name, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// A large policy fits into little memory: what is live after it, and what reading it takes with the collector's help.
func TestLargePolicyMemory(t *testing.T) {
	source := largeSource()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f, err := Parse("large", source)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	const most = 64 << 20
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > most {
		t.Errorf("reading it allocates %d bytes in all, want at most %d", allocated, most)
	}
	runtime.KeepAlive(f)
}
