package main

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

// identity is the name of this instance among those that are alive, and what keeps others from taking it.
type identity struct {
	Name string    // empty where there is none
	held io.Closer // gives the name back; nil where nothing is held
}

// Close gives the name back. The kernel does the same when the process dies.
func (i identity) Close() error {
	if i.held == nil {
		return nil
	}
	return i.held.Close()
}

// newIdentity returns the instance's name: the one that was given, else one that is claimed. Where none
// can be claimed, at least once does without; exactly once takes a random one and says what that costs.
func newIdentity(s *config.Settings, log *slog.Logger) identity {
	switch s.InstanceID {
	case "":
	case config.None:
		return identity{}
	default:
		return identity{Name: s.InstanceID}
	}
	id, err := claimIdentity(s.Group)
	switch {
	case err == nil:
		return id
	case s.Delivery == config.ExactlyOnce:
		log.Warn("no stable instance id, taking a random one: after a kill, readers of committed alerts wait"+
			" until the broker gives up the open transaction; --instance-id with a name of its own avoids that",
			"error", err)
		return identity{Name: "random-" + strings.ToLower(rand.Text())}
	default:
		log.Debug("no stable instance id, joining the group without one", "error", err)
		return identity{}
	}
}

// maxSlots bounds how many instances of one group share a place.
const maxSlots = 256

// claimIdentity finds a name that is the same when the instance is started again and that no other live
// instance of the group has: the host's name, a mark of the place, and the lowest number that is free
// there. The kernel holds the number for the process and lets go of it even on kill -9, so that an
// instance that is started again gets its number, its partitions and its transactional id back at once.
func claimIdentity(group string) (identity, error) {
	place, err := placeMark()
	if err != nil {
		return identity{}, fmt.Errorf("finding a mark of the host: %w", err)
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "host"
	}
	slot, held, err := claimSlot(group)
	if err != nil {
		return identity{}, fmt.Errorf("claiming a number: %w", err)
	}
	return identity{Name: fmt.Sprintf("%s-%s-%d", plainHost(host), place, slot), held: held}, nil
}

// claimSlot takes the first free number of the group.
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

// plainHost returns a host's name with only what Kafka allows in a name, bounded.
func plainHost(host string) string {
	const longest = 100
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '-'
	}, host)
	return plain[:min(len(plain), longest)]
}

// shortHash returns eight hexadecimal digits of the text.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
