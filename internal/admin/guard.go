package admin

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// securityPolicy lets the page load its own files and its own stream, and nothing else from anywhere. Trusted Types make
// the browser refuse what would turn text into markup.
const securityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guard sets the headers of every answer, and turns away who has no business here. With loopback the server listens for
// this machine alone, and then a request under any other name comes from a browser that was told that the name of some
// site is our address (DNS rebinding). One that listens for others has names that we cannot know.
func guard(next http.Handler, loopback bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", securityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY") // frame-ancestors, for browsers that do not know it
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case loopback && !isLoopbackName(r.Host):
			answer(w, http.StatusMisdirectedRequest, "this server answers to localhost and to addresses only")
		case isForeign(r):
			answer(w, http.StatusForbidden, "other sites may link to this server, not read it")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isForeign reports whether a page of another site makes the request, without the user going there. Browsers say so in
// headers that a page cannot set (Fetch Metadata); others do not send them.
func isForeign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

// isLoopback reports whether only this machine can reach the address.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// isLoopbackName reports whether a Host header names this machine whatever a name server says: localhost and names
// under it, which are the loopback's by RFC 6761, and addresses, which are no names.
func isLoopbackName(hostPort string) bool {
	host := hostPort
	if h, _, err := net.SplitHostPort(hostPort); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}
