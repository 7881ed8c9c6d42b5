package scan

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	if err == nil || !strings.Contains(err.Error(), "missing: no such file") {
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

func TestTops(t *testing.T) {
	var tops Tops
	for i := range maxKeys + 5 {
		tops.Add(fmt.Sprint(i))
	}
	tops.Add("7")
	top, others := tops.Most(2)
	if diff := cmp.Diff([]Top{{"7", 2}, {"0", 1}}, top); diff != "" || others != maxKeys-2+5 {
		t.Errorf("%s others %d", diff, others)
	}
	if len(tops.counts) != maxKeys {
		t.Errorf("%d keys", len(tops.counts))
	}
}
