package incident

import "strings"

// names holds one copy of each text that many incidents share: regions, rules, actions, agents. It is bounded: when it is
// full, it starts again.
type names map[string]string

const (
	maxNames = 4_096
	// longName is the length in bytes from which a text is not worth sharing.
	longName = 257
)

// of returns the shared copy of s.
func (n names) of(s string) string {
	if shared, ok := n[s]; ok {
		return shared
	}
	return n.share(s)
}

func (n names) share(s string) string {
	s = strings.Clone(s) // it may be a part of something large
	if len(s) >= longName {
		return s
	}
	if len(n) >= maxNames {
		clear(n)
	}
	n[s] = s
	return s
}
