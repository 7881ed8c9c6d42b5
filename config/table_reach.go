package config

// The SASL mechanisms as they are written.
const (
	SASLPlain       = "PLAIN"
	SASLScram256    = "SCRAM-SHA-256"
	SASLScram512    = "SCRAM-SHA-512"
	SASLOAuthBearer = "OAUTHBEARER"
	SASLMSKIAM      = "AWS_MSK_IAM"
)

// reach are the settings that say how to reach the brokers: addresses, TLS, and one mechanism of SASL.
var reach = table{
	{
		Name: "brokers", Section: sectionKafka,
		Help: "brokers to find the cluster by",
		kind: list(func(s *Settings) *[]string { return &s.Brokers }, "addresses",
			"host:port, several with commas", parseHostPort),
	},
	{
		Name: "tls", Section: sectionSecurity, Default: "false",
		Help: "speak TLS 1.2 or newer with the brokers",
		kind: toggle(func(s *Settings) *bool { return &s.TLS }),
	},
	{
		Name: "tls-ca", Section: sectionSecurity,
		Help: "file with the certificates of the authorities that may sign a broker's; without it the system's;" +
			" read again when it changes",
		kind: text(func(s *Settings) *string { return &s.TLSCA }, "file", "a file name of PEM", parsePath),
	},
	{
		Name: "tls-certificate", Section: sectionSecurity,
		Help: "file with the certificate to show to the brokers, and those between it and its authority;" +
			" read again when it changes",
		kind: text(func(s *Settings) *string { return &s.TLSCertificate }, "file", "a file name of PEM", parsePath),
	},
	{
		Name: "tls-key", Section: sectionSecurity,
		Help: "file with the private key of tls-certificate; read again when it changes",
		kind: text(func(s *Settings) *string { return &s.TLSKey }, "file", "a file name of PEM", parsePath),
	},
	{
		Name: "tls-server-name", Section: sectionSecurity,
		Help: "name that the certificate of every broker must be for; without it the host of its address",
		kind: text(func(s *Settings) *string { return &s.TLSServerName }, "name", "a host name", parseHost),
	},
	{
		Name: "sasl-mechanism", Section: sectionSecurity,
		Help: "how to authenticate; without it not at all, or by tls-certificate alone",
		kind: choice(func(s *Settings) *string { return &s.SASLMechanism },
			SASLPlain, SASLScram256, SASLScram512, SASLOAuthBearer, SASLMSKIAM),
	},
	{
		Name: "sasl-username", Section: sectionSecurity,
		Help: "user of PLAIN and SCRAM",
		kind: text(func(s *Settings) *string { return &s.SASLUsername }, "name",
			"printable text of up to 249 characters", parsePlain),
	},
	{
		Name: "sasl-password", Section: sectionSecurity, Secret: true,
		Help: "password of PLAIN and SCRAM",
		kind: secret(func(s *Settings) *string { return &s.SASLPassword }),
	},
	{
		Name: "sasl-password-file", Section: sectionSecurity,
		Help: "file with the password and nothing else, in place of sasl-password; read again for each authentication",
		kind: text(func(s *Settings) *string { return &s.SASLPasswordFile }, "file", "a file name", parsePath),
	},
	{
		Name: "oauth-token-file", Section: sectionSecurity,
		Help: "file with the token of OAUTHBEARER and nothing else; read again for each authentication",
		kind: text(func(s *Settings) *string { return &s.OAuthTokenFile }, "file", "a file name", parsePath),
	},
	{
		Name: "oauth-token-command", Section: sectionSecurity,
		Help: "program that prints the token of OAUTHBEARER and nothing else, in place of oauth-token-file;" +
			" run without a shell, and again when most of the token's time is over",
		kind: text(func(s *Settings) *string { return &s.OAuthTokenCommand }, "command",
			"a program and its arguments with spaces between them", parseCommand),
	},
	{
		Name: "oauth-token-url", Section: sectionSecurity,
		Help: "address that gives the token of OAUTHBEARER for client credentials (RFC 6749, section 4.4), in place of oauth-token-file",
		kind: hiding(withoutQuery, text(func(s *Settings) *string { return &s.OAuthTokenURL }, "URL",
			"an https URL, or http to this host", parseTokenURL)),
	},
	{
		Name: "oauth-client-id", Section: sectionSecurity,
		Help: "client that oauth-token-url knows",
		kind: text(func(s *Settings) *string { return &s.OAuthClientID }, "name",
			"printable text of up to 249 characters", parsePlain),
	},
	{
		Name: "oauth-client-secret", Section: sectionSecurity, Secret: true,
		Help: "secret of oauth-client-id",
		kind: secret(func(s *Settings) *string { return &s.OAuthClientSecret }),
	},
	{
		Name: "oauth-client-secret-file", Section: sectionSecurity,
		Help: "file with the secret of oauth-client-id and nothing else, in place of oauth-client-secret; read again for each token",
		kind: text(func(s *Settings) *string { return &s.OAuthClientSecretFile }, "file", "a file name", parsePath),
	},
	{
		Name: "oauth-scope", Section: sectionSecurity,
		Help: "what to ask oauth-token-url for",
		kind: list(func(s *Settings) *[]string { return &s.OAuthScope }, "scopes",
			"words without spaces, several with commas", parseScope),
	},
	{
		Name: "oauth-extensions", Section: sectionSecurity,
		Help: "what to tell the brokers beside the token of OAUTHBEARER (KIP-342), as some services of Kafka want",
		kind: list(func(s *Settings) *[]string { return &s.OAuthExtensions }, "pairs",
			"name=value, the name of letters only, several with commas", parseExtension),
	},
}

// secret is the kind of a setting that is never shown.
func secret(at func(*Settings) *string) kind {
	return text(at, "text", "text on one line", parseSecret)
}

// hiding is a kind of which a part is never shown.
func hiding(hide func(string) string, k kind) kind {
	k.hide = hide
	return k
}

// Reach returns the names of the settings that say how to reach the brokers.
func Reach() []string {
	names := make([]string, len(reach))
	for i := range reach {
		names[i] = reach[i].Name
	}
	return names
}
