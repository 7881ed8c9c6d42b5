package broker

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// trust is whom to trust and what to show, as the files have it at each handshake.
type trust struct {
	authorities *files[*x509.CertPool]   // nil means the system's
	certificate *files[*tls.Certificate] // nil means none
	serverName  string
}

// openTLS reads the files.
func openTLS(o *TLS, log *slog.Logger) (*trust, error) {
	t := &trust{serverName: o.ServerName}
	var errs []error
	if o.CAFile != "" {
		t.authorities = &files[*x509.CertPool]{option: optionCA, names: []string{o.CAFile}, log: log,
			parse: func(contents [][]byte) (*x509.CertPool, error) { return parseAuthorities(o.CAFile, contents[0]) }}
		errs = append(errs, t.authorities.open())
	}
	if o.CertificateFile != "" && o.KeyFile != "" {
		t.certificate = &files[*tls.Certificate]{option: optionCertificate, names: []string{o.CertificateFile, o.KeyFile}, log: log,
			parse: func(contents [][]byte) (*tls.Certificate, error) { return parsePair(o, contents[0], contents[1]) }}
		errs = append(errs, openPair(t.certificate, o))
	}
	return t, errors.Join(errs...)
}

// openPair reads certificate and key, and tells of the files one by one where they cannot be read.
func openPair(pair *files[*tls.Certificate], o *TLS) error {
	_, certificateErr := readFile(o.CertificateFile)
	_, keyErr := readFile(o.KeyFile)
	if certificateErr == nil && keyErr == nil {
		return pair.open()
	}
	var errs []error
	if certificateErr != nil {
		errs = append(errs, &Fault{optionCertificate, certificateErr})
	}
	if keyErr != nil {
		errs = append(errs, &Fault{optionKey, keyErr})
	}
	return errors.Join(errs...)
}

// config returns what holds for a handshake with the host that begins now.
func (t *trust) config(host string) *tls.Config {
	config := &tls.Config{MinVersion: minVersion, ServerName: t.serverName}
	if t.serverName == "" {
		config.ServerName = host
	}
	if t.authorities != nil {
		config.RootCAs = t.authorities.get()
	}
	if t.certificate != nil {
		pair := t.certificate.get()
		// Not Certificates: of those Go sends none at all where the broker's list of authorities lacks ours,
		// and the broker's refusal would speak of a missing certificate.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
	return config
}

// parseAuthorities reads certificates. A block that is none is a mistake: a key stands in the wrong file.
func parseAuthorities(name string, content []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	found := 0
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("reading %q: it has a %q; allowed: certificates in PEM", name, block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading %q: certificate %d: %w", name, found+1, err)
		}
		pool.AddCert(certificate)
		found++
	}
	if found == 0 {
		return nil, fmt.Errorf("reading %q: it has no certificate in PEM", name)
	}
	return pool, nil
}

// parsePair reads a certificate and its key. They belong together, and hold today.
func parsePair(o *TLS, certificate, key []byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("reading %q with key %q: %w", o.CertificateFile, o.KeyFile, err)
	}
	switch now := time.Now(); {
	case now.After(pair.Leaf.NotAfter):
		return nil, fmt.Errorf("reading %q: the certificate expired at %s", o.CertificateFile, pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(pair.Leaf.NotBefore):
		return nil, fmt.Errorf("reading %q: the certificate does not hold before %s", o.CertificateFile, pair.Leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return &pair, nil
}
