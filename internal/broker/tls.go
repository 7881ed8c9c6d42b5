package broker

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"

	"github.com/regionwatch/regionwatch/internal/livefile"
)

// trust is the TLS configuration. Each handshake uses the current files.
type trust struct {
	authorities *livefile.Value[*x509.CertPool]   // nil means the system's
	certificate *livefile.Value[*tls.Certificate] // nil means none
	serverName  string
}

// openTLS reads the files.
func openTLS(o *TLS, log *slog.Logger) (*trust, error) {
	t := &trust{serverName: o.ServerName}
	var errs []error
	if o.CAFile != "" {
		var err error
		t.authorities, err = livefile.Open(optionCA, []string{o.CAFile}, log, func(contents [][]byte) (*x509.CertPool, error) {
			return parseAuthorities(o.CAFile, contents[0])
		})
		errs = append(errs, fault(optionCA, err))
	}
	if o.CertificateFile != "" && o.KeyFile != "" {
		errs = append(errs, t.openPair(o, log))
	}
	return t, errors.Join(errs...)
}

// openPair reads the certificate and its key. Each file that cannot be read is a separate fault.
func (t *trust) openPair(o *TLS, log *slog.Logger) (err error) {
	_, certificateErr := livefile.Read(o.CertificateFile)
	_, keyErr := livefile.Read(o.KeyFile)
	if certificateErr != nil || keyErr != nil {
		return errors.Join(fault(optionCertificate, certificateErr), fault(optionKey, keyErr))
	}
	t.certificate, err = livefile.OpenKeyPair(optionCertificate, o.CertificateFile, o.KeyFile, log)
	return fault(optionCertificate, err)
}

// config returns the configuration for a handshake with the host.
func (t *trust) config(host string) *tls.Config {
	config := &tls.Config{MinVersion: minVersion, ServerName: t.serverName}
	if t.serverName == "" {
		config.ServerName = host
	}
	if t.authorities != nil {
		config.RootCAs = t.authorities.Get()
	}
	if t.certificate != nil {
		pair := t.certificate.Get()
		// Not Certificates: Go sends none of them if the broker's list of authorities lacks ours, and the broker would
		// then complain about a missing certificate.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
	return config
}

// parseAuthorities reads certificates. Any other PEM block is a mistake, such as the wrong file with a key.
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
