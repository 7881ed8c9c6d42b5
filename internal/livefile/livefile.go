// Package livefile keeps values read from files up to date: secrets, certificates and authorities. Files are checked
// whenever the value is requested, so rotating them needs no restart. If files cannot be read or parsed, for example in
// the middle of a rotation, the last good value stays in use. Content never appears in errors or log lines.
//
// The package starts no goroutines.
package livefile

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// MaxBytes is the maximum size of a file. Bundles of authorities have a few hundred kilobytes.
const MaxBytes = 4 << 20

// Value is a value parsed from files. It is safe for concurrent use.
type Value[T any] struct {
	setting string // the setting that names the files
	names   []string
	parse   func(contents [][]byte) (T, error)
	log     *slog.Logger

	mu       sync.Mutex
	contents [][]byte // from which value was parsed
	value    T
	logged   string // the last logged fault; empty while the files are good
}

// Open reads the files for the first time. Log lines identify them by the setting, errors by the file.
func Open[T any](setting string, names []string, log *slog.Logger, parse func(contents [][]byte) (T, error)) (*Value[T], error) {
	v := &Value[T]{setting: setting, names: names, parse: parse, log: log}
	var err error
	if v.contents, err = readAll(names); err == nil {
		v.value, err = parse(v.contents)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Get returns the value of the current files or, if they are bad, the last good value.
func (v *Value[T]) Get() T {
	v.mu.Lock()
	defer v.mu.Unlock()
	contents, err := readAll(v.names)
	if err == nil && slices.EqualFunc(contents, v.contents, bytes.Equal) {
		v.logged = ""
		return v.value
	}
	value := v.value
	if err == nil {
		value, err = v.parse(contents)
	}
	if err != nil {
		if text := err.Error(); v.logged != text {
			v.logged = text
			v.log.Warn("reading changed files, keeping their last good content", "setting", v.setting, "error", err)
		}
		return v.value
	}
	v.contents, v.value, v.logged = contents, value, ""
	v.log.Info("read changed files", "setting", v.setting, "files", strings.Join(v.names, ", "))
	return value
}

func readAll(names []string) ([][]byte, error) {
	contents := make([][]byte, len(names))
	for i, name := range names {
		content, err := Read(name)
		if err != nil {
			return nil, err
		}
		contents[i] = content
	}
	return contents, nil
}

// Read reads a file of up to [MaxBytes]. Its errors name the file, once: those of package os, which they wrap, name it again.
func Read(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, errors.Unwrap(err))
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %q: %w", name, errors.Unwrap(err))
	case len(content) > MaxBytes:
		return nil, fmt.Errorf("reading %q: it is larger than %d MiB", name, MaxBytes>>20)
	}
	return content, nil
}

// OpenSecret opens a file that contains one line with a secret.
func OpenSecret(setting, name string, log *slog.Logger) (*Value[string], error) {
	return Open(setting, []string{name}, log, func(contents [][]byte) (string, error) {
		text := strings.TrimSuffix(strings.TrimSuffix(string(contents[0]), "\n"), "\r")
		switch {
		case text == "":
			return "", fmt.Errorf("reading %q: it is empty", name)
		case strings.ContainsAny(text, "\r\n\x00"):
			return "", fmt.Errorf("reading %q: it has more than one line; allowed: the secret and nothing else", name)
		}
		return text, nil
	})
}

// OpenKeyPair opens a certificate chain and its private key, both in PEM. They must match, and the certificate must
// currently be valid.
func OpenKeyPair(setting, certificate, key string, log *slog.Logger) (*Value[*tls.Certificate], error) {
	return Open(setting, []string{certificate, key}, log, func(contents [][]byte) (*tls.Certificate, error) {
		pair, err := tls.X509KeyPair(contents[0], contents[1])
		if err != nil {
			return nil, fmt.Errorf("reading %q with key %q: %w", certificate, key, err)
		}
		switch now := time.Now(); {
		case now.After(pair.Leaf.NotAfter):
			return nil, fmt.Errorf("reading %q: the certificate expired at %s", certificate, pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
		case now.Before(pair.Leaf.NotBefore):
			return nil, fmt.Errorf("reading %q: the certificate is not valid before %s", certificate, pair.Leaf.NotBefore.UTC().Format(time.RFC3339))
		}
		return &pair, nil
	})
}
