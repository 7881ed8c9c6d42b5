// Package helm holds the chart regionwatch and the tests that hold what it promises. It is a module of its
// own, so that the program's stays without Helm and Kubernetes.
//
// The tests render the chart with Helm itself, a tool of this module, and read what comes out as Kubernetes
// does: unknown fields are errors, the pod is judged by the admission plugin's own checks, and the settings
// and the policy are judged by the program, built from the tree around this folder.
package helm
