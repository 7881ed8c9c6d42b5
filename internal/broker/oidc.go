package broker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// tokenClient fetches tokens with client credentials.
type tokenClient struct {
	o      *OAuth
	secret func() string
	http   *http.Client
}

func newTokenClient(o *OAuth, secret func() string) *tokenClient {
	return &tokenClient{o: o, secret: secret, http: &http.Client{
		Timeout: fetchTimeout,
		// Following a redirect would send the secret to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// fetch requests a token. The library limits the answer to 1 MiB.
func (c *tokenClient) fetch(ctx context.Context) (token, error) {
	secret := c.secret()
	config := clientcredentials.Config{
		ClientID: c.o.ClientID, ClientSecret: secret, TokenURL: c.o.TokenURL, Scopes: c.o.Scopes,
		// Every server supports it (RFC 6749, section 2.3.1). Auto-detection would retry and report the second refusal.
		AuthStyle: oauth2.AuthStyleInHeader,
	}
	fetched, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, c.http))
	if err != nil {
		return token{}, c.explain(err, secret)
	}
	if expires := fetched.Expiry; !expires.IsZero() {
		return token{fetched.AccessToken, expires}, nil
	}
	return token{fetched.AccessToken, expiry(fetched.AccessToken)}, nil
}

// explain returns an error without the secrets that the answer may repeat.
func (c *tokenClient) explain(err error, secret string) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if sent, ok := errors.AsType[*url.Error](err); ok {
			err = &url.Error{Op: sent.Op, URL: shownURL(c.o.TokenURL), Err: sent.Err}
		}
		return &Refusal{Err: fmt.Errorf("asking oauth-token-url: %w", err), Remedy: "check the URL, and that the server is up", Passing: true}
	}
	why := fmt.Errorf("asking oauth-token-url: %s", answer.Response.Status)
	if answer.ErrorCode != "" {
		text := answer.ErrorCode + " " + answer.ErrorDescription
		for _, hidden := range append(hiddenParts(c.o.TokenURL), secret) {
			if hidden != "" {
				text = strings.ReplaceAll(text, hidden, "(secret)")
			}
		}
		why = fmt.Errorf("%w, %.300q", why, strings.TrimSpace(text))
	}
	// Rate limits and server errors may be temporary; other answers are final.
	status := answer.Response.StatusCode
	return &Refusal{Err: why, Remedy: "check oauth-client-id, its secret and oauth-scope",
		Passing: status == http.StatusTooManyRequests || status >= http.StatusInternalServerError}
}

// shownURL returns a URL without user, query and fragment, which may contain secrets.
func shownURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(hidden)"
	}
	shown := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.RawQuery != "" {
		shown.RawQuery = "(hidden)"
	}
	return shown.String()
}

// hiddenParts returns the parts of a URL that must not be shown if the answer repeats them: the query, and each value
// in it long enough to be a secret.
func hiddenParts(address string) (parts []string) {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	parts = append(parts, u.RawQuery)
	for _, values := range u.Query() {
		for _, value := range values {
			if len(value) >= minHidden {
				parts = append(parts, value, url.QueryEscape(value))
			}
		}
	}
	return parts
}

// minHidden is the minimum length of a secret. Hiding shorter values would garble the text.
const minHidden = 4
