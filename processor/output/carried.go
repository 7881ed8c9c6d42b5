package output

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The bounds of the headers that alerts carry over from their input record. Any producer chooses how many a record has and
// how long they are, and one record may raise hundreds of thousands of alerts.
const (
	// MaxCarriedNames bounds how many names of headers may be chosen.
	MaxCarriedNames = 16
	// maxCarriedBytes bounds the headers of one alert together, so that even the smallest topic limit that is believed
	// leaves an alert the half of it that it can be shrunk to.
	maxCarriedBytes = 4 << 10
)

// ownHeaders are the headers that every alert has.
var ownHeaders = []string{HeaderAlertID, HeaderRuleID, HeaderSeverity, HeaderContentType, HeaderPolicyVersion, HeaderPolicyHash}

// CheckCarried returns what is wrong with names of headers to carry over.
func CheckCarried(names []string) error {
	var errs []error
	for _, name := range names {
		if name == "" || slices.Contains(ownHeaders, name) {
			errs = append(errs, fmt.Errorf("%q is empty or a header of every alert", name))
		}
	}
	if len(names) > MaxCarriedNames {
		errs = append(errs, fmt.Errorf("%d names are more than %d", len(names), MaxCarriedNames))
	}
	return errors.Join(errs...)
}

// Carry returns the named headers of r for its alerts, as copies: the first of each name, in the order of
// names. One that does not fit is left out and counted, never cut.
func Carry(names []string, r *kgo.Record) (carried []kgo.RecordHeader, omitted int) {
	room := maxCarriedBytes
	for _, name := range names {
		i := slices.IndexFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == name })
		if i < 0 {
			continue
		}
		if room < len(name)+len(r.Headers[i].Value) {
			omitted++
			continue
		}
		room -= len(name) + len(r.Headers[i].Value)
		carried = append(carried, kgo.RecordHeader{Key: strings.Clone(name), Value: bytes.Clone(r.Headers[i].Value)})
	}
	return carried, omitted
}

// traced is the context of what a worker produces, with the values of the input record's context behind its own: the
// Kafka client's hooks keep the record's trace there.
type traced struct {
	context.Context
	record context.Context
}

// Value implements context.Context.
func (t traced) Value(key any) any {
	if v := t.Context.Value(key); v != nil {
		return v
	}
	return t.record.Value(key)
}

// traceOf returns ctx in the trace of r.
func traceOf(ctx context.Context, r *kgo.Record) context.Context {
	if r == nil || r.Context == nil {
		return ctx
	}
	return traced{ctx, r.Context}
}
