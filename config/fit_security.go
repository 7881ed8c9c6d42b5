package config

import (
	"slices"
	"strings"
)

// securityRules hold for commands that talk to brokers. A setting that would be ignored is a mistake: its author relies
// on it.
var securityRules = []rule{
	{[]string{"tls-ca", "tls"}, onlyWithTLS("tls-ca")},
	{[]string{"tls-certificate", "tls"}, onlyWithTLS("tls-certificate")},
	{[]string{"tls-key", "tls"}, onlyWithTLS("tls-key")},
	{[]string{"tls-server-name", "tls"}, onlyWithTLS("tls-server-name")},
	{[]string{"tls-certificate", "tls-key"}, needs("tls-certificate", "tls-key")},
	{[]string{"tls-key", "tls-certificate"}, needs("tls-key", "tls-certificate")},
	{[]string{"sasl-username", "sasl-mechanism"}, onlyWithMechanism("sasl-username", passwordMechanisms)},
	{[]string{"sasl-password", "sasl-mechanism"}, onlyWithMechanism("sasl-password", passwordMechanisms)},
	{[]string{"sasl-password-file", "sasl-mechanism"}, onlyWithMechanism("sasl-password-file", passwordMechanisms)},
	{[]string{"sasl-password", "sasl-password-file"}, notBoth("sasl-password", "sasl-password-file")},
	{[]string{"sasl-mechanism", "sasl-username"}, mechanismNeeds(passwordMechanisms, "sasl-username")},
	{[]string{"sasl-mechanism", "sasl-password", "sasl-password-file"},
		mechanismNeeds(passwordMechanisms, "sasl-password", "sasl-password-file")},
	{[]string{"oauth-token-file", "sasl-mechanism"}, onlyWithMechanism("oauth-token-file", tokenMechanisms)},
	{[]string{"oauth-token-command", "sasl-mechanism"}, onlyWithMechanism("oauth-token-command", tokenMechanisms)},
	{[]string{"oauth-token-url", "sasl-mechanism"}, onlyWithMechanism("oauth-token-url", tokenMechanisms)},
	{[]string{"oauth-extensions", "sasl-mechanism"}, onlyWithMechanism("oauth-extensions", tokenMechanisms)},
	{[]string{"sasl-mechanism", "oauth-token-file", "oauth-token-command", "oauth-token-url"},
		mechanismNeeds(tokenMechanisms, "oauth-token-file", "oauth-token-command", "oauth-token-url")},
	{[]string{"oauth-token-file", "oauth-token-command"}, notBoth("oauth-token-file", "oauth-token-command")},
	{[]string{"oauth-token-file", "oauth-token-url"}, notBoth("oauth-token-file", "oauth-token-url")},
	{[]string{"oauth-token-command", "oauth-token-url"}, notBoth("oauth-token-command", "oauth-token-url")},
	{[]string{"oauth-token-url", "oauth-client-id"}, needs("oauth-token-url", "oauth-client-id")},
	{[]string{"oauth-token-url", "oauth-client-secret", "oauth-client-secret-file"},
		needs("oauth-token-url", "oauth-client-secret", "oauth-client-secret-file")},
	{[]string{"oauth-client-secret", "oauth-client-secret-file"}, notBoth("oauth-client-secret", "oauth-client-secret-file")},
	{[]string{"oauth-client-id", "oauth-token-url"}, needs("oauth-client-id", "oauth-token-url")},
	{[]string{"oauth-client-secret", "oauth-token-url"}, needs("oauth-client-secret", "oauth-token-url")},
	{[]string{"oauth-client-secret-file", "oauth-token-url"}, needs("oauth-client-secret-file", "oauth-token-url")},
	{[]string{"oauth-scope", "oauth-token-url"}, needs("oauth-scope", "oauth-token-url")},
	{[]string{"sasl-mechanism", "tls", "allow-plaintext-credentials"}, func(s *Settings) string {
		if s.TLS || s.AllowPlaintextCredentials || s.SASLMechanism != SASLPlain && s.SASLMechanism != SASLOAuthBearer {
			return ""
		}
		return "sasl-mechanism " + s.SASLMechanism + " without tls: " + plaintextRisks[s.SASLMechanism] +
			"; give --tls, or --allow-plaintext-credentials to accept that"
	}},
}

