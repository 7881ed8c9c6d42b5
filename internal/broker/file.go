package broker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
)

// maxFileBytes bounds a file. Bundles of authorities have a few hundred kilobytes.
const maxFileBytes = 4 << 20

// files are what a value is made of, read again each time that it is asked for. When they cannot be read or
// make no value, which is what half a rotation looks like, the last good value holds.
//
// It is safe for concurrent use.
type files[T any] struct {
	option string // that names the first file
	names  []string
	parse  func(contents [][]byte) (T, error)
	log    *slog.Logger

	mu       sync.Mutex
	contents [][]byte // that value was made of
	value    T
	told     string // the fault that was logged last; empty since the files were good
}

// open reads the files for the first time.
func (f *files[T]) open() error {
	contents, err := readAll(f.names)
	if err == nil {
		f.value, err = f.parse(contents)
	}
	if err != nil {
		return &Fault{f.option, err}
	}
	f.contents = contents
	return nil
}

// get returns what the files hold now, or held when they were last good.
func (f *files[T]) get() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	contents, err := readAll(f.names)
	if err == nil && equal(contents, f.contents) {
		f.told = ""
		return f.value
	}
	value := f.value
	if err == nil {
		value, err = f.parse(contents)
	}
	if err != nil {
		f.tell(err)
		return f.value
	}
	f.contents, f.value, f.told = contents, value, ""
	f.log.Info("read changed files", "setting", f.option, "files", strings.Join(f.names, ", "))
	return value
}

// tell logs a fault once.
func (f *files[T]) tell(err error) {
	if text := err.Error(); f.told != text {
		f.told = text
		f.log.Warn("reading changed files, keeping what they held before", "setting", f.option, "error", err)
	}
}

func equal(a, b [][]byte) bool {
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func readAll(names []string) ([][]byte, error) {
	contents := make([][]byte, len(names))
	for i, name := range names {
		content, err := readFile(name)
		if err != nil {
			return nil, err
		}
		contents[i] = content
	}
	return contents, nil
}

// readFile reads a bounded file. Its errors name it, and show nothing of what it holds.
func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, cause(err))
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %q: %w", name, cause(err))
	case len(content) > maxFileBytes:
		return nil, fmt.Errorf("reading %q: it is larger than %d MiB", name, maxFileBytes>>20)
	}
	return content, nil
}

// cause returns an error of the file system without operation and name.
func cause(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err
	}
	return err
}

// openSecretFile returns a file that holds a secret on one line and nothing else.
func openSecretFile(option, name string, log *slog.Logger) (*files[string], error) {
	f := &files[string]{option: option, names: []string{name}, log: log}
	f.parse = func(contents [][]byte) (string, error) {
		text := strings.TrimSuffix(strings.TrimSuffix(string(contents[0]), "\n"), "\r")
		switch {
		case text == "":
			return "", fmt.Errorf("reading %q: it is empty", name)
		case strings.ContainsAny(text, "\r\n\x00"):
			return "", fmt.Errorf("reading %q: it has more than one line; allowed: the secret and nothing else", name)
		}
		return text, nil
	}
	return f, f.open()
}
