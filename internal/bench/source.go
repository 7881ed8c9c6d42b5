package bench

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// Source provides the records of a benchmark. Only one goroutine may use it until all are taken.
type Source interface {
	Next() (key, value []byte)
	// Check returns an error if a processor's status does not fit the records that Next returned.
	Check(status processor.Status) error
}

// Generated returns a source of sample records with known findings.
func Generated(g *sample.Generator, unused []string) Source { return &generated{g, unused} }

type generated struct {
	generator *sample.Generator
	unused    []string
}

// Next implements Source.
func (g *generated) Next() (key, value []byte) {
	r := g.generator.Next()
	return []byte(r.Account), bytes.Clone(r.Value)
}

// Check implements Source.
func (g *generated) Check(status processor.Status) error {
	truth := g.generator.Truth()
	if want := truth.Alerts(g.unused); status.Acked != want || status.DeadLetter != 0 {
		return fmt.Errorf("%s and %s, want %d and 0", display.Plural(status.Acked, "alert"), display.Plural(status.DeadLetter, "dead letter"), want)
	}
	return nil
}

// maxSourceBytes bounds what is kept of a file: enough that records rarely repeat within one fetch.
const maxSourceBytes = 256 << 20

// Lines returns a source that repeats the lines of a file, up to maxSourceBytes of them. It decompresses a file whose
// name ends in .gz.
func Lines(name string) (Source, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			return nil, fmt.Errorf("unpacking %s: %w", name, err)
		}
	}
	s := new(lines)
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxSourceBytes)
	for kept := 0; kept < maxSourceBytes && scanner.Scan(); {
		if line := bytes.TrimSpace(scanner.Bytes()); len(line) > 0 {
			s.lines = append(s.lines, bytes.Clone(line))
			kept += len(line)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(s.lines) == 0 {
		return nil, fmt.Errorf("%s: it has no records", name)
	}
	return s, nil
}

type lines struct {
	lines [][]byte
	n     int
}

// Next implements Source.
func (s *lines) Next() (key, value []byte) {
	s.n++
	return nil, s.lines[(s.n-1)%len(s.lines)]
}

// Check implements Source. The findings in a file's records are unknown.
func (s *lines) Check(processor.Status) error { return nil }
