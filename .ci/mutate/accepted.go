package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// accepted are the changes that no test should notice.
type accepted struct {
	name  string
	lines map[string]int // in which line of the file each stands
}

var acceptedLine = regexp.MustCompile(`^([^ :]+\.go): [^ :]+: .+ => .+ # .*[^ ]`)

// readAccepted reads lines of "folder/file.go: function: before => after # reason".
func readAccepted(name string) (accepted, error) {
	a := accepted{name, map[string]int{}}
	if name == "" {
		return a, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return a, err
	}
	var faults []error
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		fault := func(text string) { faults = append(faults, fmt.Errorf("%s:%d: %s", name, i+1, text)) }
		key, _, _ := strings.Cut(line, " # ")
		parts := acceptedLine.FindStringSubmatch(line)
		switch {
		case parts == nil:
			fault("want folder/file.go: function: before => after # reason")
		case a.lines[key] > 0:
			fault(fmt.Sprintf("the same as line %d", a.lines[key]))
		default:
			a.lines[key] = i + 1
			if _, err := os.Stat(parts[1]); err != nil {
				fault("there is no file " + parts[1])
			}
		}
	}
	return a, errors.Join(faults...)
}

// check refuses accepted changes that the code of a package does not have, or has in several places.
func (a accepted) check(folder string, mutants []*mutant) error {
	exact, places := map[string]bool{}, map[string]int{}
	for _, m := range mutants {
		exact[m.exactKey()] = true
		places[m.key()]++
	}
	var faults []error
	for key, line := range a.lines {
		file, _, _ := strings.Cut(key, ": ")
		switch {
		case path.Dir(file) != folder || exact[key]:
		case places[key] > 1:
			faults = append(faults, fmt.Errorf("%s:%d: the function has %d such places: end it with one of [1] to [%d]", a.name, line, places[key], places[key]))
		default:
			faults = append(faults, fmt.Errorf("%s:%d: the code has no such change: %s", a.name, line, key))
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}
