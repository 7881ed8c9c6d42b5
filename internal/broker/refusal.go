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

// Refusal is why a broker and we do not trust each other, with what the user can do about it. To ask again
// changes nothing, save where Passing is true.
type Refusal struct {
	Err     error
	Remedy  string
	Passing bool // it may as well be a broker that is being started
}

// Error returns the reason and the remedy on one line.
func (r *Refusal) Error() string { return r.Err.Error() + ": " + r.Remedy }

// Unwrap returns the reason. A connection that just ended is left out: the client library would put its own
// guess in the place of ours.
func (r *Refusal) Unwrap() error {
	if errors.Is(r.Err, io.EOF) {
		return nil
	}
	return r.Err
}

// Refused reports whether to ask again changes nothing. It is how the processor knows.
func (r *Refusal) Refused() bool { return !r.Passing }

// Temporary reports the opposite. It is how the client library knows.
func (r *Refusal) Temporary() bool { return r.Passing }

// refusal returns an error of a handshake with its remedy.
func (t *trust) refusal(address string, err error) error {
	if alert := t.alert(address, err); alert != err { //nolint:errorlint // whether it is the same, not of a kind
		return alert
	}
	where := fmt.Errorf("TLS handshake with %s: %w", address, err)
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return &Refusal{Err: where, Remedy: "the port does not speak TLS; name the brokers' TLS port, or leave --tls out"}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || isReset(err) {
		return &Refusal{Err: where, Remedy: "the broker closed the connection; if it goes on, the port may not speak TLS:" +
			" name the brokers' TLS port, or leave --tls out", Passing: true}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Refusal{Err: where, Remedy: "the port takes connections, and nobody answers; if it goes on, it may not speak TLS:" +
			" name the brokers' TLS port, or leave --tls out", Passing: true}
	}
	if remedy := t.distrust(err); remedy != "" {
		return &Refusal{Err: where, Remedy: remedy}
	}
	return where
}

// distrust returns what to do about a certificate that we do not trust, or "".
func (t *trust) distrust(err error) string {
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("reach the broker by a name of its certificate (%s), or give one with --tls-server-name", names(wrong.Certificate))
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return fmt.Sprintf("the broker's certificate holds from %s to %s; it needs a new one, unless this host's clock is wrong",
			invalid.Cert.NotBefore.UTC().Format(time.RFC3339), invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "give the certificate of the authority that signed the broker's" + issuer(err) + " with --tls-ca"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the broker's certificate cannot be trusted; its owner has to look at it"
	}
	return ""
}

// names returns what a certificate is for, bounded.
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

// issuer names who signed the certificate that was not trusted.
func issuer(err error) string {
	verification, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(verification.UnverifiedCertificates) == 0 {
		return ""
	}
	return fmt.Sprintf(" (issuer %q)", verification.UnverifiedCertificates[0].Issuer.String())
}

// alert returns err with its remedy where the broker refuses us by a TLS alert; any other as it is.
func (t *trust) alert(address string, err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" { // so crypto/tls marks what the other side said
		return err
	}
	return &Refusal{Err: fmt.Errorf("TLS with %s: %w", address, err), Remedy: t.answer(op.Err.Error())}
}

// answer returns what to do about an alert of the broker. The names are those of crypto/tls (RFC 8446,
// section 6.2).
func (t *trust) answer(alert string) string {
	switch {
	case strings.Contains(alert, "protocol version"):
		return "the broker speaks no TLS 1.2 or newer; enable one there"
	case strings.Contains(alert, "handshake failure") && t.certificate == nil:
		return "the broker and we have nothing in common; if it wants a certificate of ours, give --tls-certificate and --tls-key"
	case strings.Contains(alert, "certificate") && t.certificate == nil:
		return "the broker wants a certificate of ours; give --tls-certificate and --tls-key"
	case strings.Contains(alert, "certificate"):
		return "the broker does not take the certificate of --tls-certificate; is it signed by an authority that the broker trusts, and not expired?"
	}
	return "the broker's log says why"
}

// isReset reports whether the broker cut the connection off.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
