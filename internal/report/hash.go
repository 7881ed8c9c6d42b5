package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
)

// Files hashes files while a scan reads them. Make it with [NewFiles].
type Files struct {
	files []file
}

// file is a file that was given to the scan.
type file struct {
	Name string // fit to show
	Size int64  // bytes that were read
	Hash string // SHA-256 in hex; empty if it was not read to its end
	path string
}

// NewFiles returns the sources, to be scanned in place of the given ones, and what hashes them. Read its results when the
// scan has ended.
func NewFiles(sources []scan.Source) (*Files, []scan.Source) {
	f := &Files{files: make([]file, len(sources))}
	hashed := make([]scan.Source, len(sources))
	for i, s := range sources {
		f.files[i].Name, f.files[i].path = display.Cut(s.Name, maxText), s.Name
		hashed[i] = s
		hashed[i].Open = func() (io.ReadCloser, error) {
			reader, err := s.Open()
			if err != nil {
				return nil, err
			}
			return &hashing{ReadCloser: reader, file: &f.files[i], hash: sha256.New()}, nil
		}
	}
	return f, hashed
}

// sum returns one hash for all: that of what sha256sum prints for them.
func (f *Files) sum() string {
	h := sha256.New()
	for i := range f.files {
		fmt.Fprintf(h, "%s  %s\n", f.files[i].Hash, f.files[i].path)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hashing hashes what is read.
type hashing struct {
	io.ReadCloser

	file *file
	hash hash.Hash
}

// Read reads, and takes the hash at the end.
func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	_, _ = h.hash.Write(p[:n]) // a hash has no errors
	h.file.Size += int64(n)
	if err == io.EOF {
		h.file.Hash = hex.EncodeToString(h.hash.Sum(nil))
	}
	return n, err
}
