package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// outcome is what a change did to the tests.
type outcome string

const (
	outcomeAccepted outcome = "accepted" // not tried
	outcomeFailed   outcome = "failed"   // a test noticed
	outcomeHung     outcome = "hung"     // the tests did not end, which is a way to notice
	outcomeBroken   outcome = "broken"   // does not compile
	outcomeSurvived outcome = "SURVIVED" // no test noticed
	outcomeMissed   outcome = "MISSED"   // no test gets there
)

// suite is the tests of a package, built once with all its changes.
type suite struct {
	folder, binary, scratch string
	took                    map[string]time.Duration // each test that passes, unchanged
	reaching                [][]string               // for each change, the tests that get to it, quickest first
	workers                 int
}

// newSuite builds the tests and runs each alone, without a change, to learn how long it takes and which changes it reaches.
func newSuite(p *source, mutants []*mutant, scratch string, workers int) (*suite, error) {
	binary, err := p.build(mutants, scratch)
	if err != nil {
		return nil, err
	}
	s := &suite{p.folder, binary, scratch, map[string]time.Duration{}, make([][]string, len(mutants)+1), workers}
	out, err := runTests(p.folder, binary, time.Minute, nil, "-test.list", "^(Test|Fuzz|Example)")
	if err != nil {
		return nil, fmt.Errorf("listing the tests of %s: %w\n%s", p.folder, err, out)
	}
	names := strings.Fields(string(out))
	reached := make([][]byte, len(names))
	errs := make([]error, len(names))
	took := make([]time.Duration, len(names))
	inParallel(workers, len(names), func(i int) {
		file := filepath.Join(scratch, fmt.Sprintf("reached%d", i))
		if errs[i] = os.WriteFile(file, make([]byte, len(mutants)+1), 0o600); errs[i] != nil {
			return
		}
		began := time.Now()
		if out, err := runTests(p.folder, binary, 10*time.Minute, []string{"MUTANT_REACHED=" + file}, "-test.run", "^"+names[i]+"$"); err != nil {
			errs[i] = fmt.Errorf("%s of %s fails without a change: %w\n%s", names[i], p.folder, err, out)
			return
		}
		took[i] = time.Since(began)
		reached[i], errs[i] = os.ReadFile(file)
	})
	for i, name := range names {
		if errs[i] != nil {
			return nil, errs[i]
		}
		s.took[name] = took[i]
	}
	for i, name := range names {
		for id, yes := range reached[i] {
			if yes != 0 {
				s.reaching[id] = append(s.reaching[id], name)
			}
		}
	}
	for _, tests := range s.reaching {
		slices.SortFunc(tests, func(a, b string) int { return cmp.Compare(s.took[a], s.took[b]) })
	}
	return s, nil
}

// try runs the tests that reach a change: first what takes a second in all, then the rest.
func (s *suite) try(m *mutant) outcome {
	if m.alone {
		return s.tryAlone(m)
	}
	tests := s.reaching[m.id]
	if len(tests) == 0 {
		return outcomeMissed
	}
	var sum time.Duration
	quick := 0
	for quick < len(tests) && (quick == 0 || sum < time.Second) {
		sum += s.took[tests[quick]]
		quick++
	}
	for _, some := range [][]string{tests[:quick], tests[quick:]} {
		if len(some) == 0 {
			continue
		}
		if o := s.outcome(s.binary, s.limit(some), []string{"MUTANT=" + strconv.Itoa(m.id)}, "-test.run", "^("+strings.Join(some, "|")+")$"); o != outcomeSurvived {
			return o
		}
	}
	return outcomeSurvived
}

// tryAlone builds the package with one change and runs all tests.
func (s *suite) tryAlone(m *mutant) outcome {
	scratch := filepath.Join(s.scratch, fmt.Sprintf("alone%d", m.id))
	defer os.RemoveAll(scratch)
	binary, err := compile(s.folder, map[string][]byte{m.file: m.apply()}, scratch)
	if err != nil {
		return outcomeBroken
	}
	var all []string
	for name := range s.took {
		all = append(all, name)
	}
	return s.outcome(binary, s.limit(all), nil)
}

// limit is well above what tests take, also beside others.
func (s *suite) limit(tests []string) time.Duration {
	limit := 5 * time.Second
	for _, name := range tests {
		limit += 6 * s.took[name]
	}
	return min(limit, 3*time.Minute)
}

func (s *suite) outcome(binary string, limit time.Duration, environment []string, args ...string) outcome {
	_, err := runTests(s.folder, binary, limit, environment, append(args, "-test.failfast")...)
	switch {
	case err == nil:
		return outcomeSurvived
	case errors.Is(err, context.DeadlineExceeded):
		return outcomeHung
	}
	return outcomeFailed
}

// runTests runs a binary of tests in the package's folder, with a folder of its own for temporary files, and stops it and what it
// started at the limit. The timeout is for when this process is stopped first.
func runTests(folder, binary string, limit time.Duration, environment []string, args ...string) ([]byte, error) {
	temporary, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temporary)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append(args, "-test.timeout", (2*limit).String(), "-test.parallel", "8")...)
	cmd.Dir = folder
	cmd.Env = append(append(os.Environ(), "TMPDIR="+temporary), environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if ctx.Err() != nil {
		return out.Bytes(), ctx.Err()
	}
	return out.Bytes(), err
}

func inParallel(workers, n int, do func(i int)) {
	var running sync.WaitGroup
	next := make(chan int)
	for range workers {
		running.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	running.Wait()
}
