package broker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"
)

// token is valid until it expires. A zero time means unknown.
type token struct {
	text    string
	expires time.Time
}

// fetchTimeout bounds one attempt to get a token or credentials.
const fetchTimeout = 20 * time.Second

// failurePause is how long a failure is shared with waiting connections. If each of them retried in turn, they would
// wait for minutes.
const failurePause = time.Second

// tokens caches a token for 80% of its lifetime. Brokers end a session when its token expires, and the client library
// reauthenticates after 95 to 98% of its lifetime, when a new token is available.
type tokens struct {
	fetch func(ctx context.Context) (token, error)

	turn   chan struct{} // a mutex whose wait can be cancelled
	now    token
	renew  time.Time // when to fetch the next token
	failed time.Time // when the last attempt failed
	err    error     // from the last attempt
}

func newTokens(fetch func(ctx context.Context) (token, error)) *tokens {
	return &tokens{fetch: fetch, turn: make(chan struct{}, 1)}
}

// get returns a token. If fetching fails, it returns the old one while that is valid.
func (t *tokens) get(ctx context.Context) (string, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if time.Now().Before(t.renew) {
		return t.now.text, nil
	}
	if err := t.refresh(ctx); err != nil && !time.Now().Before(t.now.expires) {
		return "", err
	}
	return t.now.text, nil
}

func (t *tokens) refresh(ctx context.Context) error {
	if t.err != nil && time.Since(t.failed) < failurePause {
		return t.err
	}
	asked := time.Now()
	bounded, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	fetched, err := t.fetch(bounded)
	if err == nil {
		err = fetched.check()
	}
	if ctx.Err() != nil {
		return ctx.Err() // not a fetch failure
	}
	if t.err = err; err != nil {
		t.failed = time.Now()
		return err
	}
	left := max(fetched.expires.Sub(asked), 0) // nothing if unknown
	t.now, t.renew = fetched, asked.Add(left/10*8)
	return nil
}

// tokenText is b64token of RFC 6750, section 2.1.
var tokenText = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// check returns why the token is unusable, without showing the token.
func (t *token) check() error {
	switch {
	case t.text == "":
		return errors.New("the token is empty")
	case !tokenText.MatchString(t.text):
		return errors.New("not a token: it has characters that tokens must not contain")
	}
	return nil
}

// expiry returns when a JSON Web Token expires (RFC 7519, section 4.1.4), or the zero time. It does not verify the
// token; the broker does.
func expiry(text string) time.Time {
	parts := strings.Split(text, ".")
	if len(parts) < 2 {
		return time.Time{}
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}
	}
	var found struct {
		Expires float64 `json:"exp"`
	}
	const farthest = 1 << 40 // about 34,000 years
	if json.Unmarshal(claims, &found) != nil || found.Expires <= 0 || found.Expires > farthest {
		return time.Time{}
	}
	return time.Unix(int64(found.Expires), 0)
}
