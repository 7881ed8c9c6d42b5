package generate

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// Lines returns a writer of one record per line.
func Lines(w io.Writer) Writer { return &lines{out: bufio.NewWriterSize(w, 256<<10)} }

type lines struct {
	out     *bufio.Writer
	n       uint64
	waiting uint64 // records in the buffer
	failed  bool   // the error was already returned
}

// Name implements Writer.
func (l *lines) Name() string { return "standard output" }

// Write implements Writer.
func (l *lines) Write(_ context.Context, r *sample.Record) error {
	if l.out.Available() <= len(r.Value) {
		if err := l.Close(); err != nil {
			return err
		}
	}
	l.waiting++
	_, err := l.out.Write(r.Value)
	if err == nil && !bytes.HasSuffix(r.Value, []byte("\n")) {
		err = l.out.WriteByte('\n')
	}
	return l.fault(err)
}

// Close implements Writer.
func (l *lines) Close() error {
	if l.failed {
		return nil
	}
	err := l.fault(l.out.Flush())
	if err == nil {
		l.n, l.waiting = l.n+l.waiting, 0
	}
	return err
}

func (l *lines) fault(err error) error {
	if err == nil {
		return nil
	}
	l.failed = true
	return fmt.Errorf("writing records: %w", err)
}

// Written implements Writer.
func (l *lines) Written() uint64 { return l.n }

// endings are the file extensions of the outermost layer.
var endings = map[cloudtrail.Shape]string{
	cloudtrail.ShapeGzip: ".gz", cloudtrail.ShapeZstd: ".zst", cloudtrail.ShapeZlib: ".zz", cloudtrail.ShapeLZ4: ".lz4",
	cloudtrail.ShapeSnappy: ".sz", cloudtrail.ShapeBase64: ".b64",
}

// Folder returns a writer of one file per record. It refuses a folder that is not empty unless forced: old files among the
// new ones would make the truth wrong.
func Folder(dir string, force bool) (Writer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the output folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the output folder: %w", err)
	}
	if len(entries) > 0 && !force {
		return nil, fmt.Errorf("flag --output-dir: %s is not empty; choose another folder, or add --force to write into it", dir)
	}
	return &folder{dir: dir}, nil
}

type folder struct {
	dir string
	n   uint64
}

// Name implements Writer.
func (f *folder) Name() string { return f.dir }

// Write implements Writer.
func (f *folder) Write(_ context.Context, r *sample.Record) error {
	ending := ".json" + endings[r.Shape.At(0)]
	name := filepath.Join(f.dir, fmt.Sprintf("%08d-%s%s", f.n, r.Account, ending))
	if err := os.WriteFile(name, r.Value, 0o644); err != nil {
		return fmt.Errorf("writing records: %w", err)
	}
	f.n++
	return nil
}

// Close implements Writer.
func (f *folder) Close() error { return nil }

// Written implements Writer.
func (f *folder) Written() uint64 { return f.n }
