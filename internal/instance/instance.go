// Package instance runs an instance from its settings to its last log line: with a name that survives restarts and that no
// other live instance of its consumer group has, its policy, its admin server and its log.
package instance

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/regionwatch/regionwatch/config"
)

// Identity is the name of this instance, and the hold that keeps other instances from claiming it.
type Identity struct {
	Name string // empty for none
	held io.Closer
}

// Close releases the name. The kernel also does that when the process dies.
func (i Identity) Close() error {
	if i.held == nil {
		return nil
	}
	return i.held.Close()
}

// Identify returns the configured name, or claims one. If it cannot claim one, at least once runs without a name; exactly
// once takes a random one and logs what that costs.
func Identify(s *config.Settings, log *slog.Logger) Identity {
	switch s.InstanceID {
	case "":
	case config.None:
		return Identity{}
	default:
		return Identity{Name: s.InstanceID}
	}
	id, err := claim(s.Group)
	switch {
	case err == nil:
		return id
	case s.Delivery == config.ExactlyOnce:
		log.Warn("no stable instance id, using a random one: after a kill, readers of committed alerts wait until the broker"+
			" aborts the open transaction; set --instance-id to a unique name to avoid this", "error", err)
		return Identity{Name: "random-" + strings.ToLower(rand.Text())}
	default:
		log.Debug("no stable instance id, joining the group without one", "error", err)
		return Identity{}
	}
}

// maxSlots bounds how many instances of one group share a place.
const maxSlots = 256

// claim returns a name made of the host's name, a mark of the place, and the lowest free number there. The kernel holds
// the number for the process and releases it even on kill -9, so a restarted instance gets its number, its partitions and
// its transactional ids back at once.
func claim(group string) (Identity, error) {
	place, err := placeMark()
	if err != nil {
		return Identity{}, fmt.Errorf("finding a mark of the host: %w", err)
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "host"
	}
	slot, held, err := claimSlot(group)
	if err != nil {
		return Identity{}, fmt.Errorf("claiming a number: %w", err)
	}
	return Identity{Name: fmt.Sprintf("%s-%s-%d", allowedHost(host), place, slot), held: held}, nil
}

// claimSlot claims the lowest free number of the group.
func claimSlot(group string) (int, io.Closer, error) {
	var last error
	for slot := range maxSlots {
		held, err := holdName(fmt.Sprintf("regionwatch/%s/%d", shortHash(group), slot))
		if err == nil {
			return slot, held, nil
		}
		last = err
	}
	return 0, nil, last
}

// allowedHost returns the host name, cut to a bounded length and reduced to the characters that Kafka allows in names.
func allowedHost(host string) string {
	const longest = 100
	allowed := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '-'
	}, host)
	return allowed[:min(len(allowed), longest)]
}

// shortHash returns eight hexadecimal digits of a hash of the text.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
