package config

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// parseHost reads the name or address of a host, without a port. It may be empty.
func parseHost(word string) (string, error) {
	if strings.ContainsFunc(word, notInHost) {
		return "", errors.New("is not a host name")
	}
	return word, nil
}

var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// parseHostName reads a DNS name and returns it in lower case, without the root's dot.
func parseHostName(word string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(word, "."))
	if !hostName.MatchString(name) {
		return "", errors.New("is not a host name")
	}
	return name, nil
}

// parseSecret reads a secret. A line break in it is a mistake.
func parseSecret(word string) (string, error) {
	if strings.ContainsAny(word, "\r\n\x00") {
		return "", errors.New("has more than one line")
	}
	return word, nil
}

// parseCommand reads a program and its arguments. There is no quoting, because no shell is involved.
func parseCommand(word string) (string, error) {
	switch {
	case word != "" && strings.TrimSpace(word) == "":
		return "", errors.New("names no program")
	case strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", errors.New("has characters that cannot be printed")
	case strings.ContainsAny(word, "\"'`$|<>;&"):
		return "", errors.New("needs a shell; put it into a script")
	}
	return word, nil
}

// parseTokenURL reads a URL that a secret is sent to, so it must be encrypted or local.
func parseTokenURL(word string) (string, error) {
	u, err := url.Parse(word)
	switch {
	case word == "":
		return "", nil
	case err != nil || u.Host == "":
		return "", errors.New("is not a URL")
	case u.User != nil:
		return "", errors.New("contains a user")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return "", errors.New("is not https")
	}
	return word, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// scope is a scope token of RFC 6749, section 3.3, without the comma that separates scopes here.
var scope = regexp.MustCompile(`^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$`)

func parseScope(word string) (string, error) {
	if !scope.MatchString(word) {
		return "", errors.New("has characters not allowed in a scope")
	}
	return word, nil
}

// extension is a key and value of RFC 7628, section 3.1.
var extension = regexp.MustCompile(`^[A-Za-z]+=[\x21-\x7e]+$`)

func parseExtension(word string) (string, error) {
	name, _, _ := strings.Cut(word, "=")
	switch {
	case !extension.MatchString(word):
		return "", errors.New("is not name=value")
	case name == "auth":
		return "", errors.New("uses the name of the token itself")
	}
	return word, nil
}
