// Package pipelines checks the configurations in docs/input.md and docs/output.md with the parsers of the tools they are
// for. It is a module of its own, so that the program does not depend on those tools.
package pipelines
