// Package compose holds the test of compose.yaml beside it: a module of its own, so that what reads such files is no
// dependency of the program. TestCompose of cmd/regionwatch tests the command lines in there.
package compose
