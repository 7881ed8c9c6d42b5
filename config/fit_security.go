package config

import "slices"

// securityPairs keep TLS and SASL whole. What is given and would be ignored is a mistake: somebody counts
// on it.
var securityPairs = []pair{
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
}

var passwordMechanisms = []string{SASLPlain, SASLScram256, SASLScram512}

// given reports whether the setting of that name has a value.
func (s *Settings) given(name string) bool {
	row := s.table.lookup(name)
	return row != nil && row.get(s) != ""
}

func onlyWithTLS(name string) func(*Settings) string {
	return func(s *Settings) string {
		if s.TLS || !s.given(name) {
			return ""
		}
		return name + " is given without tls; give --tls too, or leave it out"
	}
}

func needs(name, other string) func(*Settings) string {
	return func(s *Settings) string {
		if !s.given(name) || s.given(other) {
			return ""
		}
		return name + " needs " + other + "; give " + s.table.lookup(other).ways()
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

// onlyWithMechanism keeps a setting from being given to a mechanism that does not use it.
func onlyWithMechanism(name string, mechanisms []string) func(*Settings) string {
	return func(s *Settings) string {
		switch {
		case !s.given(name) || slices.Contains(mechanisms, s.SASLMechanism):
			return ""
		case s.SASLMechanism == "":
			return name + " is given without sasl-mechanism; give --sasl-mechanism " + either(mechanisms) + ", or leave it out"
		}
		return name + " is not used by sasl-mechanism " + s.SASLMechanism + "; leave it out, or give " + either(mechanisms)
	}
}

// mechanismNeeds wants one of the settings with these mechanisms.
func mechanismNeeds(mechanisms []string, names ...string) func(*Settings) string {
	return func(s *Settings) string {
		if !slices.Contains(mechanisms, s.SASLMechanism) || slices.ContainsFunc(names, s.given) {
			return ""
		}
		ways := make([]string, len(names))
		for i, name := range names {
			ways[i] = s.table.lookup(name).ways()
		}
		return "sasl-mechanism " + s.SASLMechanism + " needs " + either(names) + "; give " + either(ways)
	}
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

// Warnings returns what is valid and looks wrong all the same, one line each.
func (s *Settings) Warnings() []string {
	if s.SASLMechanism == "" || s.TLS {
		return nil
	}
	risk := map[string]string{
		SASLPlain:       "whoever listens on the way reads the password",
		SASLScram256:    "whoever listens on the way can try passwords without the broker's knowing",
		SASLScram512:    "whoever listens on the way can try passwords without the broker's knowing",
		SASLOAuthBearer: "whoever listens on the way reads the token",
		SASLMSKIAM:      "Amazon MSK offers it with TLS only",
	}[s.SASLMechanism]
	return []string{s.origins["sasl-mechanism"].String() + ": " + s.SASLMechanism + " without tls: " + risk}
}
