package broker

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/regionwatch/regionwatch/internal/livefile"
)

// openSASL returns the mechanism. Secrets are read for each authentication.
func openSASL(o *SASL, log *slog.Logger) (sasl.Mechanism, error) {
	switch o.Mechanism {
	case mechanismPlain:
		password, err := openPassword(o, log)
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			return plain.Auth{User: o.Username, Pass: password()}, nil
		}), err
	case mechanismScram256, mechanismScram512:
		password, err := openPassword(o, log)
		auth := func(context.Context) (scram.Auth, error) {
			return scram.Auth{User: o.Username, Pass: password()}, nil
		}
		if o.Mechanism == mechanismScram256 {
			return scram.Sha256(auth), err
		}
		return scram.Sha512(auth), err
	case mechanismOAuth:
		return openOAuth(&o.OAuth, log)
	case mechanismIAM:
		return openIAM(), nil
	}
	return nil, nil // Options.check has reported the unknown name
}

// openPassword returns a function that returns the current password.
func openPassword(o *SASL, log *slog.Logger) (func() string, error) {
	return openSecret(o.Password, optionPasswordFile, o.PasswordFile, log)
}

// openSecret returns a function that returns the current secret, given directly or in a file.
func openSecret(given Secret, option, name string, log *slog.Logger) (func() string, error) {
	if name == "" {
		return given.reveal, nil
	}
	file, err := livefile.OpenSecret(option, name, log)
	if err != nil {
		return nil, fault(option, err)
	}
	return file.Get, nil
}

// Secret is a text that is never printed, not even as part of another value. The zero value means none.
type Secret struct {
	text func() string // fmt and slog print the address of a function, not its result
}

// NewSecret returns a secret. The empty text means none.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{func() string { return text }}
}

// String returns "(secret)", or "" for none.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return "(secret)"
}

// reveal returns the text.
func (s Secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return s.text()
}
