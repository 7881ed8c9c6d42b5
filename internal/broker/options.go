package broker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
)

// Options say where the brokers are and how to speak to them. Addresses are required; the zero value of the
// others is plaintext without authentication.
type Options struct {
	Addresses []string // host:port
	TLS       *TLS     // nil means plaintext
	SASL      SASL
	Logger    *slog.Logger // told of what is read again; nil means that nobody is told
}

// TLS says whom to trust and what to show. The zero value trusts the system's authorities and shows no
// certificate. The least version is 1.2.
type TLS struct {
	CAFile          string // PEM; empty means the system's authorities
	CertificateFile string // PEM, the authorities between included; empty means none
	KeyFile         string // PEM; given where CertificateFile is
	ServerName      string // that every broker's certificate is for; empty means the host of its address
}

// SASL says how to authenticate. The zero value means not at all.
type SASL struct {
	Mechanism    string // as Kafka names it
	Username     string // of PLAIN and SCRAM
	Password     Secret // of PLAIN and SCRAM
	PasswordFile string // in place of Password
	OAuth        OAuth  // of OAUTHBEARER
}

// The names of the options by which a Fault names them: those of the program's settings.
const (
	optionCA               = "tls-ca"
	optionCertificate      = "tls-certificate"
	optionKey              = "tls-key"
	optionPasswordFile     = "sasl-password-file"
	optionTokenFile        = "oauth-token-file"
	optionTokenCommand     = "oauth-token-command"
	optionClientSecretFile = "oauth-client-secret-file"
)

// Fault is a mistake in one option, or in a file that it names.
type Fault struct {
	Option string // as the program's settings name it
	Err    error  // says what is wrong, and never what a secret is
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

// Faults returns the mistakes that err, of [Open], holds.
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

// Open checks the options and reads the files that they name. The error holds every mistake; those in
// files are a [Fault] each.
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

// check returns what options lack. The program's settings are checked before, and say it better.
func (o *Options) check() error {
	var errs []error
	if o.TLS != nil && (o.TLS.CertificateFile == "") != (o.TLS.KeyFile == "") {
		errs = append(errs, errors.New("tls-certificate and tls-key need each other"))
	}
	switch s := &o.SASL; s.Mechanism {
	case "":
	case mechanismPlain, mechanismScram256, mechanismScram512:
		if s.Username == "" || s.Password.reveal() == "" && s.PasswordFile == "" {
			errs = append(errs, fmt.Errorf("sasl-mechanism %s needs a user and a password", s.Mechanism))
		}
	case mechanismOAuth:
		if a := &s.OAuth; a.TokenFile == "" && len(a.TokenCommand) == 0 && a.TokenURL == "" {
			errs = append(errs, fmt.Errorf("sasl-mechanism %s needs a token", s.Mechanism))
		}
	case mechanismIAM:
	default:
		errs = append(errs, fmt.Errorf("sasl-mechanism %q is not known", s.Mechanism))
	}
	return errors.Join(errs...)
}

// minVersion is the least version of TLS: older ones are deprecated by RFC 8996.
const minVersion = tls.VersionTLS12

// The mechanisms as Kafka names them.
const (
	mechanismPlain    = "PLAIN"
	mechanismScram256 = "SCRAM-SHA-256"
	mechanismScram512 = "SCRAM-SHA-512"
	mechanismOAuth    = "OAUTHBEARER"
	mechanismIAM      = "AWS_MSK_IAM"
)
