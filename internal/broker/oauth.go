package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"

	"github.com/regionwatch/regionwatch/internal/livefile"
)

// OAuth is the source of OAUTHBEARER tokens: one of TokenFile, TokenCommand and TokenURL.
type OAuth struct {
	TokenFile        string            // read for each authentication
	TokenCommand     []string          // a program that prints the token, and its arguments
	TokenURL         string            // for client credentials, RFC 6749, section 4.4
	ClientID         string            // with TokenURL
	ClientSecret     Secret            // with TokenURL
	ClientSecretFile string            // instead of ClientSecret
	Scopes           []string          // with TokenURL
	Extensions       map[string]string // KIP-342
}

// openOAuth returns the mechanism.
func openOAuth(o *OAuth, log *slog.Logger) (sasl.Mechanism, error) {
	get, err := openToken(o, log)
	return tellingReason{oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
		text, err := get(ctx)
		return oauth.Auth{Token: text, Extensions: o.Extensions}, err
	})}, err
}

// openToken returns a function that returns the current token.
func openToken(o *OAuth, log *slog.Logger) (func(context.Context) (string, error), error) {
	switch {
	case o.TokenFile != "":
		file, err := livefile.OpenSecret(optionTokenFile, o.TokenFile, log)
		if err != nil {
			return nil, fault(optionTokenFile, err)
		}
		get := func(context.Context) (string, error) {
			text := file.Get()
			return text, checkTokenFile(o.TokenFile, text)
		}
		_, err = get(context.Background())
		return get, err
	case len(o.TokenCommand) > 0:
		if _, err := exec.LookPath(o.TokenCommand[0]); err != nil {
			return nil, &Fault{optionTokenCommand, fmt.Errorf("looking for %q: %w", o.TokenCommand[0], errors.Unwrap(err))} // the whole names it again
		}
		return newTokens(func(ctx context.Context) (token, error) { return runCommand(ctx, o.TokenCommand) }).get, nil
	}
	secret, err := openSecret(o.ClientSecret, optionClientSecretFile, o.ClientSecretFile, log)
	client := newTokenClient(o, secret)
	return newTokens(client.fetch).get, err
}

func checkTokenFile(name, text string) error {
	if err := (&token{text: text}).check(); err != nil {
		return &Fault{optionTokenFile, fmt.Errorf("reading %q: %w", name, err)}
	}
	return nil
}

// maxTokenBytes bounds a token, like the brokers' sasl.server.max.receive.size.
const maxTokenBytes = 512 << 10

// runCommand runs the program and returns the token it prints. Its standard error may contain secrets and is dropped.
func runCommand(ctx context.Context, command []string) (token, error) {
	out := bounded{left: maxTokenBytes}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) // configured by the operator
	cmd.Stdout = &out
	cmd.WaitDelay = time.Second // its children may keep the pipe open
	if err := cmd.Run(); err != nil {
		switch {
		case ctx.Err() != nil:
			err = fmt.Errorf("it took longer than %s", fetchTimeout)
		case out.left < 0:
			err = errTooLong
		}
		return token{}, &Refusal{
			Err:    fmt.Errorf("running oauth-token-command %q: %w", command[0], err),
			Remedy: "run it by hand to see its output", Passing: true,
		}
	}
	text := strings.TrimRight(out.kept.String(), "\r\n")
	return token{text, expiry(text)}, nil
}

// bounded keeps up to a fixed number of bytes.
type bounded struct {
	kept bytes.Buffer // not embedded, because its ReadFrom has no bound
	left int          // negative after too much output
}

var errTooLong = errors.New("its output is too long for a token")

// Write returns an error for output beyond the bound, which ends the program.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errTooLong
	}
	return b.kept.Write(p)
}

// tellingReason reports why the broker refuses a token. The broker answers with a JSON object (RFC 7628, section
// 3.2.2), which the client library only calls unexpected.
type tellingReason struct{ sasl.Mechanism }

// Authenticate implements [sasl.Mechanism].
func (m tellingReason) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	session, first, err := m.Mechanism.Authenticate(ctx, host)
	return reasonSession{session}, first, err
}

type reasonSession struct{ sasl.Session }

// Challenge checks the broker's answer for a reason.
func (s reasonSession) Challenge(answer []byte) (bool, []byte, error) {
	if len(answer) == 0 {
		return s.Session.Challenge(answer)
	}
	var reason struct {
		Status string `json:"status"`
	}
	_ = json.Unmarshal(answer, &reason) // if it is not JSON, the status stays empty
	return false, nil, &Refusal{
		Err:    fmt.Errorf("%w: the broker refuses the token, status %.80q", kerr.SaslAuthenticationFailed, reason.Status),
		Remedy: "check that it is for this cluster, from an issuer the broker trusts, and not expired",
	}
}
