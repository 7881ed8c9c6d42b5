package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/regionwatch/regionwatch/internal/broker"
)

// expirySoon is how long before its expiry a certificate is reported.
const expirySoon = 30 * 24 * time.Hour

// reach resolves, connects to and tries each address, and returns the addresses of brokers that answer. The processor
// needs only one of them to start, so if one answers, failures of the others are warnings.
func (c *checker) reach(ctx context.Context) []string {
	seeds := make([]*seed, len(c.o.Connection.Addresses()))
	for i, address := range c.o.Connection.Addresses() {
		seeds[i] = &seed{c: c, address: address}
	}
	defer func() {
		for _, s := range seeds {
			s.close()
		}
	}()
	alive := c.each(ctx, seeds, (*seed).resolve)
	alive = c.each(ctx, alive, (*seed).connect)
	if c.o.Connection.Secured() {
		alive = c.each(ctx, alive, (*seed).secure)
	} else if len(alive) > 0 {
		c.add(Step{Name: stepTLS, Status: NotUsed, Detail: "plaintext; --tls is not given"})
	}
	if len(alive) == 0 {
		return nil
	}
	var addresses []string
	for _, s := range alive {
		addresses = append(addresses, s.address)
	}
	for i := range c.report.Steps {
		if step := &c.report.Steps[i]; step.Status == Refused {
			step.Status = Warning
		}
	}
	return addresses
}

// each runs one step for every seed and returns the seeds for which it succeeded.
func (c *checker) each(ctx context.Context, seeds []*seed, step func(*seed, context.Context) Step) (alive []*seed) {
	for _, s := range seeds {
		attempt, cancel := context.WithTimeout(ctx, c.patience)
		told := step(s, attempt)
		cancel()
		if told.Status != Refused {
			alive = append(alive, s)
		}
		c.add(told)
	}
	return alive
}

// seed is one of the configured addresses.
type seed struct {
	c       *checker
	address string
	conn    net.Conn // from the last step; nil before connecting
}

func (s *seed) close() {
	if s.conn != nil {
		s.conn.Close()
	}
}

func (s *seed) resolve(ctx context.Context) Step {
	host, _, _ := net.SplitHostPort(s.address) // already validated by the settings
	step := Step{Name: stepResolve, Of: host}
	if net.ParseIP(host) != nil {
		step.Detail = "an address already"
		return step
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		step.Status, step.Error = Refused, err.Error()
		step.Remedy = "check the name in --brokers and this host's DNS"
		return step
	}
	step.Detail = some(addresses)
	return step
}

func (s *seed) connect(ctx context.Context) Step {
	step := Step{Name: stepConnect, Of: s.address}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		step.Status, step.Error, step.Remedy = Refused, err.Error(), dialRemedy(err)
		return step
	}
	s.conn = conn
	if s.c.o.Connection.Secured() {
		return step
	}
	if err := hello(ctx, conn); err != nil {
		step.Status, step.Error, step.Remedy = Refused, err.Error(), helloRemedy(err)
	}
	return step
}

func dialRemedy(err error) string {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nothing listens on that port; check the port, and that the broker is running"
	}
	return "check the route from this host to the broker's port (firewalls, network policies)"
}

func (s *seed) secure(ctx context.Context) Step {
	step := Step{Name: stepTLS, Of: s.address}
	secured, state, err := s.c.o.Connection.Secure(ctx, s.conn, s.address)
	if err == nil {
		s.conn = secured
		err = hello(ctx, secured) // with TLS 1.3, the broker checks our certificate only after the handshake
	}
	if err != nil {
		step.Status, step.Error, step.Remedy = Refused, err.Error(), helloRemedy(err)
		if r, ok := errors.AsType[*broker.Refusal](err); ok {
			step.Error, step.Remedy = r.Err.Error(), r.Remedy
		}
		return step
	}
	leaf := state.PeerCertificates[0]
	step.Detail = describeTLS(&state, leaf)
	if expiresSoon(leaf) {
		step.Status, step.Remedy = Warning, "the broker's certificate expires soon; ask its owner to renew it"
	}
	return step
}

func expiresSoon(certificate *x509.Certificate) bool {
	return time.Until(certificate.NotAfter) < expirySoon
}

// describeTLS describes the result of the handshake.
func describeTLS(state *tls.ConnectionState, leaf *x509.Certificate) string {
	return fmt.Sprintf("%s; certificate of %q by %q until %s", tls.VersionName(state.Version),
		leaf.Subject.String(), leaf.Issuer.String(), leaf.NotAfter.UTC().Format(time.RFC3339))
}

// some returns the first words of a list.
func some(words []string) string {
	const most = 5
	if len(words) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
	}
	return strings.Join(words, ", ")
}
