package livefile

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A file of exactly the maximum size is read, one byte more is refused, and neither leaves a descriptor open.
//
// Guards: the bound and the deferred Close in Read.
func TestReadBound(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if _, err := Read(os.DevNull); err != nil { // the first file that a process opens has it open a poller for good
		t.Fatal(err)
	}
	before := descriptors(t)
	for size, ok := range map[int]bool{0: true, MaxBytes: true, MaxBytes + 1: false} {
		if err := os.WriteFile(name, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		content, err := Read(name)
		if (err == nil) != ok || ok && len(content) != size || err != nil && !strings.HasSuffix(err.Error(), "is larger than 4 MiB") {
			t.Errorf("%d bytes: read %d, %v", size, len(content), err)
		}
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs /proc")
	}
	return len(open)
}

// A half-finished rotation keeps the last good value and is logged once.
func TestRotation(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	write("first\r\n")
	v, err := OpenSecret("token-file", name, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	write("")
	for range 3 {
		if got := v.Get(); got != "first" {
			t.Errorf("an empty file: %q", got)
		}
	}
	if n := strings.Count(log.String(), "it is empty"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
	write("first\r\n") // good again, and the same
	if got := v.Get(); got != "first" || strings.Contains(log.String(), "read changed files") {
		t.Errorf("rewritten: %q, log %s", got, log.String())
	}
	write("")
	if v.Get(); strings.Count(log.String(), "it is empty") != 2 {
		t.Errorf("the same fault after a good file: %s", log.String())
	}
	write("second")
	for range 2 {
		if got := v.Get(); got != "second" || strings.Contains(log.String(), "second") || strings.Count(log.String(), `msg="read changed files" setting=token-file files=`) != 1 {
			t.Errorf("after the rotation: %q, log %s", got, log.String())
		}
	}
	write("")
	if v.Get(); strings.Count(log.String(), "it is empty") != 3 {
		t.Errorf("the same fault after another file: %s", log.String())
	}
	write("third")
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if got := v.Get(); got != "second" || !strings.Contains(log.String(), "no such file") {
		t.Errorf("without a file: %q, log %s", got, log.String())
	}
}

func TestOpenSecretFailure(t *testing.T) {
	name := filepath.Join(t.TempDir(), "secret")
	f := func(text, want string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := OpenSecret("token-file", name, slog.New(slog.DiscardHandler))
		if want = fmt.Sprintf("reading %q: %s", name, want); v != nil || err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	f("", "it is empty")
	f("\r\n", "it is empty")
	for _, text := range []string{"a\nb", "a\n\n", "a\rb\n", "a\x00"} {
		f(text, "it has more than one line; allowed: the secret and nothing else")
	}
	missing := name + "x"
	if v, err := OpenSecret("token-file", missing, slog.New(slog.DiscardHandler)); v != nil || err == nil || err.Error() != fmt.Sprintf("reading %q: no such file or directory", missing) {
		t.Errorf("no file: %v", err)
	}
}

// keyPair writes a certificate that is valid from and until some hours from now, and its key.
func keyPair(t *testing.T, from, until time.Duration) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(from), NotAfter: now.Add(until)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	certificate, key = filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key")
	for name, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// A pair is used if its parts match and the certificate is valid now.
func TestOpenKeyPair(t *testing.T) {
	f := func(certificate, key, want string) {
		t.Helper()
		v, err := OpenKeyPair("tls-certificate", certificate, key, slog.New(slog.DiscardHandler))
		if want == "" {
			if err != nil || v.Get() == nil || len(v.Get().Certificate) != 1 || v.Get().PrivateKey == nil {
				t.Errorf("%v, %v", v, err)
			}
		} else if v != nil || err == nil || !strings.Contains(err.Error(), fmt.Sprintf("reading %q", certificate)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	certificate, key := keyPair(t, -time.Hour, time.Hour)
	f(certificate, key, "")
	_, other := keyPair(t, -time.Hour, time.Hour)
	f(certificate, other, "private key does not match public key")
	f(key, certificate, "failed to find")
	certificate, key = keyPair(t, -2*time.Hour, -time.Hour)
	f(certificate, key, "the certificate expired at ")
	certificate, key = keyPair(t, time.Hour, 2*time.Hour)
	f(certificate, key, "the certificate is not valid before ")
}
