package broker

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A token is fetched once, kept for four fifths of its lifetime, and used until it expires if no new one is available.
func TestTokenIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, asked := time.Now(), 0
		var broken error
		source := newTokens(func(context.Context) (token, error) {
			asked++
			return token{fmt.Sprint("token-", asked), time.Now().Add(100 * time.Minute)}, broken
		})
		at := func(after time.Duration, want string, wantAsked int) {
			t.Helper()
			time.Sleep(after - time.Since(began))
			got, err := source.get(t.Context())
			if got != want || asked != wantAsked || (err != nil) != (want == "") {
				t.Errorf("after %v: %q, asked %d times, %v; want %q, %d times", after, got, asked, err, want, wantAsked)
			}
		}
		at(0, "token-1", 1)
		at(79*time.Minute, "token-1", 1)
		at(80*time.Minute, "token-2", 2)
		broken = errors.New("down")
		at(165*time.Minute, "token-2", 3)
		at(165*time.Minute, "token-2", 3) // the failure is shared for a moment
		at(179*time.Minute, "token-2", 4)
		at(181*time.Minute, "", 5)
		broken = nil
		at(181*time.Minute+time.Second, "token-6", 6)
	})
}

// A token that is good for centuries is kept, too.
func TestTokenIsKeptForCenturies(t *testing.T) {
	t.Parallel()
	asked := 0
	source := newTokens(func(context.Context) (token, error) {
		asked++
		return token{"token", time.Now().AddDate(2000, 0, 0)}, nil
	})
	for range 2 {
		if got, err := source.get(t.Context()); got != "token" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times, want once", asked)
	}
}

// What a source returns is checked before it is used.
func TestFetchedTokenIsChecked(t *testing.T) {
	t.Parallel()
	source := newTokens(func(context.Context) (token, error) { return token{"s3cret\x01", time.Now().Add(time.Hour)}, nil })
	got, err := source.get(t.Context())
	mustMention(t, err, "not a token")
	if got != "" || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%q, %v", got, err)
	}
}

// Concurrent callers share one result, a token or a failure, and can cancel their wait.
func TestTokenIsShared(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]error{"token": nil, "failure": errors.New("down")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				source := newTokens(func(context.Context) (token, error) {
					asked++
					time.Sleep(5 * time.Second)
					return token{"token", time.Now().Add(time.Hour)}, fail
				})
				var all sync.WaitGroup
				for range 20 {
					all.Go(func() {
						if _, err := source.get(t.Context()); !errors.Is(err, fail) {
							t.Errorf("got %v, want %v", err, fail)
						}
					})
				}
				all.Go(func() {
					impatient, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					time.Sleep(time.Millisecond)
					if _, err := source.get(impatient); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("given up: %v", err)
					}
				})
				all.Wait()
				if asked != 1 {
					t.Errorf("asked %d times, want once", asked)
				}
			})
		})
	}
}

// A source that hangs times out. A cancelled caller does not affect the next one.
func TestTokenIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context) (token, error) {
			<-ctx.Done()
			return token{}, ctx.Err()
		}
		source := newTokens(hang)
		began := time.Now()
		if _, err := source.get(t.Context()); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != fetchTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		gone, cancel := context.WithCancel(t.Context())
		source = newTokens(hang)
		go cancel()
		if _, err := source.get(gone); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		source.fetch = func(context.Context) (token, error) { return token{text: "token"}, nil }
		if got, err := source.get(t.Context()); got != "token" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// A value that is not a token is neither sent nor shown.
func TestTokenCheck(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"abc": true, "a.b-c_d~e+f/g==": true, "": false, "a b": false, "a\x01auth=b": false, "a=b": false, "{}": false, "Bearer abc": false,
	} {
		err := (&token{text: text}).check()
		if (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	claims := func(text string) string { return "h." + base64.RawURLEncoding.EncodeToString([]byte(text)) + ".s" }
	for text, want := range map[string]int64{
		claims(`{"exp":1800000000}`): 1800000000, claims(`{"exp":1800000000.9}`): 1800000000,
		strings.TrimSuffix(claims(`{"exp":1}`), ".s"): 1, claims(`{"exp":1099511627776}`): 1 << 40, claims(`{"exp":1099511627777}`): 0,
		strings.Replace(claims(`{"exp":1800000000}`), ".s", "!.s", 1): 0,
		claims(`{"sub":"x"}`): 0, claims(`{"exp":-1}`): 0, claims(`{"exp":1e300}`): 0, claims(`{"exp":"x"}`): 0, claims(`[`): 0,
		"": 0, "opaque": 0, "a.!.c": 0,
	} {
		got := expiry(text)
		if want == 0 && !got.IsZero() || want != 0 && !got.Equal(time.Unix(want, 0)) {
			t.Errorf("%q: %v, want %d", text, got, want)
		}
	}
}