// Mechanisms that authenticate with a password, and with a token.
var (
	passwordMechanisms = []string{SASLPlain, SASLScram256, SASLScram512}
	tokenMechanisms    = []string{SASLOAuthBearer}
)

// given reports whether the named setting has a value.
func (s *Settings) given(name string) bool {
	row := s.table.lookup(name)
	return row != nil && row.get(s) != ""
}

func onlyWithTLS(name string) func(*Settings) string {
	return func(s *Settings) string {
		if s.TLS || !s.given(name) {
			return ""
		}
		return name + " needs tls; add --tls, or leave it out"
	}
}

// needs requires one of others if the named setting is given.
func needs(name string, others ...string) func(*Settings) string {
	return func(s *Settings) string {
		if !s.given(name) || slices.ContainsFunc(others, s.given) {
			return ""
		}
		return name + " needs " + either(others) + "; give " + s.waysOf(others)
	}
}

func notBoth(name, other string) func(*Settings) string {
	return func(s *Settings) string {
		if !s.given(name) || !s.given(other) {
			return ""
		}
		return name + " and " + other + " are both given; give one of them"
	}
}

// onlyWithMechanism refuses a setting that the mechanism does not use.
func onlyWithMechanism(name string, mechanisms []string) func(*Settings) string {
	return func(s *Settings) string {
		switch {
		case !s.given(name) || slices.Contains(mechanisms, s.SASLMechanism):
			return ""
		case s.SASLMechanism == "":
			return name + " needs sasl-mechanism " + either(mechanisms) + "; add --sasl-mechanism, or leave it out"
		}
		return name + " is not used by sasl-mechanism " + s.SASLMechanism + "; leave it out, or give " + either(mechanisms)
	}
}

// mechanismNeeds requires one of the named settings with these mechanisms.
func mechanismNeeds(mechanisms []string, names ...string) func(*Settings) string {
	return func(s *Settings) string {
		if !slices.Contains(mechanisms, s.SASLMechanism) || slices.ContainsFunc(names, s.given) {
			return ""
		}
		return "sasl-mechanism " + s.SASLMechanism + " needs " + either(names) + "; give " + s.waysOf(names)
	}
}

// waysOf lists the places where the named settings can be given.
func (s *Settings) waysOf(names []string) string {
	ways := make([]string, len(names))
	for i, name := range names {
		ways[i] = s.table.lookup(name).ways()
	}
	return strings.Join(ways, ", or ")
}

// either returns the words as a choice: "a", "a or b", "a, b or c".
func either(words []string) string {
	text := words[0]
	for i, word := range words[1:] {
		if i == len(words)-2 {
			text += " or " + word
		} else {
			text += ", " + word
		}
	}
	return text
}

// plaintextRisks says what an eavesdropper learns without TLS.
var plaintextRisks = map[string]string{
	SASLPlain:       "anyone on the network path can read the password",
	SASLScram256:    "anyone on the network path can guess passwords offline",
	SASLScram512:    "anyone on the network path can guess passwords offline",
	SASLOAuthBearer: "anyone on the network path can read the token",
	SASLMSKIAM:      "Amazon MSK offers it with TLS only",
}

// Warnings returns valid settings that look wrong, one line each.
func (s *Settings) Warnings() []string {
	if s.SASLMechanism == "" || s.TLS {
		return s.spelled
	}
	return append(slices.Clone(s.spelled), s.origins["sasl-mechanism"].String()+": "+s.SASLMechanism+" without tls: "+plaintextRisks[s.SASLMechanism])
}
