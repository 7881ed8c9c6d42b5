// Package install installs the chart on a real API server with etcd, both in the test's own process. It is a separate module,
// because it compiles Kubernetes: minutes from an empty build cache.
//
// Two ways lead there. The chart's golden files, which the chart's own tests hold to what Helm renders, are applied as kubectl
// apply --server-side --validate=strict does. And Helm itself installs and upgrades a release. There is no controller, so the
// pods of workloads are created by the tests: the admission plugins judge them in a namespace that enforces the restricted pod
// security standard.
package install
