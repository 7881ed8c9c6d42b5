//go:build integration

package integration

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// recordsMetric counts the records that are done for good.
const recordsMetric = "regionwatch_records_total"

// longest is what anything may take that is not measured.
const longest = 2 * time.Minute

// alertOffset returns the offset of the record that an alert comes from.
func alertOffset(t *testing.T, r *kgo.Record) int64 {
	t.Helper()
	var a struct{ Origin struct{ Offset int64 } }
	if err := json.Unmarshal(r.Value, &a); err != nil {
		t.Fatalf("alert %q: %v", r.Value, err)
	}
	return a.Origin.Offset
}
