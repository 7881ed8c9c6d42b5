// Package processortest helps tests use an embedded broker: a cluster that ends with its test, records in, records out.
//
// Every helper takes the test, fails it on an error and cleans up after it. Goroutines belong to the clients and clusters,
// which are closed when the test ends, clients first.
package processortest
