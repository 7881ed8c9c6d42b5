package config

import (
	"errors"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// oneOf returns a reader that accepts these words.
func oneOf(words []string) reader[string] {
	return func(word string) (string, error) {
		for _, w := range words {
			if w == word {
				return w, nil
			}
		}
		return "", errors.New("is unknown" + didYouMean(word, words))
	}
}

// parseHostPort reads a name, an IPv4 address or a bracketed IPv6 address, and a port.
func parseHostPort(word string) (string, error) {
	host, port, err := net.SplitHostPort(word)
	switch {
	case strings.Contains(word, "://"):
		return "", errors.New("is a URL, not an address")
	case err != nil:
		return "", errors.New("is not host:port")
	case host == "" || strings.ContainsFunc(host, notInHost):
		return "", errors.New("has no usable host")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", errors.New("has no usable port")
	}
	return word, nil
}

func notInHost(r rune) bool {
	return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune("/,\"'@\\", r)
}

// parseOptionalListen is parseListen, or empty.
func parseOptionalListen(word string) (string, error) {
	if word == "" {
		return "", nil
	}
	return parseListen(word)
}

// parseListen reads an address to listen on. No host means every address; port 0 means any free one.
func parseListen(word string) (string, error) {
	if word == None {
		return word, nil
	}
	host, port, err := net.SplitHostPort(word)
	if err != nil || strings.ContainsFunc(host, notInHost) {
		return "", errors.New("is not host:port")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", errors.New("has no usable port")
	}
	return word, nil
}

// Kafka's bounds (org.apache.kafka.common.internals.Topic). An instance id leaves room for what the processor appends to
// form transactional ids.
const (
	maxTopicName  = 249
	maxInstanceID = 200
	kafkaNameRule = "letters, digits, dots, underscores and hyphens"
)

var kafkaName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// parseTopic reads a topic name by Kafka's own rule.
func parseTopic(word string) (string, error) { return parseKafkaName(word, maxTopicName) }

// parseInstanceID reads an instance id, which Kafka restricts like topic names. Empty means derived from the host.
func parseInstanceID(word string) (string, error) {
	if word == "" {
		return "", nil
	}
	return parseKafkaName(word, maxInstanceID)
}

func parseKafkaName(word string, longest int) (string, error) {
	switch {
	case word == "":
		return "", errors.New("is empty")
	case len(word) > longest:
		return "", errors.New("is longer than " + strconv.Itoa(longest) + " characters")
	case word == "." || word == "..":
		return "", errors.New("is reserved")
	case !kafkaName.MatchString(word):
		return "", errors.New("has characters that Kafka does not allow")
	}
	return word, nil
}

// parseGroup reads the name of a consumer group. Kafka allows any text; we reject what is surely a typo.
func parseGroup(word string) (string, error) {
	if word == "" {
		return "", errors.New("is empty")
	}
	return parsePlain(word)
}

// parsePlain reads a short printable text, or none, fit for headers and metric labels.
func parsePlain(word string) (string, error) {
	switch {
	case len(word) > maxTopicName:
		return "", errors.New("is longer than " + strconv.Itoa(maxTopicName) + " characters")
	case strings.TrimSpace(word) != word:
		return "", errors.New("begins or ends with a space")
	case strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }):
		return "", errors.New("has unprintable characters")
	}
	return word, nil
}

// alertHeaders are the headers that every alert has anyway.
var alertHeaders = []string{"alert-id", "rule-id", "severity", "content-type", "policy-version", "policy-hash"}

// parseHeader reads the name of a record's header.
func parseHeader(word string) (string, error) {
	switch {
	case word == "":
		return "", errors.New("is empty")
	case slices.Contains(alertHeaders, word):
		return "", errors.New("is a header that every alert has anyway")
	}
	return parsePlain(word)
}

// parsePattern reads a regular expression (RE2). Empty means none. Anchoring must not change its meaning: an open \Q, as
// in \Qx, would swallow the end of the anchored pattern.
func parsePattern(word string) (string, error) {
	if _, err := regexp.Compile(word); err != nil {
		return "", errors.New("is not a regular expression")
	}
	if _, err := regexp.Compile(wholePattern(word)); err != nil {
		return "", errors.New("has a \\Q without its \\E")
	}
	return word, nil
}

// regionWord is a region code or the name of a place. Bounds are checked apart from expressions: one that repeats a class so
// often takes a megabyte for as long as the process runs, and the collector lets the heap be five times what is in use.
var regionWord = regexp.MustCompile(`^\pL[\pL\d .()-]+$`)

const maxRegionWord = 64

// parseRegion reads what looks like a region. The policy has the catalogue: it checks the code, and suggests one for a
// place name.
func parseRegion(word string) (string, error) {
	if utf8.RuneCountInString(word) > maxRegionWord || !regionWord.MatchString(word) {
		return "", errors.New("does not look like a region")
	}
	return word, nil
}

// parsePath reads a file name.
func parsePath(word string) (string, error) {
	if strings.ContainsRune(word, 0) {
		return "", errors.New("is not a file name")
	}
	return word, nil
}

// parseStart reads where a group without a committed offset starts.
func parseStart(word string) (Start, error) {
	switch word {
	case "earliest":
		return Start{}, nil
	case "latest":
		return Start{Latest: true}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, word)
	switch {
	case err != nil:
		return Start{}, errors.New("is unknown" + didYouMean(word, []string{"earliest", "latest"}))
	case at.Before(time.Unix(0, 0)):
		return Start{}, errors.New("is before 1970, which Kafka cannot express")
	}
	return Start{At: at}, nil
}

// units of sizes, longer suffixes first so that MiB is not read as B.
var units = []struct {
	suffix string
	bytes  int
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9},
}

// parseSize reads a number of bytes, with or without a unit.
func parseSize(word string) (int, error) {
	digits, unit := word, 1
	for _, u := range units {
		if rest, found := strings.CutSuffix(word, u.suffix); found {
			digits, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, errors.New("is not a number of bytes")
	}
	if n > maxSize/int64(unit) || n < -maxSize/int64(unit) {
		return 0, errors.New("is too large")
	}
	return int(n) * unit, nil
}

// maxSize is far from where a product of digits and unit overflows: 1 PiB.
const maxSize = 1 << 50

// formatSize returns bytes in the largest binary unit that divides them.
func formatSize(n int) string {
	for _, u := range []int{2, 1, 0} {
		if n >= units[u].bytes && n%units[u].bytes == 0 {
			return strconv.Itoa(n/units[u].bytes) + units[u].suffix
		}
	}
	return strconv.Itoa(n)
}
