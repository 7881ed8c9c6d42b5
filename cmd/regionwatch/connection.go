package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker"
	"github.com/regionwatch/regionwatch/internal/broker/check"
)

// openConnection returns how the settings say that the brokers are reached. Every command that speaks to
// brokers uses it, so that each of them reaches what run reaches. The log is told of files that are read
// again; nil means that nobody is told.
func openConnection(s *config.Settings, log *slog.Logger) (*broker.Connection, error) {
	c, err := broker.Open(connectionOptions(s, log))
	if err != nil {
		if files := blameFiles(s, err); files != nil {
			err = files
		}
		return nil, mistake{err}
	}
	return c, nil
}

// checkConnection returns what is wrong with the files that the settings name for the brokers. What is wrong
// with the settings themselves has been told.
func checkConnection(s *config.Settings) error {
	_, err := broker.Open(connectionOptions(s, nil))
	return blameFiles(s, err)
}

// blameFiles returns the mistakes in files as mistakes of the settings that name them.
func blameFiles(s *config.Settings, err error) error {
	var errs []error
	for _, fault := range broker.Faults(err) {
		errs = append(errs, s.Blame(fault.Option, fault.Err))
	}
	return errors.Join(errs...)
}

// connectionOptions returns the options that settings decide.
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

// reachClient returns a client of brokers that can be reached, or what stands between us and them: a client alone would
// try again for long, and say less.
func reachClient(ctx context.Context, s *config.Settings, opts ...kgo.Opt) (*kgo.Client, error) {
	c, err := openConnection(s, nil)
	if err != nil {
		return nil, err
	}
	if err := check.Reach(ctx, c); err != nil {
		return nil, err
	}
	return newClient(s, opts...)
}

// newClient returns a client that reaches the brokers as the settings say.
func newClient(s *config.Settings, opts ...kgo.Opt) (*kgo.Client, error) {
	c, err := openConnection(s, nil)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(c.ClientOpts(), opts...)...)
	if err != nil {
		return nil, mistake{fmt.Errorf("brokers: %w", err)}
	}
	return client, nil
}
