package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRoots wants roots of TLS in a process whose system has none. The system's are read once in a process, hence a second one.
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
