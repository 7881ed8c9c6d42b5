package sample

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// scene is what stays the same throughout one event.
type scene struct {
	account, region     string
	user, role, session string
	address             string
	time                time.Time
}

// template is a text with slots, written ${name} or ${name:count}, which are filled for each event.
type template []part

// part is literal text and the slot after it.
type part struct {
	text  string
	slot  slot
	count int
}

type slot uint8

const (
	slotNone    slot = iota
	slotAccount      // recipient account id
	slotRegion       // region code
	slotUser         // user name
	slotRole         // role name
	slotSession      // role session name
	slotAddress      // source IP address
	slotTime         // the event's time, RFC 3339
	slotUUID         // random UUID
	slotHex          // count random hexadecimal digits
	slotID           // count random letters and digits as in AWS's unique ids
	slotText         // count random characters of base64url
	slotNumber       // random number below count
)

var slotNames = map[string]slot{
	"account": slotAccount, "region": slotRegion, "user": slotUser, "role": slotRole, "session": slotSession,
	"address": slotAddress, "time": slotTime, "uuid": slotUUID, "hex": slotHex, "id": slotID, "text": slotText,
	"number": slotNumber,
}

// compile parses a template. It panics on an unknown slot, because templates are part of the program.
func compile(text string) template {
	var t template
	for {
		before, after, found := strings.Cut(text, "${")
		if !found {
			return append(t, part{text: text})
		}
		inside, rest, closed := strings.Cut(after, "}")
		name, digits, counted := strings.Cut(inside, ":")
		p := part{text: before, slot: slotNames[name]}
		if counted {
			p.count, _ = strconv.Atoi(digits)
		}
		if !closed || p.slot == slotNone || counted != (p.count > 0) {
			panic(fmt.Sprintf("BUG: no slot %q in template %q", inside, text))
		}
		t = append(t, p)
		text = rest
	}
}

// fill appends the template's text with its slots filled.
func (g *Generator) fill(dst []byte, t template, s *scene) []byte {
	for i := range t {
		dst = append(dst, t[i].text...)
		dst = g.fillSlot(dst, &t[i], s)
	}
	return dst
}

func (g *Generator) fillSlot(dst []byte, p *part, s *scene) []byte {
	switch p.slot {
	case slotAccount:
		return append(dst, s.account...)
	case slotRegion:
		return append(dst, s.region...)
	case slotUser:
		return append(dst, s.user...)
	case slotRole:
		return append(dst, s.role...)
	case slotSession:
		return append(dst, s.session...)
	case slotAddress:
		return append(dst, s.address...)
	case slotTime:
		return s.time.AppendFormat(dst, time.RFC3339)
	case slotUUID:
		return appendUUID(dst, g.random.Uint64(), g.random.Uint64())
	case slotHex:
		return g.appendRandom(dst, "0123456789abcdef", 4, p.count)
	case slotID:
		return g.appendRandom(dst, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, p.count)
	case slotText:
		return g.appendRandom(dst, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, p.count)
	case slotNumber:
		return strconv.AppendInt(dst, int64(g.random.IntN(p.count)), 10)
	default:
		return dst
	}
}

// appendRandom appends n random characters of an alphabet of 1<<bits.
func (g *Generator) appendRandom(dst []byte, alphabet string, bits, n int) []byte {
	var pool uint64
	for i, left := 0, 0; i < n; i, left = i+1, left-bits {
		if left < bits {
			pool, left = g.random.Uint64(), 64
		}
		dst = append(dst, alphabet[pool&(1<<bits-1)])
		pool >>= bits
	}
	return dst
}

// appendUUID appends the UUID of those 128 bits, 6 of which hold the version and the variant.
func appendUUID(dst []byte, high, low uint64) []byte {
	high = high&^0xf000 | 0x4000
	low = low&^(3<<62) | 1<<63
	for i := 60; i >= 0; i -= 4 {
		if i == 28 || i == 12 {
			dst = append(dst, '-')
		}
		dst = append(dst, "0123456789abcdef"[high>>i&15])
	}
	for i := 60; i >= 0; i -= 4 {
		if i == 60 || i == 44 {
			dst = append(dst, '-')
		}
		dst = append(dst, "0123456789abcdef"[low>>i&15])
	}
	return dst
}
