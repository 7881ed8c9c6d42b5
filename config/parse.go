package config

import (
	"errors"
	"math"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// oneOf returns a reader of one word out of words.
func oneOf(words []string) reader[string] {
	return func(word string) (string, error) {
		for _, w := range words {
			if w == word {
				return w, nil
			}
		}
		return "", errors.New("is not known" + didYouMean(word, words))
	}
}

// parseHostPort reads an address: a name, an IPv4 address or an IPv6 address in brackets, and a port.
func parseHostPort(word string) (string, error) {
	host, port, err := net.SplitHostPort(word)
	switch {
	case strings.Contains(word, "://"):
		return "", errors.New("is a URL, not an address")
	case err != nil:
		return "", errors.New("is no host:port")
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

// parseListen reads an address to listen on. Without a host it is every address, port 0 is a free one.
func parseListen(word string) (string, error) {
	if word == None {
		return word, nil
	}
	host, port, err := net.SplitHostPort(word)
	if err != nil || strings.ContainsFunc(host, notInHost) {
		return "", errors.New("is no host:port")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", errors.New("has no usable port")
	}
	return word, nil
}

// The bounds of Kafka's names, org.apache.kafka.common.internals.Topic: up to 249 characters. An instance
// id leaves room for what the processor appends to make transactional ids of it.
const (
	maxTopicName  = 249
	maxInstanceID = 200
	kafkaNameRule = "letters, digits, dots, underscores and hyphens"
)

var kafkaName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// parseTopic reads the name of a topic by Kafka's own rule.
func parseTopic(word string) (string, error) { return parseKafkaName(word, maxTopicName) }

// parseInstanceID reads an instance id, which Kafka restricts as it does topics. Empty means one that is
// found out.
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

// parseGroup reads the name of a consumer group. Kafka allows any text; control characters and outer
// spaces are slips.
func parseGroup(word string) (string, error) {
	if word == "" {
		return "", errors.New("is empty")
	}
	return parsePlain(word)
}

// parsePlain reads a short text that may stand in a header and a label. It may be empty.
func parsePlain(word string) (string, error) {
	switch {
	case len(word) > maxTopicName:
		return "", errors.New("is longer than " + strconv.Itoa(maxTopicName) + " characters")
	case strings.TrimSpace(word) != word:
		return "", errors.New("begins or ends with a space")
	case strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }):
		return "", errors.New("has characters that cannot be printed")
	}
	return word, nil
}

// parsePattern reads a regular expression (RE2). Empty means none.
func parsePattern(word string) (string, error) {
	if _, err := regexp.Compile(word); err != nil {
		return "", errors.New("is no regular expression")
	}
	return word, nil
}

var regionCode = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+){1,4}$`)

// parseRegion reads what looks like a region code. Whether it is one is for the policy to say, which has
// the catalogue.
func parseRegion(word string) (string, error) {
	if !regionCode.MatchString(word) {
		return "", errors.New("does not look like a region")
	}
	return word, nil
}

// parsePath reads the name of a file.
func parsePath(word string) (string, error) {
	if strings.ContainsRune(word, 0) {
		return "", errors.New("is no file name")
	}
	return word, nil
}

// parseStart reads where a group without a committed offset begins.
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
		return Start{}, errors.New("is not known" + didYouMean(word, []string{"earliest", "latest"}))
	case at.Before(time.Unix(0, 0)):
		return Start{}, errors.New("is before 1970, where Kafka's time begins")
	}
	return Start{At: at}, nil
}

// units of sizes, the longest suffix first so that MiB is not read as B.
var units = []struct {
	suffix string
	bytes  int
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}}

// parseSize reads a number of bytes, with or without a unit.
func parseSize(word string) (int, error) {
	digits, unit := word, 1
	for _, u := range units {
		if rest, found := strings.CutSuffix(word, u.suffix); found {
			digits, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		return 0, errors.New("is no number of bytes")
	}
	if n > math.MaxInt32/int64(unit) {
		return 0, errors.New("is too large")
	}
	return int(n) * unit, nil
}

// formatSize returns a number of bytes with the largest binary unit that leaves no rest.
func formatSize(n int) string {
	for _, u := range []int{2, 1, 0} {
		if n >= units[u].bytes && n%units[u].bytes == 0 {
			return strconv.Itoa(n/units[u].bytes) + units[u].suffix
		}
	}
	return strconv.Itoa(n)
}
