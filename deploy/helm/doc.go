// Package helm holds the chart regionwatch and its tests. It is a separate module, which keeps Helm and Kubernetes out
// of the program's module.
//
// The tests render the chart with Helm itself, a tool of this module, and read the result as Kubernetes does: unknown
// fields are errors, the admission plugin's checks judge the pods, and the program, built from the surrounding tree,
// judges the settings and the policy.
package helm
