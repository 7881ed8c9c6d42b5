// Package policyfile reads the policy that people write: a YAML file, with accounts from further files or a CSV.
//
// It is strict: anything unknown is a mistake. It reports all mistakes at once with file, line and column, and suggests
// the nearest valid name. What it returns is compiled and ready for decisions. The keys are in tables from which the
// JSON Schema is generated, so the two agree.
//
// It starts no goroutine and keeps nothing between calls. Watching for changes
// is the job of package live.
package policyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// MaxBytes limits each file. 5,000 accounts and 2,000 exceptions are about 1 MiB.
const MaxBytes = 16 << 20

// maxFiles limits the files in a directory of accounts.
const maxFiles = 10_000

// File is a policy that was read.
type File struct {
	Policy  *policy.Policy
	Options policy.Options // as written
	Files   []string       // every file and directory that was read, the policy's own first
	Spelled Faults         // a warning for each key spelled with hyphens
	places  places
	name    string
}

// Verify reports why a file must not be trusted; nil means that it may.
type Verify func(name string, source []byte) error

// Load reads the policy file with that name and the account files that it names, each of which must pass verify unless
// that is nil. The error is [Faults]; then the File has only Files, because a change to one of them may fix it.
func Load(name string, verify Verify) (*File, error) {
	return load(name, verify, maxFiles)
}

func load(name string, verify Verify, maxFiles int) (*File, error) {
	r := &reader{name: name, places: places{}, verify: verify, maxFiles: maxFiles}
	file, err := r.read(func() {
		if source, ok := r.open(name); ok {
			r.document(source)
		}
	}, policy.Compile)
	if err != nil {
		return &File{Files: r.files}, err
	}
	return file, nil
}

// Parse reads a policy that is not in a file; name identifies it in faults. It cannot name account files. The error is
// [Faults].
func Parse(name string, source []byte) (*File, error) {
	r := &reader{name: name, file: name, places: places{}}
	return r.read(func() {
		if len(source) > MaxBytes {
			r.faultAt(position{file: name}, fmt.Sprintf("it has %d bytes, %d are allowed", len(source), MaxBytes))
		} else {
			r.document(source)
		}
	}, policy.Compile)
}

// read calls parse, compiles what was read, and reports the mistakes of both together.
//
// A panic is a fault of this program. It becomes one of the policy, because every instance reads the same policy: one
// that panics must not end them all.
func (r *reader) read(parse func(), compile func(policy.Options) (*policy.Policy, error)) (_ *File, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = Faults{{File: r.file, Text: fmt.Sprintf("BUG: reading the policy panicked: %v", v)}}
		}
	}()
	parse()
	p, err := compile(r.options)
	var faults policy.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			r.faultAt(r.places.of(f.Place, r.name), f.Text)
		}
	}
	if len(r.faults) > 0 {
		slices.SortStableFunc(r.faults, r.inOrder)
		return nil, slices.CompactFunc(r.faults, func(a, b *Fault) bool { return *a == *b })
	}
	return &File{Policy: p, Options: r.options, Files: r.files, Spelled: r.spelled, places: r.places, name: r.name}, nil
}

// inOrder sorts faults in reading order: file by file, from top to bottom.
func (r *reader) inOrder(a, b *Fault) int {
	if a.File != b.File {
		return r.order[a.File] - r.order[b.File]
	}
	if a.Line != b.Line {
		return a.Line - b.Line
	}
	return a.Column - b.Column
}

// Locate returns a fault or warning of the compiled policy with its place in the files.
func (f *File) Locate(w *policy.Fault) *Fault {
	p := f.places.of(w.Place, f.name)
	return &Fault{File: p.file, Line: p.line, Column: p.column, Text: w.Text}
}

// open reads a file and records its name.
func (r *reader) open(name string) ([]byte, bool) {
	r.file = name
	r.visit(name)
	source, err := readBounded(name)
	if err == nil && r.verify != nil {
		err = r.verify(name, source)
	}
	if err != nil {
		r.faultAt(position{file: name}, err.Error())
	}
	return source, err == nil
}

// visit records a file or directory that is read, or should be.
func (r *reader) visit(name string) {
	r.files = append(r.files, name)
	if r.order == nil {
		r.order = make(map[string]int)
	}
	if r.order[name] == 0 {
		r.order[name] = len(r.files)
	}
}

func readBounded(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer file.Close()
	source, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case len(source) > MaxBytes:
		return nil, fmt.Errorf("it has more than %d bytes", MaxBytes)
	}
	return source, nil
}

// cause returns an error of the file system without operation and name.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// accountFiles reads the accounts of a file, or of every file of a directory.
func (r *reader) accountFiles(at position, name string) {
	if r.maxFiles == 0 {
		r.faultAt(at, "only a policy that is a file can name files")
		return
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(r.name), name)
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		r.visit(name)
		r.faultAt(at, fmt.Sprintf("%q: %v", name, cause(err)))
	case info.IsDir():
		r.accountFolder(at, name)
	default:
		r.accountFile(at, name)
	}
}

func (r *reader) accountFolder(at position, name string) {
	r.visit(name)
	entries, err := os.ReadDir(name)
	if err != nil {
		r.faultAt(at, fmt.Sprintf("%q: %v", name, cause(err)))
		return
	}
	// Editors and Kubernetes put their own files beside ours; their names begin with a dot.
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return e.IsDir() || strings.HasPrefix(e.Name(), ".") || formatOf(e.Name()) == ""
	})
	if len(entries) == 0 || len(entries) > r.maxFiles {
		r.faultAt(at, fmt.Sprintf("%q has %d files .yaml, .yml or .csv; 1 to %d are allowed", name, len(entries), r.maxFiles))
		return
	}
	for _, e := range entries {
		r.accountFile(at, filepath.Join(name, e.Name()))
	}
}

func (r *reader) accountFile(at position, name string) {
	format := formatOf(name)
	if format == "" {
		r.faultAt(at, fmt.Sprintf("%q is not a .yaml, .yml or .csv file", name))
		return
	}
	if r.order[name] > 0 {
		r.faultAt(at, fmt.Sprintf("%q is read twice", name))
		return
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		r.faultAt(at, fmt.Sprintf("%q is not a regular file", name)) // a named pipe would block forever
		return
	}
	source, ok := r.open(name)
	switch {
	case !ok:
	case format == "csv":
		r.csv(source)
	default:
		if root := r.parse(source); root != nil {
			r.accounts(root)
		}
	}
}

// formatOf returns yaml or csv, or "" for any other file.
func formatOf(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml":
		return "yaml"
	case ".csv":
		return "csv"
	}
	return ""
}
