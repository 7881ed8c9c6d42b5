package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRoots checks that TLS has roots on a system without any. A process reads the system's roots once, so this uses a
// second process.
func TestRoots(t *testing.T) {
	const variable = "TEST_ROOTS"
	if os.Getenv(variable) != "" {
		if roots, err := x509.SystemCertPool(); err != nil || roots.Equal(x509.NewCertPool()) {
			t.Errorf("no roots: %v", err)
		}
		return
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRoots$")
	nowhere := filepath.Join(t.TempDir(), "none")
	command.Env = append(os.Environ(), variable+"=1", "SSL_CERT_FILE="+nowhere, "SSL_CERT_DIR="+nowhere)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
