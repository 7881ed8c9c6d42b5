package main

// The roots of Mozilla's list, for where the system has none, as in an image made from scratch. The system's own come
// first, so that whoever mounts or installs others has those alone. A module rather than a copied file: its version stands
// in go.sum and in the SBOM, govulncheck tells of a newer one, and roots that are trusted only up to a date stay so, which
// a PEM file cannot say. It costs a start about 2 ms.
import _ "golang.org/x/crypto/x509roots/fallback"
