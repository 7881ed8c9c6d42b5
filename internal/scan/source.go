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

// Stdin is the path of standard input, and its name in alerts.
const Stdin = "-"

// Source is one input: a file, or a stream.
type Source struct {
	Name string
	Size int64 // in bytes; negative if unknown, as for a pipe
	Open func() (io.ReadCloser, error)
}

// ErrNoFile is in the error of [List] if a path names nothing: a mistake of the caller, unlike a file that cannot be read.
var ErrNoFile = errors.New("names no file")

// noFile is the error for a path that names nothing.
type noFile struct{ error }

// Unwrap returns the error itself and [ErrNoFile].
func (f noFile) Unwrap() []error { return []error{f.error, ErrNoFile} }

// List returns the files named by the paths, in order; those of a folder, and of folders in it, sorted by name. Links to
// folders are not followed. A path that is not a file may be a pattern, see [filepath.Match], of files and folders. Stdin
// stands for the given stream. A file named by several paths is listed once, in its first place. The error names every
// path that cannot be listed; the sources are those that can.
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

// list collects sources, and the errors of paths that cannot be listed.
type list struct {
	sources []Source
	faults  []error
	// known holds the listed files by what two names of one file share, and few other files do.
	known map[sizeAndTime][]fs.FileInfo
}

// sizeAndTime is a file's size and the time of its last change, in nanoseconds.
type sizeAndTime struct{ size, changed int64 }

// isKnown reports whether the file is listed already, maybe by another name, and adds it.
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

// pattern adds the matches, by name. A match that has disappeared is an error, not a pattern.
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
	// The function returns no error, so WalkDir does not either.
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

// entry adds a file, or a link to one, in a folder, and nothing that could block, such as a pipe.
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

// openUntil opens a source until ctx ends: then reading ends with errStopped. A source that can block forever, such as a
// terminal or a silent pipe, is opened and read by a goroutine of its own, because neither can be interrupted. The
// goroutine closes the source before the reader sees its end. Once stopped, it ends with the next bytes or with the
// process; nothing waits for it.
func openUntil(ctx context.Context, s *Source) (io.ReadCloser, error) {
	if s.Size >= 0 {
		return s.Open()
	}
	out, in := io.Pipe()
	release := context.AfterFunc(ctx, func() { _ = in.CloseWithError(errStopped) })
	go func() {
		defer release()
		_ = in.CloseWithError(feed(in, s)) // nil is the end of the file
	}()
	return out, nil
}

// feed writes a source to a pipe, as its bytes come.
func feed(in io.Writer, s *Source) error {
	raw, err := s.Open()
	if err != nil {
		return err
	}
	defer raw.Close()
	// Only a bare reader is read into this buffer.
	_, err = io.CopyBuffer(in, struct{ io.Reader }{raw}, make([]byte, readBuffer))
	return err
}
