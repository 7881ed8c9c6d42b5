// Package helm holds the chart regionwatch and its tests. It is a module of its own, so that the program's
// stays without Helm and Kubernetes.
//
// The tests render the chart with Helm itself, a tool of this module, and read the result as Kubernetes
// does: unknown fields are errors, the checks of the admission plugin judge the pods, and the program, built
// from the tree around this folder, judges the settings and the policy.
package helm
