// Package policyfile reads the policy that people write: a YAML file, with accounts from further files or a CSV.
//
// It is strict: what it does not know is a mistake, and every mistake is told at once with file, line and column, and
// with the nearest valid name. What it returns is compiled and ready to decide with. The keys stand in tables from
// which the JSON Schema is made too, so that the two agree.
//
// It reads the files that it is told to, starts no goroutines, and keeps nothing between calls. Watching for changes
// is not its matter.
package policyfile
