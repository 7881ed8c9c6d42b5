package scan

import "testing"

// A record is hashed once, not once per finding without an ID, which would take quadratic time. TestIdentity shows that
// the next record is hashed again.
func TestIdentityIsFoundOutOncePerRecord(t *testing.T) {
	w := newWorker(&Options{})
	w.record.Value = []byte("a")
	name := w.identity()
	w.record.Value = []byte("b")
	if w.identity() != name {
		t.Error("the record is hashed again")
	}
}
