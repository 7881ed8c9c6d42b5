package config

import "fmt"

// Source is a kind of place that settings come from. The zero value is FromDefault; a greater source
// overrides a lesser one.
type Source uint8

// The sources, the weakest first.
const (
	FromDefault Source = iota
	FromFile
	FromEnvironment
	FromFlag
)

// Origin is where one value came from.
type Origin struct {
	Source Source
	// Name is the setting's for a default, the flag with its dashes, the variable, or the file.
	Name string
	// Line and Column are the value's place in a file, from 1.
	Line, Column int
}

// String returns the origin for people: "flag --group", "environment REGIONWATCH_GROUP",
// "file regionwatch.yaml:3:8", "default of group".
func (o Origin) String() string {
	switch o.Source {
	case FromFlag:
		return "flag " + o.Name
	case FromEnvironment:
		return "environment " + o.Name
	case FromFile:
		return fmt.Sprintf("file %s:%d:%d", o.Name, o.Line, o.Column)
	default:
		return "default of " + o.Name
	}
}
