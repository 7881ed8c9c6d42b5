// Package setup turns settings into the options of the packages that do the work. Every command that connects to brokers
// uses it, so all commands connect in the same way.
package setup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
)

// ReachTimeout bounds how long brokers may take to answer a command's first requests.
const ReachTimeout = 10 * time.Second

// Connection returns how to connect to the brokers in the settings. It logs files that are read again; log may be nil.
func Connection(s *config.Settings, log *slog.Logger) (*broker.Connection, error) {
	c, err := broker.Open(connectionOptions(s, log))
	if err != nil {
		if files := blameFiles(s, err); files != nil {
			err = files
		}
		return nil, cli.Mistake(err)
	}
	return c, nil
}

// CheckConnection returns the mistakes in the files that the settings name for the brokers. Mistakes in the settings
// themselves are reported when they are loaded.
func CheckConnection(s *config.Settings) error {
	_, err := broker.Open(connectionOptions(s, nil))
	return blameFiles(s, err)
}

// blameFiles turns mistakes in files into mistakes of the settings that name the files.
func blameFiles(s *config.Settings, err error) error {
	var errs []error
	for _, fault := range broker.Faults(err) {
		errs = append(errs, s.Blame(fault.Option, fault.Err))
	}
	return errors.Join(errs...)
}

func connectionOptions(s *config.Settings, log *slog.Logger) broker.Options {
	o := broker.Options{
		Addresses: s.Brokers,
		Logger:    log,
		SASL: broker.SASL{
			Mechanism:    s.SASLMechanism,
			Username:     s.SASLUsername,
			Password:     broker.NewSecret(s.SASLPassword),
			PasswordFile: s.SASLPasswordFile,
			OAuth:        oauthOptions(s),
		},
	}
	if s.TLS {
		o.TLS = &broker.TLS{
			CAFile:          s.TLSCA,
			CertificateFile: s.TLSCertificate,
			KeyFile:         s.TLSKey,
			ServerName:      s.TLSServerName,
		}
	}
	return o
}

func oauthOptions(s *config.Settings) broker.OAuth {
	o := broker.OAuth{
		TokenFile:        s.OAuthTokenFile,
		TokenCommand:     strings.Fields(s.OAuthTokenCommand),
		TokenURL:         s.OAuthTokenURL,
		ClientID:         s.OAuthClientID,
		ClientSecret:     broker.NewSecret(s.OAuthClientSecret),
		ClientSecretFile: s.OAuthClientSecretFile,
		Scopes:           s.OAuthScope,
		Extensions:       map[string]string{},
	}
	for _, pair := range s.OAuthExtensions {
		name, value, _ := strings.Cut(pair, "=")
		o.Extensions[name] = value
	}
	return o
}

// Reach connects to the brokers and returns a client. The error says why they are unreachable; a plain client would retry
// for a long time and say less.
func Reach(ctx context.Context, s *config.Settings, opts ...kgo.Opt) (*kgo.Client, error) {
	c, err := Connection(s, nil)
	if err != nil {
		return nil, err
	}
	if err := check.Reach(ctx, c); err != nil {
		return nil, err
	}
	return Client(s, opts...)
}

// Client returns a client for the brokers in the settings.
func Client(s *config.Settings, opts ...kgo.Opt) (*kgo.Client, error) {
	c, err := Connection(s, nil)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(c.ClientOpts(), opts...)...)
	if err != nil {
		return nil, cli.Mistake(fmt.Errorf("brokers: %w", err))
	}
	return client, nil
}
