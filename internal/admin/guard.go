package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// securityPolicy lets the page load its own files and stream, and nothing else. Trusted Types make the browser refuse to
// turn text into markup.
const securityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guard sets security headers on every answer and refuses unknown hosts and cross-site requests. A request with an
// unknown host name comes from a browser that resolved another site's name to our address (DNS rebinding).
func guard(next http.Handler, hosts []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", securityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY") // frame-ancestors, for older browsers
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !isKnownHost(r.Host, hosts):
			answer(w, http.StatusMisdirectedRequest, "this server answers to localhost, IP addresses and the names of --admin-hosts")
		case isForeign(r):
			answer(w, http.StatusForbidden, "other sites may link to this server, not read it")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isForeign reports whether the page of another site made the request, other than by a link the user followed. Browsers
// say so in headers that a page cannot set (Fetch Metadata); other clients send none.
func isForeign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

// isKnownHost reports whether a Host header names this server regardless of DNS: by address, by localhost or a name
// below it, which RFC 6761 reserves for loopback, or by a configured name.
func isKnownHost(hostPort string, hosts []string) bool {
	host := hostPort
	if h, _, err := net.SplitHostPort(hostPort); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(hosts, host) {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// authenticate requires the token, if there is one: as a bearer token or as the password of any user, so that browsers
// can prompt for it. Probes need no token, because they reveal only the state of the instance.
func (s *Server) authenticate(next http.Handler) http.Handler {
	if s.token == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if _, password, basic := r.BasicAuth(); basic {
			given = password
		}
		if r.URL.Path == "/livez" || r.URL.Path == "/readyz" || sameSecret(given, s.token.Get()) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("WWW-Authenticate", `Bearer realm="regionwatch"`)
		w.Header().Add("WWW-Authenticate", `Basic realm="regionwatch", charset="UTF-8"`)
		answer(w, http.StatusUnauthorized, "send the token of --admin-token-file")
	})
}

// sameSecret compares in constant time.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// maxConnections bounds the connections of one listener: some scrapers and probes, and [maxListeners] live views with
// the extra connections browsers keep.
const maxConnections = 256

// boundedListener closes connections beyond the bound, so that they do not use up file descriptors.
type boundedListener struct {
	net.Listener
	open atomic.Int64
}

// Accept returns the next connection within the bound.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= maxConnections {
			return &boundedConn{Conn: conn, leave: sync.OnceFunc(func() { l.open.Add(-1) })}, nil
		}
		l.open.Add(-1)
		_ = conn.Close() // nothing was sent
	}
}

type boundedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection and makes room for another.
func (c *boundedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
