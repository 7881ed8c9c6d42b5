package config

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// parseHost reads the name or address of a host, without a port.
func parseHost(word string) (string, error) {
	if strings.ContainsFunc(word, notInHost) {
		return "", errors.New("is no host name")
	}
	return word, nil
}

// parseSecret reads what is never shown. A line break is a slip of whoever wrote it into a file.
func parseSecret(word string) (string, error) {
	if strings.ContainsAny(word, "\r\n\x00") {
		return "", errors.New("has more than one line")
	}
	return word, nil
}

// parseCommand reads a program and its arguments. There is no shell, so nothing is quoted.
func parseCommand(word string) (string, error) {
	switch {
	case word != "" && strings.TrimSpace(word) == "":
		return "", errors.New("names no program")
	case strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", errors.New("has characters that cannot be printed")
	case strings.ContainsAny(word, "\"'`$|<>;&"):
		return "", errors.New("is for a shell; put it into a script")
	}
	return word, nil
}

// parseTokenURL reads where a secret is sent to: nobody on the way may read it.
func parseTokenURL(word string) (string, error) {
	u, err := url.Parse(word)
	switch {
	case word == "":
		return "", nil
	case err != nil || u.Host == "":
		return "", errors.New("is no URL")
	case u.User != nil:
		return "", errors.New("has a user in it")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return "", errors.New("is not https")
	}
	return word, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// scope is a scope token of RFC 6749, section 3.3, without the comma that separates ours.
var scope = regexp.MustCompile(`^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$`)

func parseScope(word string) (string, error) {
	if !scope.MatchString(word) {
		return "", errors.New("has characters that a scope cannot have")
	}
	return word, nil
}

// extension is a pair of RFC 7628, section 3.1.
var extension = regexp.MustCompile(`^[A-Za-z]+=[\x21-\x7e]+$`)

func parseExtension(word string) (string, error) {
	name, _, _ := strings.Cut(word, "=")
	switch {
	case !extension.MatchString(word):
		return "", errors.New("is no name=value")
	case name == "auth":
		return "", errors.New("has the name that the token has")
	}
	return word, nil
}
