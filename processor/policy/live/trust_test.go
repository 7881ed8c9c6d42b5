package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// newKey returns a private key and the file of its public key.
func newKey(t *testing.T) (minisign.PrivateKey, string) {
	t.Helper()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "minisign.pub")
	replaceFile(t, name, string(text)+"\n")
	return private, name
}

// Guard: with keys, neither a policy nor a file of accounts is read without a signature of one of them.
func TestSignedFiles(t *testing.T) {
	private, public := newKey(t)
	stranger, other := newKey(t)
	keys, err := ReadKeys(public)
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	folder := t.TempDir()
	name, accounts := filepath.Join(folder, "policy.yaml"), filepath.Join(folder, "accounts.csv")
	policy, rows := policyOf("v1")+"accounts_from: [accounts.csv]\n", "account,name\n111111111111,payments\n"
	replaceFile(t, name, policy)
	replaceFile(t, accounts, rows)
	f := func(keys Keys, want string) {
		t.Helper()
		_, err := LoadFile(name, keys)
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f(nil, "")
	f(keys, name+": "+errUnsigned.Error())
	replaceFile(t, name+".minisig", string(minisign.Sign(private, []byte(policy))))
	f(keys, accounts+": "+errUnsigned.Error())
	replaceFile(t, accounts+".minisig", string(minisign.Sign(stranger, []byte(rows))))
	f(keys, accounts+": "+errSignature.Error())
	replaceFile(t, accounts+".minisig", string(minisign.Sign(private, []byte(rows))))
	f(keys, "")
	replaceFile(t, name, policy+"mode: shadow\n")
	f(keys, name+": "+errSignature.Error())
	replaceFile(t, name+".minisig", strings.Repeat("x", maxHeaderBytes+1))
	f(keys, name+": "+errSignature.Error())
	replaceFile(t, name, policy)
	for extra, want := range map[int]string{0: "", 1: name + ": " + errSignature.Error()} { // the first line may say anything
		comment, rest, _ := strings.Cut(string(minisign.Sign(private, []byte(policy))), "\n")
		comment += strings.Repeat("x", maxHeaderBytes-len(comment)-1-len(rest)+extra)
		replaceFile(t, name+".minisig", comment+"\n"+rest)
		f(keys, want)
	}
	replaceFile(t, name+".minisig", string(minisign.Sign(stranger, []byte(policy))))
	f(keys, name+": "+errSignature.Error())

	// Two keys below each other are for the time in which one takes over from the other.
	both, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(public)
	if err != nil {
		t.Fatal(err)
	}
	replaceFile(t, other, "\r\n"+string(first)+"\n  "+string(both))
	if keys, err = ReadKeys(other); err != nil || len(keys) != 2 {
		t.Fatal(keys, err)
	}
	f(keys, "")
}

func TestReadKeysFailure(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys")
	for text, want := range map[string]string{
		"":                          name + ": no public key found",
		"untrusted comment: none\n": name + ": no public key found",
		"RWQ":                       name + `: "RWQ" is not a minisign public key`,
	} {
		replaceFile(t, name, text)
		if _, err := ReadKeys(name); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ReadKeys(name + ".missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// A topic's policies are verified one by one: an unsigned one changes nothing. The audit line says who wrote which.
func TestSignedRecords(t *testing.T) {
	private, public := newKey(t)
	keys, err := ReadKeys(public)
	if err != nil {
		t.Fatal(err)
	}
	cluster := processortest.New(t, kfake.SeedTopics(1, "policies"))
	put := func(text string, headers ...kgo.RecordHeader) {
		cluster.Produce(&kgo.Record{Topic: "policies", Value: []byte(text), Headers: headers, Timestamp: time.Unix(1_800_000_000, 0)})
	}
	signed := func(text, author string) {
		put(text, kgo.RecordHeader{Key: "minisig", Value: minisign.Sign(private, []byte(text))}, kgo.RecordHeader{Key: "author", Value: []byte(author)})
	}
	opts := []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...)}
	signed(policyOf("v1"), "ada@example.com")
	put(policyOf("v2"))
	newest, fault, err := ReadTopic(t.Context(), "policies", opts, keys)
	if err != nil || !errors.Is(fault, errUnsigned) || newest.Version() != "v1" || newest.Author != "ada@example.com" || newest.From != "topic policies offset 0" {
		t.Errorf("%+v, %v", newest, err)
	}
	if newest, fault, err = ReadTopic(t.Context(), "policies", opts, nil); err != nil || fault != nil || newest.Version() != "v2" {
		t.Errorf("%+v, %v", newest, err)
	}

	var log bytes.Buffer
	s := open(t, Options{Topic: "policies", ClientOpts: opts, Keys: keys, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	defer s.Close()
	if state := s.State(); state.Policy.Version() != "v1" || state.Fault != "topic policies offset 1: "+errUnsigned.Error() {
		t.Errorf("%+v", state)
	}
	log.Reset()
	text := policyOf("v3") + "accounts: {'111111111111': {name: a}}\nexceptions: [{name: x, owner: o, reason: r, regions: [eu-central-1]}]\n"
	signed(text, "grace\xff@example.com")
	policies, err := s.topic.poll(t.Context())
	if err != nil || len(policies) != 1 {
		t.Fatal(policies, err)
	}
	s.replace(s.topic.parse(policies[0]))
	var line map[string]any
	if err := json.NewDecoder(&log).Decode(&line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"msg": changedMessage, "policy_version": "v3", "accounts": 1.0, "unused_regions": 1.0, "exceptions": 1.0,
		"from": "topic policies offset 2", "written": "2027-01-15T08:00:00Z", "author": "grace\uFFFD@example.com",
		"old_policy_version": "v1", "old_accounts": 0.0, "old_unused_regions": 1.0, "old_exceptions": 0.0,
		"old_from": "topic policies offset 0", "old_author": "ada@example.com",
	} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v: %v", key, line[key], want, line)
		}
	}
}

// The last good policy is in force after a start with a broken one, and the log and the metrics say so.
func TestCache(t *testing.T) {
	folder := t.TempDir()
	name, cache := filepath.Join(folder, "policy.yaml"), filepath.Join(folder, "cache")
	var log bytes.Buffer
	start := func() (*Source, *prometheus.Registry, error) {
		log.Reset()
		registry := prometheus.NewRegistry()
		first, err := LoadFile(name, nil)
		s, err := Open(t.Context(), Options{
			First: first, FirstErr: err, File: name, Cache: cache, Logger: slog.New(slog.NewTextHandler(&log, nil)), Registry: registry,
		})
		return s, registry, err
	}
	replaceFile(t, name, "default: [")
	if _, _, err := start(); err == nil || !strings.Contains(err.Error(), "invalid YAML") || !strings.Contains(err.Error(), "cache") {
		t.Errorf("with neither a policy nor a cache: %v", err)
	}
	const exception = "exceptions: [{name: x, owner: o, reason: r, regions: [eu-central-1], expires: 2027-03-31}]\n"
	replaceFile(t, name, policyOf("v0"))
	s, _, err := start()
	if err != nil || log.Len() > 0 {
		t.Fatal(err, log.String())
	}
	s.replace(parsedPolicy(t, policyOf("v2")), nil)
	s.replace(parsedPolicy(t, policyOf("v1")+"accounts: {'111111111111': {allowed_regions: [us-east-1], exempt_global_services: false}}\n"+exception), nil)
	hash := s.Policy().Hash()
	if info, err := os.Stat(cache); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	replaceFile(t, name, "default: [")
	s, registry, err := start()
	if err != nil {
		t.Fatal(err)
	}
	if s.Policy().Version() != "v1" || s.Policy().Hash() != hash || s.State().Fault == "" {
		t.Errorf("policy %s %s, state %+v", s.Policy().Version(), s.Policy().Hash(), s.State())
	}
	if !strings.Contains(log.String(), cachedMessage) || !strings.Contains(log.String(), "invalid YAML") {
		t.Error(log.String())
	}
	if got := processortest.Scrape(t, registry)["regionwatch_policy_rejected"]; got != 1 {
		t.Errorf("regionwatch_policy_rejected is %v", got)
	}

	text, err := os.ReadFile(cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{"", string(text[:len(text)/2]), strings.Replace(string(text), "eu-central-1", "eu-west-1", 1), strings.Replace(string(text), "eu-central-1", "nowhere", 1)} {
		replaceFile(t, cache, damaged)
		if _, _, err := start(); err == nil {
			t.Errorf("a damaged cache is in force: %.80s", damaged)
		}
	}
}
