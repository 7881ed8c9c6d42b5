package incident

import (
	"crypto/sha1"
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
	Overflow  bool   // a storm of all accounts of the partition, which is beside that of alerts without an account
}

// inPartition begins what stands for the account of alerts without one.
const inPartition = "partition "

// ID returns the id of the incident with a key in the window with that start: the UUIDv5 in Namespace of the kind, the
// parts of the key and the start in seconds since 1970, each written as a netstring (its length in bytes, a colon, the
// text, a comma).
func ID(k *Key, start time.Time) uuid.UUID {
	kind := KindIncident
	switch {
	case k.Overflow:
		kind = "overflow"
	case k.Storm:
		kind = KindStorm
	}
	account := k.Account
	switch {
	case account == "":
		account = inPartition + strconv.Itoa(int(k.Partition))
	case strings.HasPrefix(account, inPartition): // a producer's idea of an account: it must not have the id of the above
		account = "account " + account
	}
	return name(kind, k.Rule, account, k.Region, k.Actor, strconv.FormatInt(start.Unix(), 10))
}

// LateID returns the id of late incident number n, from 1, of an incident.
func LateID(of uuid.UUID, n int) uuid.UUID { return name(KindLate, of.String(), strconv.Itoa(n)) }

// name returns the UUIDv5 of parts, without allocating unless they are long.
func name(parts ...string) (id uuid.UUID) {
	b := append(make([]byte, 0, 1<<10), Namespace[:]...)
	for _, p := range parts {
		b = strconv.AppendInt(b, int64(len(p)), 10)
		b = append(b, ':')
		b = append(b, p...)
		b = append(b, ',')
	}
	sum := sha1.Sum(b)
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 5<<4 // version
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	return id
}
