package policy

import (
	"bytes"
	"strings"
)

// An ARN has six components (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). The last one may
// hold colons.
const arnComponents = 6

// maxARNBytes bounds patterns of ARNs and the ARNs of principals. IAM's own are shorter.
const maxARNBytes = 2 << 10

// arnPattern is a pattern of ARNs. Components are compared one by one, so that no * reaches across a colon, as in IAM's
// ArnLike (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
type arnPattern struct {
	parts  [arnComponents]string
	prefix string // of the last part, before its first wildcard
}

// parseARNPattern returns false for a text that has fewer than six components.
func parseARNPattern(text string) (arnPattern, bool) {
	parts := strings.SplitN(text, ":", arnComponents)
	if len(parts) < arnComponents {
		return arnPattern{}, false
	}
	prefix := parts[arnComponents-1]
	if i := strings.IndexAny(prefix, "*?"); i >= 0 {
		prefix = prefix[:i]
	}
	return arnPattern{[arnComponents]string(parts), prefix}, true
}

// matches reports whether the ARN matches the pattern. The last component goes first: it rules out most.
func (p *arnPattern) matches(arn *arnText) bool {
	for i := arnComponents - 1; i >= 0; i-- {
		if !MatchWildcard(p.parts[i], arn[i]) {
			return false
		}
	}
	return true
}

// arnText is an ARN split into its components, which alias it.
type arnText [arnComponents][]byte

func splitComponents(arn []byte) (t arnText, ok bool) {
	for i := range arnComponents - 1 {
		if t[i], arn, ok = bytes.Cut(arn, []byte(":")); !ok {
			return t, false
		}
	}
	t[arnComponents-1] = arn
	return t, true
}

// MatchWildcard reports whether text matches the pattern, in which * matches any number of characters and ? one byte.
// It takes at most len(pattern)*len(text) steps: only the last * is retried, because it can match whatever an earlier
// one could.
func MatchWildcard(pattern string, text []byte) bool {
	p, t := 0, 0
	star, resume := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			resume++
			p, t = star+1, resume
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// hasWildcard reports whether the pattern can match anything but itself.
func hasWildcard(pattern string) bool { return strings.ContainsAny(pattern, "*?") }
