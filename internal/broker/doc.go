// Package broker connects every command to the brokers: addresses, TLS and SASL.
//
// It turns options into client options of franz-go. Files with secrets and certificates are read when the connection is
// opened, to report mistakes at once, and again when they change, so a rotation needs no restart. No secret is part of an
// error or of anything printed.
//
// A Connection starts no goroutines: files are read again when the client asks for a secret.
package broker
