package incident

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Namespace is the UUID namespace of all incident ids: the UUIDv5 of the URL
// https://github.com/regionwatch/regionwatch/incident. It never changes.
var Namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/regionwatch/regionwatch/incident"))

// Key is what the alerts of an incident have in common besides its window.
type Key struct {
	Rule      string
	Account   string // empty if the alerts name none
	Partition int32  // replaces an empty account, else 0
	Region    string
	Actor     string // see alert.StableActor
	Storm     bool   // of the account and window; Rule, Region and Actor are empty
}

// ID returns the id of the incident with a key in the window with that start: the UUIDv5 in Namespace of the kind, the
// parts of the key and the start in seconds since 1970, each written as a netstring (its length in bytes, a colon, the
// text, a comma).
func ID(k *Key, start time.Time) uuid.UUID {
	kind := KindIncident
	if k.Storm {
		kind = KindStorm
	}
	account := k.Account
	if account == "" {
		account = "partition " + strconv.Itoa(int(k.Partition))
	}
	return name(kind, k.Rule, account, k.Region, k.Actor, strconv.FormatInt(start.Unix(), 10))
}

// LateID returns the id of late incident number n, from 1, of an incident.
func LateID(of uuid.UUID, n int) uuid.UUID { return name(KindLate, of.String(), strconv.Itoa(n)) }

func name(parts ...string) uuid.UUID {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(strconv.Itoa(len(p)))
		b.WriteByte(':')
		b.WriteString(p)
		b.WriteByte(',')
	}
	return uuid.NewSHA1(Namespace, []byte(b.String()))
}
