package learn

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// callers remembers who was behind the userIdentities read last, because a session makes many calls in a row. The zero
// value is empty.
type callers struct {
	names interner
	slots [callerSlots]caller
	last  *caller
}

// callerSlots and maxUserIdentityBytes limit the memory to 512 KiB; an ordinary identity has less than 1 KiB.
const (
	callerSlots          = 128
	maxUserIdentityBytes = 4 << 10
)

type caller struct {
	identity  []byte // of the userIdentity, a copy
	principal *name  // nil if unknown
	isService bool
}

// of returns the principal of a userIdentity, or nil if it does not say, and whether an AWS service made the call.
func (k *callers) of(identity cloudtrail.Value) (principal *name, isService bool) {
	if len(identity) > maxUserIdentityBytes {
		return k.read(identity)
	}
	if k.last != nil && bytes.Equal(k.last.identity, identity) {
		return k.last.principal, k.last.isService
	}
	slot := &k.slots[xxhash.Sum64(identity)%callerSlots]
	if slot.identity == nil || !bytes.Equal(slot.identity, identity) {
		slot.identity = append(slot.identity[:0], identity...)
		slot.principal, slot.isService = k.read(identity)
	}
	k.last = slot
	return slot.principal, slot.isService
}

func (k *callers) read(identity cloudtrail.Value) (principal *name, isService bool) {
	var array [2 * maxNameBytes]byte
	text, isService := policy.AppendCaller(array[:0], identity)
	if len(text) == 0 {
		return nil, isService
	}
	return k.names.intern(text), isService
}
