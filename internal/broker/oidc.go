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

// tokenClient gets tokens for client credentials.
type tokenClient struct {
	o      *OAuth
	secret func() string
	http   *http.Client
}

func newTokenClient(o *OAuth, secret func() string) *tokenClient {
	return &tokenClient{o: o, secret: secret, http: &http.Client{
		Timeout: fetchTimeout,
		// A redirection would carry the secret to a place that nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// fetch asks for a token. The library bounds the answer by 1 MiB.
func (c *tokenClient) fetch(ctx context.Context) (token, error) {
	secret := c.secret()
	config := clientcredentials.Config{
		ClientID: c.o.ClientID, ClientSecret: secret, TokenURL: c.o.TokenURL, Scopes: c.o.Scopes,
		// Every server must take it (RFC 6749, section 2.3.1). Left to find out by itself, the library would ask
		// in the other way too, and tell the second refusal for the first.
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

// explain returns an error without what the answer may repeat of the request.
func (c *tokenClient) explain(err error, secret string) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if sent, ok := errors.AsType[*url.Error](err); ok {
			err = &url.Error{Op: sent.Op, URL: shownURL(c.o.TokenURL), Err: sent.Err}
		}
		return &Refusal{Err: fmt.Errorf("asking oauth-token-url: %w", err), Remedy: "is the address right, and up?", Passing: true}
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
	// Too many requests and the server's own trouble pass; what else it says it will say again.
	status := answer.Response.StatusCode
	return &Refusal{Err: why, Remedy: "look at oauth-client-id, its secret and oauth-scope",
		Passing: status == http.StatusTooManyRequests || status >= http.StatusInternalServerError}
}

// shownURL returns an address without what may be a secret in it: the user, the query and the fragment.
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

// hiddenParts returns what an answer may repeat of the address and must not be shown: the query, and each value in it
// that is long enough for a secret.
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

// minHidden is the least length of a value that is taken for a secret: of a shorter one nothing would be left of the
// words around it.
const minHidden = 4
