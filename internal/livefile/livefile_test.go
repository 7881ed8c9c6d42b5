package livefile

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file of exactly the maximum size is read, one byte more is refused, and neither leaves a descriptor open.
//
// Guards: the bound and the deferred Close in Read.
func TestReadBound(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	before := descriptors(t)
	for size, ok := range map[int]bool{0: true, MaxBytes: true, MaxBytes + 1: false} {
		if err := os.WriteFile(name, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		content, err := Read(name)
		if (err == nil) != ok || ok && len(content) != size {
			t.Errorf("%d bytes: read %d, %v", size, len(content), err)
		}
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs /proc")
	}
	return len(open)
}

// A half-finished rotation keeps the last good value and is logged once.
func TestRotation(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	write("first\r\n")
	v, err := OpenSecret("token-file", name, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	write("")
	for range 3 {
		if got := v.Get(); got != "first" {
			t.Errorf("an empty file: %q", got)
		}
	}
	if n := strings.Count(log.String(), "it is empty"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
	write("second")
	if got := v.Get(); got != "second" || strings.Contains(log.String(), "second") {
		t.Errorf("after the rotation: %q, log %s", got, log.String())
	}
}
