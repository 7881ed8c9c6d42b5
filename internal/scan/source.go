package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Stdin is the path that stands for standard input, and its name in alerts.
const Stdin = "-"

// Source is one input: a file, or a stream.
type Source struct {
	Name string
	Size int64 // in bytes; negative if unknown, as for a pipe
	Open func() (io.ReadCloser, error)

	Changed int64 // when it was listed: its modification time, in Unix nanoseconds
}

// ErrNoFile is wrapped in the error of [List] if a path names nothing. That is a user mistake, unlike a file that
// cannot be read.
var ErrNoFile = errors.New("names no file")

// noFile is the error for a path that names nothing.
type noFile struct{ error }

// Unwrap returns the underlying error and [ErrNoFile].
func (f noFile) Unwrap() []error { return []error{f.error, ErrNoFile} }

// List returns the files the paths name, in order. A folder stands for all files in it and its subfolders, sorted by
// name; links to folders are not followed. A path that does not exist may be a pattern (see [filepath.Match]) for files
// and folders. [Stdin] stands for the given stream. A file named by several paths is listed once, at its first
// position. The error names every path that cannot be listed; the other sources are returned nevertheless.
func List(paths []string, stdin io.Reader) ([]Source, error) {
	var l list
	for _, path := range paths {
		if path == Stdin {
			l.sources = append(l.sources, Source{Name: Stdin, Size: -1, Open: func() (io.ReadCloser, error) { return io.NopCloser(stdin), nil }})
			continue
		}
		l.path(path)
	}
	return l.sources, errors.Join(l.faults...)
}

// list collects sources, and errors for paths that cannot be listed.
type list struct {
	sources []Source
	faults  []error
	// known holds the listed files by size and time, which few different files share.
	known map[sizeAndTime][]fs.FileInfo
}

// sizeAndTime is a file's size and modification time, in nanoseconds.
type sizeAndTime struct{ size, changed int64 }

// isKnown reports whether the file has already been listed, perhaps under another name. If not, it adds the file.
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

// path adds a file, a folder, or the matches of a pattern.
func (l *list) path(path string) {
	info, err := os.Stat(path)
	if scheme, _, isURL := strings.Cut(path, "://"); err != nil && isURL {
		advice := "download it first"
		if scheme == "s3" {
			advice = "download it first, such as with: aws s3 cp --recursive " + strconv.Quote(path) +
				" FOLDER; or one object: aws s3 cp URL - | regionwatch scan -"
		}
		l.fail(noFile{fmt.Errorf("%s: scan reads local files and standard input; %s", path, advice)})
		return
	}
	if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(path, "*?[") {
		l.pattern(path)
		return
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = noFile{err}
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

// pattern adds the matches in name order. A match that has disappeared is an error, not another pattern.
func (l *list) pattern(pattern string) {
	matches, err := filepath.Glob(pattern)
	switch {
	case err != nil:
		l.fail(noFile{fmt.Errorf("%s: %w", pattern, err)})
	case len(matches) == 0:
		l.fail(noFile{fmt.Errorf("%s: no file matches", pattern)})
	}
	for _, path := range matches {
		info, err := os.Stat(path)
		l.add(path, info, err)
	}
}

func (l *list) folder(root string) {
	// WalkDir returns only errors of its function, which has none.
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

// entry adds a regular file in a folder, or a link to one. It ignores everything else, because a pipe, for example,
// could block.
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
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	l.sources = append(l.sources, Source{Name: path, Size: size, Open: open, Changed: info.ModTime().UnixNano()})
}

// openUntil opens a source whose reads end with errStopped when ctx ends. A source that can block forever, such as a
// terminal or a silent pipe, is opened and read in a separate goroutine, because neither call can be interrupted. That
// goroutine closes the source before the reader sees the end. After a stop, it ends when the next bytes arrive or the
// process exits; nothing waits for it.
func openUntil(ctx context.Context, s *Source) (io.ReadCloser, error) {
	if s.Size >= 0 {
		return s.Open()
	}
	out, in := io.Pipe()
	release := context.AfterFunc(ctx, func() { _ = in.CloseWithError(errStopped) })
	go func() {
		defer release()
		_ = in.CloseWithError(feed(in, s)) // nil becomes io.EOF
	}()
	return out, nil
}

// feed copies a source to a pipe as bytes arrive.
func feed(in io.Writer, s *Source) error {
	raw, err := s.Open()
	if err != nil {
		return err
	}
	defer raw.Close()
	// CopyBuffer uses the buffer only if the reader has no WriteTo.
	_, err = io.CopyBuffer(in, struct{ io.Reader }{raw}, make([]byte, readBuffer))
	return err
}

// CheckOutput returns an error if the output is one of the files to scan. The name is that of the output, for people.
func CheckOutput(name string, output os.FileInfo, sources []Source) error {
	if !output.Mode().IsRegular() {
		return nil
	}
	for _, s := range sources {
		if s.Size != output.Size() {
			continue // most files differ here
		}
		if info, err := os.Stat(s.Name); err == nil && os.SameFile(info, output) {
			return fmt.Errorf("%s: %s is one of the files to scan; write to another, outside of folders that are scanned", name, s.Name)
		}
	}
	return nil
}
