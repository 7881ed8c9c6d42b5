package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// benchSource is where the records of bench come from. It belongs to one goroutine until all are taken.
type benchSource interface {
	next() (key, value []byte)
	check(status processor.Status) error // what a processor has done with all that next returned
}

// generatedSource makes records, and knows what must come of them.
type generatedSource struct {
	generator *sample.Generator
	unused    []string
}

func (g *generatedSource) next() (key, value []byte) {
	r := g.generator.Next()
	return []byte(r.Account), bytes.Clone(r.Value)
}

func (g *generatedSource) check(status processor.Status) error {
	truth := g.generator.Truth()
	if want := truth.Alerts(g.unused); status.Acked != want || status.DeadLetter != 0 {
		return fmt.Errorf("%d alerts and %d dead letters, where %d and 0 are due", status.Acked, status.DeadLetter, want)
	}
	return nil
}

// maxSourceBytes bounds what is kept of a file: enough that records seldom repeat within what is read at a time.
const maxSourceBytes = 256 << 20

// linesSource repeats the lines of a file.
type linesSource struct {
	lines [][]byte
	n     int
}

// openLinesSource reads the lines of a file, up to maxSourceBytes.
func openLinesSource(name string) (*linesSource, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, cli.Mistake(fmt.Errorf("flag --file: %w", err))
	}
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			return nil, cli.Mistake(fmt.Errorf("flag --file: unpacking %s: %w", name, err))
		}
	}
	s := new(linesSource)
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxSourceBytes)
	for kept := 0; kept < maxSourceBytes && scanner.Scan(); {
		if line := bytes.TrimSpace(scanner.Bytes()); len(line) > 0 {
			s.lines = append(s.lines, bytes.Clone(line))
			kept += len(line)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, cli.Mistake(fmt.Errorf("flag --file: reading %s: %w", name, err))
	}
	if len(s.lines) == 0 {
		return nil, cli.Mistake(fmt.Errorf("flag --file: %s: %w", name, errors.New("no line in it holds a record")))
	}
	return s, nil
}

func (s *linesSource) next() (key, value []byte) {
	s.n++
	return nil, s.lines[(s.n-1)%len(s.lines)]
}

// check has nothing to compare with: nobody has counted what must come of a file.
func (s *linesSource) check(processor.Status) error { return nil }
