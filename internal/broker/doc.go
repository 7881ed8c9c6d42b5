// Package broker says how every command reaches the brokers: their addresses, TLS and SASL.
//
// It turns options into the client options of franz-go. Files that hold secrets or certificates are read
// when the connection is opened, so that mistakes are told at once, and again when they change, so that a
// rotation needs no restart. No secret is part of an error or of anything that is printed.
//
// A Connection starts no goroutines of its own: what has to be read again is read when the client asks.
package broker
