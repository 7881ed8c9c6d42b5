package scan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b/2.json", "b/1.json.gz", "a.ndjson", "b/c/3.json"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(dir, filepath.Join(dir, "b", "loop")); err != nil {
		t.Fatal(err)
	}
	sources, err := List([]string{filepath.Join(dir, "b"), Stdin, filepath.Join(dir, "missing"), filepath.Join(dir, "a.ndjson")}, strings.NewReader("x"))
	if err == nil || !strings.Contains(err.Error(), "missing: no such file") || !errors.Is(err, ErrNoFile) {
		t.Errorf("error is %v", err)
	}
	var names []string
	for _, s := range sources {
		name, _ := filepath.Rel(dir, s.Name)
		if s.Name == Stdin {
			name = Stdin
		}
		names = append(names, fmt.Sprintf("%s %d", filepath.ToSlash(name), s.Size))
	}
	want(t, "sources", names, "b/1.json.gz 11", "b/2.json 8", "b/c/3.json 10", "- -1", "a.ndjson 8")
}

// A file is listed once, under its first name, whether it is named directly or by its folder, a pattern or a link.
func TestListNamesEachFileOnce(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"1", "2", "3"} { // all of the same size
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for oldname, newname := range map[string]string{"3": "link", "2": "0"} {
		if err := os.Symlink(filepath.Join(dir, oldname), filepath.Join(dir, newname)); err != nil {
			t.Fatal(err)
		}
	}
	f := func(paths []string, wantNames ...string) {
		t.Helper()
		for i := range paths {
			paths[i] = filepath.Join(dir, paths[i])
		}
		sources, err := List(paths, nil)
		if err != nil {
			t.Error(err)
		}
		var names []string
		for _, s := range sources {
			names = append(names, filepath.Base(s.Name))
		}
		want(t, "sources", names, wantNames...)
	}
	f([]string{".", "1"}, "0", "1", "3")
	f([]string{"3", "."}, "3", "0", "1")
	f([]string{"2", "2", "[23]", "link"}, "2", "3")
}

// The error names a file or folder that exists but cannot be read, and does not call it a mistake of the user.
func TestListNamesWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("gone", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sources, err := List([]string{dir}, nil)
	if err == nil || !strings.Contains(err.Error(), "reading: ") || !strings.Contains(err.Error(), "dangling") || errors.Is(err, ErrNoFile) || len(sources) != 1 {
		t.Errorf("%d sources, error %v", len(sources), err)
	}
	var l list
	l.folder(filepath.Join(dir, "gone")) // which was there a moment ago
	if len(l.faults) != 1 || !strings.Contains(l.faults[0].Error(), "gone") {
		t.Errorf("faults %v", l.faults)
	}
}
