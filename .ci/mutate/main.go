// mutate tests the tests: it changes one thing in a package's code, runs the package's own tests, and reports each change
// that no test notices. It never touches the files: "go test -overlay" builds the changed one.
//
//	mutate [-seed N] [-sample N] [-only TEXT] [-accepted FILE] FOLDER...
//
// FOLDER is a package's folder. The sample is drawn uniformly from all changes of each package and is the same for the
// same seed and code. With -only, it is drawn from the changes whose line holds the text, such as "start.go: retry: 0". Accepted
// changes, which alter nothing that a test could or should notice, are listed in a file with a reason for each. The exit
// status is 1 if any other change survives.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	seed := flag.Uint64("seed", 1, "of the sample")
	sample := flag.Int("sample", 10, "changes per package; 0 takes all")
	accepted := flag.String("accepted", "", "file of accepted changes")
	workers := flag.Int("workers", 2, "test runs at a time")
	only := flag.String("only", "", "only changes whose line holds this text")
	list := flag.Bool("list", false, "only list the sample")
	flag.Parse()
	if err := run(*seed, *sample, *workers, *accepted, *only, *list, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(seed uint64, sample, workers int, acceptedFile, only string, list bool, folders []string) error {
	accepted, err := readAccepted(acceptedFile)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	survived, all := 0, 0
	for _, folder := range folders {
		mutants, err := find(folder)
		if err != nil {
			return err
		}
		mutants = slices.DeleteFunc(mutants, func(m mutant) bool { return !strings.Contains(m.String(), only) })
		total := len(mutants)
		r := rand.New(rand.NewPCG(seed, uint64(total)))
		r.Shuffle(total, func(i, j int) { mutants[i], mutants[j] = mutants[j], mutants[i] })
		if sample > 0 && sample < total {
			mutants = mutants[:sample]
		}
		if list {
			for _, m := range mutants {
				fmt.Println(m)
			}
			continue
		}
		began := time.Now()
		if out, err := test(folder, "", 10*time.Minute); err != nil {
			return fmt.Errorf("%s fails without a change: %w\n%s", folder, err, out)
		}
		limit := 3*time.Since(began) + time.Minute // includes the build, which each change repeats
		n, broken := try(mutants, folder, scratch, limit, workers, accepted)
		fmt.Printf("%s: %d of %d changes tried, %d do not compile, %d survived\n", folder, len(mutants), total, broken, n)
		survived, all = survived+n, all+len(mutants)-broken
	}
	if survived > 0 {
		return fmt.Errorf("%d of %d changes survived (seed %d): write the test that fails, or accept each with a reason in %s", survived, all, seed, acceptedFile)
	}
	return nil
}

// try runs the tests for each change. It returns how many unaccepted changes survived, and how many do not compile.
func try(mutants []mutant, folder, scratch string, limit time.Duration, workers int, accepted map[string]string) (survived, broken int) {
	var mu sync.Mutex
	var running sync.WaitGroup
	next := make(chan int)
	for range workers {
		running.Go(func() {
			for i := range next {
				m := mutants[i]
				overlay, err := m.overlay(scratch, i)
				if err != nil {
					panic(err) // the scratch folder is ours
				}
				out, err := test(folder, overlay, limit)
				reason, ok := accepted[m.key()]
				mu.Lock()
				switch {
				case strings.Contains(out, "[build failed]"):
					broken++
				case err != nil: // killed
				case ok:
					fmt.Printf("accepted  %s: %s\n", m, reason)
				default:
					fmt.Printf("SURVIVED  %s\n", m)
					survived++
				}
				mu.Unlock()
			}
		})
	}
	for i := range mutants {
		next <- i
	}
	close(next)
	running.Wait()
	return survived, broken
}

// test runs a package's tests with the files of an overlay. The workers share the processors.
func test(folder, overlay string, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	args := []string{"test", "-count=1", "-failfast", "-vet=off", "-timeout", limit.String()}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+filepath.ToSlash(filepath.Clean(folder)))...)
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", max(1, runtime.NumCPU()/2)))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// overlay writes the changed file and the overlay description that the go command reads.
func (m *mutant) overlay(scratch string, i int) (string, error) {
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(scratch, fmt.Sprintf("%d.go", i))
	if err := os.WriteFile(changed, m.apply(), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(scratch, fmt.Sprintf("%d.json", i))
	return name, os.WriteFile(name, text, 0o600)
}

// readAccepted reads lines of "file: function: before => after # reason".
func readAccepted(name string) (map[string]string, error) {
	accepted := map[string]string{}
	if name == "" {
		return accepted, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for i, line := range slices.Collect(strings.Lines(string(text))) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		key, reason, ok := strings.Cut(line, " # ")
		if !ok || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s:%d: no reason", name, i+1)
		}
		accepted[strings.TrimSpace(key)] = reason
	}
	return accepted, nil
}
