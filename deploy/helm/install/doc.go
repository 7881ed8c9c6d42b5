// Package install applies what the chart renders to a real API server with etcd, both in the test's own process. It is a
// module of its own, because it compiles Kubernetes: minutes from an empty build cache.
//
// The objects are the chart's golden files, which the chart's own tests hold to what Helm renders. They are applied as
// kubectl apply --server-side --validate=strict does. There is no controller, so the pods of workloads are created by the
// tests: the admission plugins judge them in a namespace that enforces the restricted pod security standard.
package install
