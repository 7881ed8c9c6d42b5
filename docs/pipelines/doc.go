// Package pipelines checks the configurations in docs/input.md and docs/output.md with the parsers of the tools they are
// for. It is a separate module, so that the program does not depend on those tools.
package pipelines
