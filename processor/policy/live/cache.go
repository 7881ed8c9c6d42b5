package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// cached is the last good policy as the cache keeps it: the options to compile, because account files may be gone.
type cached struct {
	Hash    string // of the policy that Options compile to
	From    string
	At      time.Time
	Author  string `json:",omitempty"`
	Options policy.Options
}

// writeCache replaces the cache. A reader sees the old one or the new one, never a mixture.
func writeCache(name string, l *Loaded) error {
	text, err := json.Marshal(cached{l.Hash(), l.From, l.At, l.Author, l.File.Options})
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// readCache returns the policy in the cache.
func readCache(name string) (Loaded, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return Loaded{}, fmt.Errorf("reading the policy's cache: %w", err)
	}
	var c cached
	if err := json.Unmarshal(text, &c); err != nil {
		return Loaded{}, fmt.Errorf("reading the policy's cache %s: %w", name, err)
	}
	p, err := policy.Compile(c.Options)
	if err != nil {
		return Loaded{}, fmt.Errorf("reading the policy's cache %s: %w", name, err)
	}
	if p.Hash() != c.Hash {
		return Loaded{}, fmt.Errorf("reading the policy's cache %s: its policy has hash %s, but it says %s", name, p.Hash(), c.Hash)
	}
	return Loaded{Policy: p, From: c.From, At: c.At, Author: c.Author}, nil
}
