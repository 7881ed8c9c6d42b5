// mutate tests the tests: it makes one change at a time to a package's code, runs the package's own tests, and reports each
// change that no test notices. It never touches the files. It builds the package once with every change in it, each behind a
// switch, and runs for each only the tests that get to it; the few changes that cannot be switched are built one by one.
//
//	mutate [-seed N] [-sample N] [-only TEXT] [-accepted FILE] FOLDER...
//
// FOLDER is a package's folder. It tries all changes, or with -sample so many of each package, drawn uniformly, the same for
// the same seed and code. With -only, it takes the changes whose line holds the text, such as "start.go: retry: 0". Accepted
// changes, which alter nothing that a test could or should notice, are listed in a file with a reason for each:
//
//	file: function: before => after # reason
//	file: function: before => after [2] # reason, for the second such place where the function has several
//
// The exit status is 1 if any other change survives, or an accepted one does not exist.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// options are what the flags say.
type options struct {
	seed            uint64
	sample, workers int
	accepted, only  string
	list            bool
}

func main() {
	var o options
	flag.Uint64Var(&o.seed, "seed", 1, "of the sample")
	flag.IntVar(&o.sample, "sample", 0, "changes per package; 0 takes all")
	flag.StringVar(&o.accepted, "accepted", ".ci/mutate/accepted", "file of accepted changes; empty for none")
	flag.IntVar(&o.workers, "workers", 2, "test runs at a time")
	flag.StringVar(&o.only, "only", "", "only changes whose line holds this text")
	flag.BoolVar(&o.list, "list", false, "only list the changes")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: mutate [flags] FOLDER..., from the root of the repository")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(o options, folders []string) error {
	accepted, err := readAccepted(o.accepted)
	if err != nil {
		return err
	}
	survived, all := 0, 0
	for _, folder := range folders {
		folder = path.Clean(filepath.ToSlash(folder))
		p, mutants, err := find(folder)
		if err != nil {
			return err
		}
		if err := accepted.check(folder, mutants); err != nil {
			return err
		}
		chosen := choose(o, mutants)
		if len(chosen) == 0 {
			return fmt.Errorf("%s: no change has %q in its line", folder, o.only)
		}
		if o.list {
			for _, m := range chosen {
				fmt.Println(m)
			}
			continue
		}
		n, broken, err := try(p, mutants, chosen, o.workers, accepted)
		if err != nil {
			return err
		}
		survived, all = survived+n, all+len(chosen)-broken
	}
	if survived > 0 {
		return fmt.Errorf("%d of %d changes survived (seed %d): write the test that fails, or accept each, as printed but without its line, with a reason in %s", survived, all, o.seed, cmp.Or(o.accepted, "a file"))
	}
	return nil
}

// choose returns the changes to try.
func choose(o options, mutants []*mutant) []*mutant {
	chosen := slices.DeleteFunc(slices.Clone(mutants), func(m *mutant) bool { return !strings.Contains(m.String(), o.only) })
	if o.sample <= 0 || o.sample >= len(chosen) {
		return chosen
	}
	r := rand.New(rand.NewPCG(o.seed, uint64(len(chosen))))
	r.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	return chosen[:o.sample]
}

// try tries the chosen changes of a package. It returns how many unaccepted ones survived, and how many do not compile.
func try(p *source, mutants, chosen []*mutant, workers int, accepted accepted) (survived, broken int, err error) {
	scratch, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(scratch)
	defer onInterrupt(func() { _ = os.RemoveAll(scratch) })()
	fmt.Fprintf(os.Stderr, "%s: building, and running each test once\n", p.folder)
	s, err := newSuite(p, mutants, scratch, workers)
	if err != nil {
		return 0, 0, err
	}
	var mu sync.Mutex
	outcomes := map[outcome]int{}
	inParallel(workers, len(chosen), func(i int) {
		m := chosen[i]
		got := outcomeAccepted
		if _, known := accepted.lines[m.exactKey()]; !known {
			got = s.try(m)
		}
		mu.Lock()
		defer mu.Unlock()
		outcomes[got]++
		if got == outcomeSurvived || got == outcomeMissed {
			fmt.Printf("%-9s %s\n", got, m)
		}
	})
	survived = outcomes[outcomeSurvived] + outcomes[outcomeMissed]
	fmt.Printf("%s: %d changes: %d noticed (%d by hanging), %d accepted, %d do not compile, %d survived\n", p.folder, len(chosen),
		outcomes[outcomeFailed]+outcomes[outcomeHung], outcomes[outcomeHung], outcomes[outcomeAccepted], outcomes[outcomeBroken], survived)
	return survived, outcomes[outcomeBroken], nil
}

// onInterrupt does something before a signal ends the program, until stop is called.
func onInterrupt(do func()) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; ok {
			do()
			os.Exit(130)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}
