package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// Refusal is a TLS or SASL failure with its remedy. Retrying cannot help unless Passing is set.
type Refusal struct {
	Err     error
	Remedy  string
	Passing bool // the broker may just be starting
}

// Error returns the reason and the remedy on one line.
func (r *Refusal) Error() string { return r.Err.Error() + ": " + r.Remedy }

// Unwrap returns the reason, except io.EOF, for which the client library would substitute its own guess.
func (r *Refusal) Unwrap() error {
	if errors.Is(r.Err, io.EOF) {
		return nil
	}
	return r.Err
}

// Refused reports whether retrying cannot help. The processor looks for this method.
func (r *Refusal) Refused() bool { return !r.Passing }

// Temporary reports whether retrying can help. The client library looks for this method.
func (r *Refusal) Temporary() bool { return r.Passing }

// refusal adds a remedy to a handshake error.
func (t *trust) refusal(address string, err error) error {
	if alert := t.alert(address, err); alert != err { //nolint:errorlint // identity: alert returns other errors unchanged
		return alert
	}
	where := fmt.Errorf("TLS handshake with %s: %w", address, err)
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return &Refusal{Err: where, Remedy: "the port does not speak TLS; give the brokers' TLS port, or omit --tls"}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || isReset(err) {
		return &Refusal{Err: where, Remedy: "the broker closed the connection; if this persists, the port may not speak TLS:" +
			" give the brokers' TLS port, or omit --tls", Passing: true}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Refusal{Err: where, Remedy: "the port accepts connections, but nothing answers; if this persists, it may not speak TLS:" +
			" give the brokers' TLS port, or omit --tls", Passing: true}
	}
	if remedy := verificationRemedy(err); remedy != "" {
		return &Refusal{Err: where, Remedy: remedy}
	}
	return where
}

// verificationRemedy returns the remedy for a certificate that cannot be verified, or "" for other errors.
func verificationRemedy(err error) string {
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("use a name from the certificate (%s) in --brokers, or give one with --tls-server-name", names(wrong.Certificate))
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return fmt.Sprintf("the broker's certificate is valid from %s to %s; it needs a new one, unless this host's clock is wrong",
			invalid.Cert.NotBefore.UTC().Format(time.RFC3339), invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "give the certificate authority of the broker's certificate" + issuer(err) + " with --tls-ca"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the broker's certificate cannot be trusted; ask its owner to fix it"
	}
	return ""
}

// names returns the names in a certificate, up to a limit.
func names(certificate *x509.Certificate) string {
	var list []string
	for _, name := range certificate.DNSNames {
		list = append(list, fmt.Sprintf("%q", name))
	}
	for _, ip := range certificate.IPAddresses {
		list = append(list, ip.String())
	}
	const most = 5
	if len(list) > most {
		list = append(list[:most], "and more")
	}
	if len(list) == 0 {
		return "it has none"
	}
	return strings.Join(list, ", ")
}

// issuer names the issuer of the certificate that could not be verified.
func issuer(err error) string {
	verification, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(verification.UnverifiedCertificates) == 0 {
		return ""
	}
	return fmt.Sprintf(" (issuer %q)", verification.UnverifiedCertificates[0].Issuer.String())
}

// alert adds a remedy to a TLS alert from the broker. It returns other errors unchanged.
func (t *trust) alert(address string, err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" { // how crypto/tls marks the peer's alerts
		return err
	}
	return &Refusal{Err: fmt.Errorf("TLS with %s: %w", address, err), Remedy: t.answer(op.Err.Error())}
}

// answer returns the remedy for an alert, identified by its crypto/tls name (RFC 8446, section 6.2).
func (t *trust) answer(alert string) string {
	switch {
	case strings.Contains(alert, "protocol version"):
		return "the broker does not support TLS 1.2 or newer; enable it there"
	case strings.Contains(alert, "handshake failure") && t.certificate == nil:
		return "no common TLS parameters; if the broker requires a client certificate, give --tls-certificate and --tls-key"
	case strings.Contains(alert, "certificate") && t.certificate == nil:
		return "the broker requires a client certificate; give --tls-certificate and --tls-key"
	case strings.Contains(alert, "certificate"):
		return "the broker rejects the certificate of --tls-certificate; it may be expired, or signed by an authority the broker does not trust"
	}
	return "see the broker's log"
}

// isReset reports whether the broker reset the connection.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
