// Package config reads the settings of regionwatch: from flags, environment variables, a YAML file and
// defaults, in this order of precedence.
//
// One table is the only source of truth. Flags, variables, file keys, defaults, help, completion and the
// README's table of settings all come from it: a new setting is one row there and one field of [Settings].
//
// It guarantees: all mistakes are reported together, each on one line that says where it came from, what
// the bad value was and what is allowed. A value that a stronger source overrides is checked all the
// same. Secrets have no flag, and their values appear in no error and no listing.
//
// The package starts no goroutines and does not read the policy.
package config
