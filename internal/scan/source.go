package scan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Stdin is the path that stands for standard input, and its name in alerts.
const Stdin = "-"

// Source is one input: a file, or a stream.
type Source struct {
	Name string
	Size int64 // in bytes; negative where it is not known, as for a pipe
	Open func() (io.ReadCloser, error)
}

// List returns the files that the paths name, in their order; those of a folder and the folders in it by
// name. Links to folders are not followed. A path that is no file may be a pattern, as [filepath.Match] reads
// it, of files and folders. Stdin stands for the given stream. A file that several paths name is listed once, where it
// comes first. The error names every path that cannot be
// listed; the sources are those that can.
func List(paths []string, stdin io.Reader) ([]Source, error) {
	var l list
	for _, path := range paths {
		if path == Stdin {
			l.sources = append(l.sources, Source{Stdin, -1, func() (io.ReadCloser, error) { return io.NopCloser(stdin), nil }})
			continue
		}
		l.path(path)
	}
	return l.sources, errors.Join(l.faults...)
}

// list gathers sources and what keeps others from being listed.
type list struct {
	sources []Source
	faults  []error
	// known holds the files that are listed, by what two names of one file have in common and few files do.
	known map[sizeAndTime][]fs.FileInfo
}

// sizeAndTime is a file's size and the time of its last change, in nanoseconds.
type sizeAndTime struct{ size, changed int64 }

// isKnown reports whether the file is listed already, maybe by another name, and remembers that it is from now on.
func (l *list) isKnown(info fs.FileInfo) bool {
	key := sizeAndTime{info.Size(), info.ModTime().UnixNano()}
	for _, known := range l.known[key] {
		if os.SameFile(known, info) {
			return true
		}
	}
	if l.known == nil {
		l.known = make(map[sizeAndTime][]fs.FileInfo)
	}
	l.known[key] = append(l.known[key], info)
	return false
}

func (l *list) fail(err error) { l.faults = append(l.faults, fmt.Errorf("reading: %w", err)) }

// path adds a file, a folder, or what a pattern matches.
func (l *list) path(path string) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(path, "*?[") {
		l.pattern(path)
		return
	}
	l.add(path, info, err)
}

func (l *list) add(path string, info fs.FileInfo, err error) {
	switch {
	case err != nil:
		l.fail(err)
	case info.IsDir():
		l.folder(path)
	default:
		l.file(path, info)
	}
}

// pattern adds what matches, by name. A match that has gone meanwhile is a fault, not a pattern.
func (l *list) pattern(pattern string) {
	matches, err := filepath.Glob(pattern)
	switch {
	case err != nil:
		l.fail(fmt.Errorf("%s: %w", pattern, err))
	case len(matches) == 0:
		l.fail(fmt.Errorf("%s: no file matches", pattern))
	}
	for _, path := range matches {
		info, err := os.Stat(path)
		l.add(path, info, err)
	}
}

func (l *list) folder(root string) {
	// The function returns no error, so that WalkDir does not either.
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.fail(err)
		case !entry.IsDir():
			l.entry(path)
		}
		return nil
	})
}

// entry adds what a folder holds: files and links to files, and nothing that would wait, such as pipes.
func (l *list) entry(path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		l.fail(err)
	case info.Mode().IsRegular():
		l.file(path, info)
	}
}

func (l *list) file(path string, info fs.FileInfo) {
	size := int64(-1)
	if info.Mode().IsRegular() {
		if l.isKnown(info) {
			return
		}
		size = info.Size()
	}
	l.sources = append(l.sources, Source{path, size, func() (io.ReadCloser, error) { return os.Open(path) }})
}
