package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A failed handshake is a refusal with a remedy. It is temporary if the broker may just be starting. A handshake we
// cancel is not a refusal.
func TestHandshakeFailure(t *testing.T) {
	f := func(name string, answer func(net.Conn), cancelled, refused, passing bool, remedy string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				defer theirs.Close()
				answer(theirs)
			}()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if cancelled {
				cancel()
			}
			began := time.Now()
			trusted := &trust{}
			_, err := trusted.handshake(ctx, ours, "kafka:9093")
			if took := time.Since(began); took > handshakeTimeout {
				t.Errorf("%s: given up after %v", name, took)
			}
			err = trusted.refusal("kafka:9093", err)
			r, ok := errors.AsType[*Refusal](err)
			if ok != refused || ok && (r.Passing != passing || !strings.Contains(r.Remedy, remedy)) {
				t.Errorf("%s: %v", name, err)
			}
			if !refused && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			ours.Close()
			<-ended
		})
	}
	silent := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	f("silent port", silent, false, true, true, "nothing answers")
	f("cancelled", silent, true, false, false, "")
	f("clean close", func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<12)) }, false, true, true, "closed the connection")
	f("not TLS", func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1<<12))
		_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		silent(c)
	}, false, true, false, "does not speak TLS")
}

// The remedy for an unknown authority needs no certificate.
func TestUnknownAuthorityOfNoCertificate(t *testing.T) {
	for _, err := range []error{x509.UnknownAuthorityError{}, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}} {
		if got := verificationRemedy(err); got != "give the certificate authority of the broker's certificate with --tls-ca" {
			t.Errorf("%v: %s", err, got)
		}
	}
}

// Every kind of verification error has its own remedy.
func TestVerificationFailure(t *testing.T) {
	leaf := &x509.Certificate{DNSNames: []string{"a.example"}}
	for want, err := range map[string]error{
		"use a name from the certificate (\"a.example\")": x509.HostnameError{Certificate: leaf, Host: "b.example"},
		"is valid from":                     x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired},
		"cannot be trusted; ask its owner":  x509.CertificateInvalidError{Cert: leaf, Reason: x509.IncompatibleUsage},
		"give the certificate authority of": x509.UnknownAuthorityError{Cert: leaf},
	} {
		err := (&trust{}).refusal("kafka:9093", &tls.CertificateVerificationError{UnverifiedCertificates: []*x509.Certificate{leaf}, Err: err})
		if r, ok := errors.AsType[*Refusal](err); !ok || r.Passing || !strings.Contains(r.Remedy, want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
