package broker

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// authenticate returns the mechanism's first answer to a broker, with the separators made visible.
func authenticate(t *testing.T, c *Connection) (string, error) {
	t.Helper()
	_, first, err := c.mechanism.Authenticate(t.Context(), "b-1.x.kafka.eu-west-1.amazonaws.com:9098")
	return string(bytes.ReplaceAll(first, []byte{1}, []byte("^"))), err
}

func openOAuthTest(t *testing.T, o OAuth) *Connection {
	t.Helper()
	return mustOpen(t, Options{Addresses: []string{"localhost:1"}, SASL: SASL{Mechanism: "OAUTHBEARER", OAuth: o}})
}

// The token file is read for each authentication. Extensions are sent with the token.
func TestTokenFile(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	c := openOAuthTest(t, OAuth{TokenFile: f.put("token", []byte("one\n")), Extensions: map[string]string{"logicalCluster": "lkc-1"}})
	for _, want := range []string{"one", "two"} {
		f.put("token", []byte(want))
		if got, err := authenticate(t, c); err != nil || got != "n,,^auth=Bearer "+want+"^logicalCluster=lkc-1^^" {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// TestMain lets the test binary act as the program that prints a token.
func TestMain(m *testing.M) {
	switch os.Getenv("BROKER_TEST_TOKEN") {
	case "":
		os.Exit(m.Run())
	case "fails":
		fmt.Fprintln(os.Stderr, "s3cret")
		os.Exit(3)
	case "full":
		fmt.Print(strings.Repeat("x", maxTokenBytes))
		os.Exit(3)
	case "endless":
		for {
			if _, err := fmt.Println(strings.Repeat("x", 1<<10)); err != nil {
				os.Exit(1)
			}
		}
	case "hangs":
		time.Sleep(time.Hour)
	}
	fmt.Println(os.Getenv("BROKER_TEST_TOKEN"), os.Args[1:])
}

// The program is run without a shell, and its output is the token. If it fails, hangs or prints without end, the error
// is temporary and does not repeat the output.
func TestTokenCommand(t *testing.T) {
	jwt := "h." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1800000000}`)) + ".s"
	t.Setenv("BROKER_TEST_TOKEN", jwt)
	got, err := runCommand(t.Context(), []string{os.Args[0], "$HOME", "*"})
	if err != nil || got.text != jwt+" [$HOME *]" {
		t.Errorf("%+v, %v", got, err)
	}
	for kind, want := range map[string]string{"fails": "exit status 3", "full": "exit status 3", "endless": "output is too long", "hangs": "it took longer than 20s"} {
		t.Setenv("BROKER_TEST_TOKEN", kind)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if kind == "hangs" {
			cancel() // as if the time limit had passed
		}
		_, err := runCommand(ctx, []string{os.Args[0]})
		cancel()
		mustMention(t, err, want, "oauth-token-command", "run it by hand")
		if r, ok := errors.AsType[*Refusal](err); !ok || r.Refused() || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// A program whose children keep its output open has ended all the same.
func TestTokenCommandWithChildren(t *testing.T) {
	file := newFolder(t).path + "/child"
	_, err := runCommand(t.Context(), []string{"sh", "-c", "sleep 600 & echo $! >" + file + "; echo token"})
	child, readErr := os.ReadFile(file)
	if readErr != nil {
		t.Skipf("needs a shell: %v", err)
	}
	id, readErr := strconv.Atoi(strings.TrimSpace(string(child)))
	if readErr == nil {
		readErr = syscall.Kill(id, syscall.SIGKILL)
	}
	if readErr != nil {
		t.Error(readErr)
	}
	mustMention(t, err, "WaitDelay expired", "run it by hand")
}

// Output up to the bound is kept, and one byte more ends the program.
func TestBoundedOutput(t *testing.T) {
	t.Parallel()
	b := bounded{left: 3}
	if n, err := b.Write([]byte("abc")); n != 3 || err != nil || b.left != 0 {
		t.Errorf("%d bytes, %v, %d left", n, err, b.left)
	}
	if n, err := b.Write([]byte("d")); n != 0 || !errors.Is(err, errTooLong) || b.left >= 0 || b.kept.String() != "abc" {
		t.Errorf("%d bytes, %v, kept %q", n, err, &b.kept)
	}
}

// tokenServer issues tokens to clients that present the secret.
func tokenServer(t *testing.T, secret string, answer http.HandlerFunc) (address string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if id, given, _ := r.BasicAuth(); id != "regionwatch" || given != secret || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "kafka a" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":"invalid_client","error_description":"not %s"}`, given)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func giveToken(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"access_token":"given","token_type":"Bearer","expires_in":3600}`)
}

// A token is fetched once with client credentials. The secret file is read for each token.
func TestClientCredentials(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	address, asked := tokenServer(t, "s3cret", giveToken)
	c := openOAuthTest(t, OAuth{TokenURL: address, ClientID: "regionwatch", ClientSecretFile: f.put("secret", []byte("other")), Scopes: []string{"kafka", "a"}})
	_, err := authenticate(t, c)
	mustMention(t, err, "401 Unauthorized", "invalid_client not", "oauth-client-id")
	if r, ok := errors.AsType[*Refusal](err); !ok || !r.Refused() || strings.Contains(err.Error(), "other") {
		t.Errorf("%v", err)
	}
	f.put("secret", []byte("s3cret"))
	before := asked.Load()
	c = openOAuthTest(t, OAuth{TokenURL: address, ClientID: "regionwatch", ClientSecretFile: f.path + "/secret", Scopes: []string{"kafka", "a"}})
	for range 3 {
		if got, err := authenticate(t, c); err != nil || got != "n,,^auth=Bearer given^^" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if n := asked.Load() - before; n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}

// Each failure of the token server has a remedy, and is temporary or final.
func TestClientCredentialsFailure(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the secret was carried elsewhere: %s", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	for name, test := range map[string]struct {
		answer  http.HandlerFunc
		mention string
		passes  bool
	}{
		"down":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502 Bad Gateway", true},
		"broken": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "500 Internal Server Error", true},
		"busy":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, "429 Too Many Requests", true},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "307", false},
		"huge": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(append([]byte(`{"access_token":"`), bytes.Repeat([]byte("x"), 2<<20)...))
		}, "cannot parse json", true},
		"no token": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{}`)
		}, "missing access_token", true},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := tokenServer(t, "s3cret", test.answer)
			_, err := authenticate(t, openOAuthTest(t, OAuth{TokenURL: address, ClientID: "regionwatch", ClientSecret: NewSecret("s3cret"), Scopes: []string{"kafka", "a"}}))
			mustMention(t, err, test.mention, "oauth-token-url")
			if r, ok := errors.AsType[*Refusal](err); !ok || r.Passing != test.passes || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v", err)
			}
		})
	}
}

// The query of the token URL is in no error: neither if the server is down, nor if it repeats the query.
//
// Guards: shownURL, hiddenParts.
func TestTokenURLIsNotTold(t *testing.T) {
	t.Parallel()
	address, _ := tokenServer(t, "s3cret", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_request","error_description":%q}`, r.URL.RawQuery+" and "+r.URL.Query().Get("key"))
	})
	closed := httptest.NewServer(nil)
	closed.Close()
	if parts := hiddenParts("http://a/b?x=four&y=thr"); fmt.Sprint(parts) != "[x=four&y=thr four four]" {
		t.Errorf("%q are hidden", parts)
	}
	if shown, parts := shownURL("http://a\n?key=hunter2"), hiddenParts("http://a\n?key=hunter2"); shown != "(hidden)" || parts != nil {
		t.Errorf("of no URL %q is shown, and %q hidden", shown, parts)
	}
	for where, mention := range map[string]string{closed.URL + "/token": closed.URL + "/token?(hidden)", address: "invalid_request"} {
		_, err := authenticate(t, openOAuthTest(t, OAuth{TokenURL: where + "?key=hunter%2B2&z=1", ClientID: "regionwatch",
			ClientSecret: NewSecret("s3cret"), Scopes: []string{"kafka", "a"}}))
		mustMention(t, err, mention, "oauth-token-url")
		if strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: it shows the query: %v", where, err)
		}
	}
}

// The error for a token the broker refuses includes the broker's reason.
func TestTokenRefused(t *testing.T) {
	t.Parallel()
	c := openOAuthTest(t, OAuth{TokenFile: newFolder(t).put("token", []byte("one"))})
	session, _, err := c.mechanism.Authenticate(t.Context(), "localhost:1")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = session.Challenge([]byte(`{"status":"invalid_token\u001b[2J"}`))
	mustMention(t, err, "SASL_AUTHENTICATION_FAILED", `status "invalid_token\x1b[2J"`, "not expired")
	if !errors.Is(err, kerr.SaslAuthenticationFailed) {
		t.Errorf("%v", err)
	}
	if done, _, err := session.Challenge(nil); !done || err != nil {
		t.Errorf("%v, %v", done, err)
	}
}
