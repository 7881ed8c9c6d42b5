package report

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// File is the file of a report. Make it with [Create]; without a name, it does nothing.
type File struct {
	file      *os.File
	collector *Collector
	files     *Files
}

// Create creates a new file, and returns the sources to scan in place of the given ones.
func Create(name string, sources []scan.Source) (*File, []scan.Source, error) {
	if name == "" {
		return &File{}, sources, nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, nil, err
	}
	f := &File{file: file, collector: NewCollector()}
	f.files, sources = NewFiles(sources)
	return f, sources, nil
}

// Tap returns what appends an alert and takes it into the report.
func (f *File) Tap(appendTo func([]byte, *alert.Alert) []byte) func([]byte, *alert.Alert) []byte {
	if f.file == nil {
		return appendTo
	}
	return func(dst []byte, a *alert.Alert) []byte {
		f.collector.Add(a)
		return appendTo(dst, a)
	}
}

// Close writes the report of a scan that ended. Without a summary, or if the scan was stopped, it removes the file: a
// report of a part would mislead.
func (f *File) Close(s *Source) error {
	switch {
	case f.file == nil:
		return nil
	case s.Summary == nil || s.Summary.Stopped != nil:
		return errors.Join(f.file.Close(), os.Remove(f.file.Name()))
	}
	s.Files, s.Given = f.files, len(f.files.files)
	out := bufio.NewWriter(f.file)
	if err := errors.Join(f.collector.Write(out, s), out.Flush(), f.file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", f.file.Name(), err)
	}
	return nil
}
