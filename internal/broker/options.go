package broker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
)

// Options configure a connection. Addresses are required. The zero value of the rest means plaintext without
// authentication.
type Options struct {
	Addresses []string // host:port
	TLS       *TLS     // nil means plaintext
	SASL      SASL
	Logger    *slog.Logger // logs when files are reread; nil discards
}

// TLS configures TLS, version 1.2 or newer. The zero value trusts the system's authorities and presents no client
// certificate.
type TLS struct {
	CAFile          string // PEM; empty means the system's authorities
	CertificateFile string // PEM, with intermediates; empty means none
	KeyFile         string // PEM; set exactly if CertificateFile is
	ServerName      string // expected in every broker's certificate; empty means its host
}

// SASL configures authentication. The zero value means none.
type SASL struct {
	Mechanism    string // as Kafka names it
	Username     string // of PLAIN and SCRAM
	Password     Secret // of PLAIN and SCRAM
	PasswordFile string // instead of Password
	OAuth        OAuth  // of OAUTHBEARER
}

// Options as a Fault names them: the program's setting names.
const (
	optionCA               = "tls-ca"
	optionCertificate      = "tls-certificate"
	optionKey              = "tls-key"
	optionPasswordFile     = "sasl-password-file"
	optionTokenFile        = "oauth-token-file"
	optionTokenCommand     = "oauth-token-command"
	optionClientSecretFile = "oauth-client-secret-file"
)

// Fault is a mistake in an option, or in a file it names.
type Fault struct {
	Option string // as the program's settings name it
	Err    error  // never shows a secret
}

// fault returns err as a mistake in an option, or nil.
func fault(option string, err error) error {
	if err == nil {
		return nil
	}
	return &Fault{option, err}
}

// Error returns the mistake on one line.
func (f *Fault) Error() string { return f.Option + ": " + f.Err.Error() }

// Unwrap returns the error without the option.
func (f *Fault) Unwrap() error { return f.Err }

// Faults returns all faults in an error of [Open].
func Faults(err error) (faults []*Fault) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			faults = append(faults, Faults(e)...)
		}
		return faults
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		faults = append(faults, f)
	}
	return faults
}

// Open checks the options and reads their files. The error contains every mistake; each mistake in a file is a [Fault].
func Open(o Options) (*Connection, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Connection{addresses: o.Addresses}
	errs := []error{o.check()}
	if o.TLS != nil {
		t, err := openTLS(o.TLS, o.Logger)
		c.tls, errs = t, append(errs, err)
	}
	if o.SASL.Mechanism != "" {
		m, err := openSASL(&o.SASL, o.Logger)
		c.mechanism, errs = m, append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// check returns which options are missing or unknown. The program validates its settings before that, with better
// messages.
func (o *Options) check() error {
	var errs []error
	if o.TLS != nil && (o.TLS.CertificateFile == "") != (o.TLS.KeyFile == "") {
		errs = append(errs, errors.New("tls-certificate and tls-key need each other"))
	}
	switch s := &o.SASL; s.Mechanism {
	case "":
	case mechanismPlain, mechanismScram256, mechanismScram512:
		if s.Username == "" || s.Password.reveal() == "" && s.PasswordFile == "" {
			errs = append(errs, fmt.Errorf("sasl-mechanism %s needs a username and a password", s.Mechanism))
		}
	case mechanismOAuth:
		if a := &s.OAuth; a.TokenFile == "" && len(a.TokenCommand) == 0 && a.TokenURL == "" {
			errs = append(errs, fmt.Errorf("sasl-mechanism %s needs a token", s.Mechanism))
		}
	case mechanismIAM:
	default:
		errs = append(errs, fmt.Errorf("sasl-mechanism %q is unknown", s.Mechanism))
	}
	return errors.Join(errs...)
}

// minVersion is the minimum TLS version; RFC 8996 deprecates older ones.
const minVersion = tls.VersionTLS12

// Mechanisms, as Kafka names them.
const (
	mechanismPlain    = "PLAIN"
	mechanismScram256 = "SCRAM-SHA-256"
	mechanismScram512 = "SCRAM-SHA-512"
	mechanismOAuth    = "OAUTHBEARER"
	mechanismIAM      = "AWS_MSK_IAM"
)
