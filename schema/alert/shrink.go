package alert

import (
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// MinBytes is the size that every alert can be shrunk to.
const MinBytes = 8 << 10

// The reasons for EventOmitted. They are part of the format: reasons are added, never changed.
const (
	OmittedDepth  = "depth"  // deeper than MaxDepth
	OmittedNumber = "number" // with a number longer than MaxNumber
	OmittedSize   = "size"   // the alert was too large with it
	OmittedDamage = "damage" // the event is not a complete JSON value; its bytes are in the dead letter
)

// limits are how many bytes a value may keep, tried one after the other until the alert fits.
var limits = [...]int{16 << 10, 4 << 10, 1 << 10, 256, 64, 16}

// cut cuts every value of a that could be long to limit bytes.
func (a *Alert) cut(limit int) {
	for _, f := range a.rawFields() {
		if n := max(limit, f.least); len(*f.raw) > n {
			*f.raw = cutRaw(*f.raw, n)
			a.MarkTruncated(f.name)
		}
	}
	for _, f := range a.textFields() {
		if len(*f.text) > limit {
			*f.text = CutText(*f.text, limit)
			a.MarkTruncated(f.name)
		}
	}
	if n := fitting(a.ARNs, 4*limit); n < len(a.ARNs) {
		a.ARNs = a.ARNs[:n]
		a.MarkTruncated("arns")
	}
}

// Trim takes the first steps of [Format.Shrink] if one value alone is larger than maxBytes, before it is copied into an
// encoded alert: it drops the copy of the event, and then cuts long values. It reports whether it did.
func (a *Alert) Trim(maxBytes int) bool {
	maxBytes = max(maxBytes, MinBytes)
	long := false
	for _, f := range a.rawFields() {
		long = long || len(*f.raw) > maxBytes
	}
	for _, f := range a.textFields() {
		long = long || len(*f.text) > maxBytes
	}
	if !long && len(a.Event) <= maxBytes {
		return false
	}
	if a.Event != nil {
		a.Event, a.EventOmitted = nil, OmittedSize
	}
	if long {
		a.cut(limits[0])
	}
	return true
}

// MarkTruncated names a field in Truncated, once.
func (a *Alert) MarkTruncated(name string) {
	if !slices.Contains(a.Truncated, name) {
		a.Truncated = append(a.Truncated, name)
	}
}

type rawField struct {
	name  string
	raw   *json.RawMessage
	least int // bytes that it keeps under every limit
}

func (a *Alert) rawFields() []rawField {
	return []rawField{
		{"eventTime", &a.EventTime, 0},
		{"eventID", &a.EventID, 0},
		{"eventName", &a.EventName, 0},
		{"eventSource", &a.EventSource, 0},
		{"awsRegion", &a.AWSRegion, 256},
		{"recipientAccountId", &a.RecipientAccountID, 0},
		{"sourceIPAddress", &a.SourceIPAddress, 0},
		{"userAgent", &a.UserAgent, 0},
		{"userIdentity", &a.UserIdentity, 0},
		{"userName", &a.UserName, 0},
		{"errorCode", &a.ErrorCode, 0},
		{"policy.account", &a.Policy.Account, 0},
	}
}

type textField struct {
	name string
	text *string
}

func (a *Alert) textFields() []textField {
	return []textField{
		{"title", &a.Title},
		{"principal.type", &a.Principal.Type},
		{"principal.name", &a.Principal.Name},
		{"principal.session", &a.Principal.Session},
		{"principal.arn", &a.Principal.ARN},
		{"principal.accountId", &a.Principal.AccountID},
		{"policy.version", &a.Policy.Version},
		{"policy.level", &a.Policy.Level},
		{"policy.reason", &a.Policy.Reason},
		{"origin.topic", &a.Origin.Topic},
		{"origin.file", &a.Origin.File},
		{"origin.shape", &a.Origin.Shape},
		{"partialReason", &a.PartialReason},
	}
}

// cutRaw cuts a clean JSON string of more than limit bytes to at most limit, never within a character or an escape. A
// value other than a string cannot be cut and is dropped.
func cutRaw(raw json.RawMessage, limit int) json.RawMessage {
	if raw[0] != '"' {
		return nil
	}
	end := 1
	for {
		size := 1
		if raw[end] == '\\' {
			size = escapeLen(raw[end:])
		} else if raw[end] >= utf8.RuneSelf {
			_, size = utf8.DecodeRune(raw[end:])
		}
		if end+size+1 > limit {
			return append(raw[:end:end], '"')
		}
		end += size
	}
}

// CutText cuts s to at most limit bytes, never within a character.
func CutText[T string | []byte](s T, limit int) T {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// fitting returns how many of the first texts fit into limit bytes together.
func fitting(texts []string, limit int) int {
	for i, s := range texts {
		if limit -= len(s); limit < 0 {
			return i
		}
	}
	return len(texts)
}
