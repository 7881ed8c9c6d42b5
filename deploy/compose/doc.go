// Package compose holds the test of compose.yaml beside it. It is a separate module, so that the parser of such files is
// not a dependency of the program. TestCompose in cmd/regionwatch tests the command lines in compose.yaml.
package compose
