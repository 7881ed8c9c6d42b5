package live

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"aead.dev/minisign"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Keys are public keys; one of them must have signed each policy. Nil means that policies need no signature.
//
// A signature is detached and in minisign's format: FILE.minisig beside a file, the header minisig of a record. It says
// who wrote a policy, not when: an older policy keeps its signature.
type Keys []minisign.PublicKey

// ReadKeys reads a file of public keys as minisign writes them, one after the other.
func ReadKeys(name string) (keys Keys, _ error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "untrusted comment:") {
			continue
		}
		var key minisign.PublicKey
		if err := key.UnmarshalText([]byte(line)); err != nil {
			return nil, fmt.Errorf("%s: %q is not a minisign public key", name, line)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: no public key found", name)
	}
	return keys, nil
}

var (
	errUnsigned  = errors.New("the policy is not signed, but policy-key requires a signature")
	errSignature = errors.New("the signature does not match: the policy was changed after it was signed, or another key signed it")
)

// verify checks a signature.
func (k Keys) verify(message, signature []byte) error {
	if len(bytes.TrimSpace(signature)) == 0 {
		return errUnsigned
	}
	for _, key := range k {
		if minisign.Verify(key, message, signature) {
			return nil
		}
	}
	return errSignature
}

// signatureSuffix is what minisign appends to the name of a signed file.
const signatureSuffix = ".minisig"

// verifyFile checks a file against the signature beside it.
func (k Keys) verifyFile(name string, source []byte) error {
	info, err := os.Stat(name + signatureSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errUnsigned
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Size() > maxHeaderBytes:
		return errSignature // a signature has a few hundred bytes; a named pipe would block forever
	}
	signature, err := os.ReadFile(name + signatureSuffix)
	if err != nil {
		return err
	}
	return k.verify(source, signature)
}

// verifyRecord checks a record against the signature in its header.
func (k Keys) verifyRecord(r *kgo.Record) error {
	if k == nil {
		return nil
	}
	if err := k.verify(r.Value, header(r, "minisig")); err != nil {
		return fmt.Errorf("%s: %w", recordName(r), err)
	}
	return nil
}
