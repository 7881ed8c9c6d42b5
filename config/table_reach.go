package config

// SASL mechanisms, as written in settings.
const (
	SASLPlain       = "PLAIN"
	SASLScram256    = "SCRAM-SHA-256"
	SASLScram512    = "SCRAM-SHA-512"
	SASLOAuthBearer = "OAUTHBEARER"
	SASLMSKIAM      = "AWS_MSK_IAM"
)

// reach holds the settings for reaching the brokers: addresses, TLS and SASL.
var reach = table{
	{
		Name: "brokers", Section: sectionKafka,
		Help: "brokers to bootstrap from",
		kind: list(func(s *Settings) *[]string { return &s.Brokers }, "addresses",
			"host:port, several with commas", parseHostPort),
	},
	{
		Name: "tls", Section: sectionSecurity, Default: "false",
		Help: "use TLS 1.2 or newer",
		kind: toggle(func(s *Settings) *bool { return &s.TLS }),
	},
	{
		Name: "tls-ca", Section: sectionSecurity,
		Help: "file with the certificate authorities that may sign the brokers' certificates; defaults to the system's;" +
			" reloaded when it changes",
		kind: text(func(s *Settings) *string { return &s.TLSCA }, "file", "a file name of PEM", parsePath),
	},
	{
		Name: "tls-certificate", Section: sectionSecurity,
		Help: "file with the client certificate and its intermediates; reloaded when it changes",
		kind: text(func(s *Settings) *string { return &s.TLSCertificate }, "file", "a file name of PEM", parsePath),
	},
	{
		Name: "tls-key", Section: sectionSecurity,
		Help: "file with the private key of tls-certificate; reloaded when it changes",
		kind: text(func(s *Settings) *string { return &s.TLSKey }, "file", "a file name of PEM", parsePath),
	},
	{
		Name: "tls-server-name", Section: sectionSecurity,
		Help: "name that every broker's certificate must match; defaults to the host of its address",
		kind: text(func(s *Settings) *string { return &s.TLSServerName }, "name", "a host name", parseHost),
	},
	{
		Name: "sasl-mechanism", Section: sectionSecurity,
		Help: "SASL mechanism; without it there is no authentication other than tls-certificate",
		kind: choice(func(s *Settings) *string { return &s.SASLMechanism },
			SASLPlain, SASLScram256, SASLScram512, SASLOAuthBearer, SASLMSKIAM),
	},
	{
		Name: "sasl-username", Section: sectionSecurity,
		Help: "user name for PLAIN and SCRAM",
		kind: text(func(s *Settings) *string { return &s.SASLUsername }, "name",
			"printable text of up to 249 characters", parsePlain),
	},
	{
		Name: "sasl-password", Section: sectionSecurity, Secret: true,
		Help: "password for PLAIN and SCRAM",
		kind: secret(func(s *Settings) *string { return &s.SASLPassword }),
	},
	{
		Name: "sasl-password-file", Section: sectionSecurity,
		Help: "file with only the password, in place of sasl-password; read for each authentication",
		kind: text(func(s *Settings) *string { return &s.SASLPasswordFile }, "file", "a file name", parsePath),
	},
	{
		Name: "oauth-token-file", Section: sectionSecurity,
		Help: "file with only the OAUTHBEARER token; read for each authentication",
		kind: text(func(s *Settings) *string { return &s.OAuthTokenFile }, "file", "a file name", parsePath),
	},
	{
		Name: "oauth-token-command", Section: sectionSecurity,
		Help: "program that prints only the OAUTHBEARER token, in place of oauth-token-file;" +
			" run without a shell, and again before the token expires",
		kind: text(func(s *Settings) *string { return &s.OAuthTokenCommand }, "command",
			"a program and its arguments with spaces between them", parseCommand),
	},
	{
		Name: "oauth-token-url", Section: sectionSecurity,
		Help: "token endpoint for client credentials (RFC 6749, section 4.4), in place of oauth-token-file",
		kind: hiding(withoutQuery, text(func(s *Settings) *string { return &s.OAuthTokenURL }, "URL",
			"an https URL, or http to localhost", parseTokenURL)),
	},
	{
		Name: "oauth-client-id", Section: sectionSecurity,
		Help: "client id for oauth-token-url",
		kind: text(func(s *Settings) *string { return &s.OAuthClientID }, "name",
			"printable text of up to 249 characters", parsePlain),
	},
	{
		Name: "oauth-client-secret", Section: sectionSecurity, Secret: true,
		Help: "client secret for oauth-token-url",
		kind: secret(func(s *Settings) *string { return &s.OAuthClientSecret }),
	},
	{
		Name: "oauth-client-secret-file", Section: sectionSecurity,
		Help: "file with only the client secret, in place of oauth-client-secret; read for each token",
		kind: text(func(s *Settings) *string { return &s.OAuthClientSecretFile }, "file", "a file name", parsePath),
	},
	{
		Name: "oauth-scope", Section: sectionSecurity,
		Help: "scopes to request from oauth-token-url",
		kind: list(func(s *Settings) *[]string { return &s.OAuthScope }, "scopes",
			"words without spaces, several with commas", parseScope),
	},
	{
		Name: "oauth-extensions", Section: sectionSecurity,
		Help: "SASL extensions to send with the OAUTHBEARER token (KIP-342), as some Kafka services require",
		kind: list(func(s *Settings) *[]string { return &s.OAuthExtensions }, "pairs",
			"name=value, the name of letters only, several with commas", parseExtension),
	},
	{
		Name: "allow-plaintext-credentials", Section: sectionSecurity, Default: "false",
		Help: "allow PLAIN and OAUTHBEARER without TLS, which anyone on the network path can read",
		kind: toggle(func(s *Settings) *bool { return &s.AllowPlaintextCredentials }),
	},
}

// secret is the kind of a value that is never shown.
func secret(at func(*Settings) *string) kind {
	return text(at, "text", "text on one line", parseSecret)
}

// hiding returns the kind with part of its value never shown.
func hiding(hide func(string) string, k kind) kind {
	k.hide = hide
	return k
}

// Reach returns the names of the settings for reaching the brokers.
func Reach() []string {
	names := make([]string, len(reach))
	for i := range reach {
		names[i] = reach[i].Name
	}
	return names
}
