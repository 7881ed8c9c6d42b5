package decompress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// batch returns compressed records with the header of their batch, as in a fetch response.
func batch(records []byte, change ...func([]byte)) []byte {
	raw := make([]byte, headerBytes, headerBytes+len(records))
	be := binary.BigEndian
	be.PutUint64(raw, 1<<40+40)
	be.PutUint32(raw[8:], uint32(headerBytes-12+len(records)))
	raw[16] = 2
	be.PutUint16(raw[21:], 0x0103)
	be.PutUint32(raw[23:], 5)
	be.PutUint64(raw[27:], 1<<41+5000)
	be.PutUint64(raw[35:], 1<<42+9000)
	raw = append(raw, records...)
	for _, f := range change {
		f(raw)
	}
	be.PutUint32(raw[17:], crc32.Checksum(raw[21:], castagnoli))
	return raw
}

// The header that precedes the records is found if it is one.
func TestBatchOf(t *testing.T) {
	records := []byte("records")
	raw, h, ok := batchOf(batch(records)[headerBytes:])
	want := batchHeader{firstOffset: 1<<40 + 40, attributes: 0x0103, lastDelta: 5, firstTime: 1<<41 + 5000, lastTime: 1<<42 + 9000}
	if !ok || h != want || !bytes.Equal(raw, batch(records)) {
		t.Errorf("%+v, %t, want %+v", h, ok, want)
	}
	broken := batch(records)
	broken[17]++
	for name, raw := range map[string][]byte{
		"format": batch(records, func(raw []byte) { raw[16] = 1 }), "length": batch(records, func(raw []byte) { raw[11]++ }),
		"high bytes of the length": batch(records, func(raw []byte) { raw[8]++ }), "checksum": broken, "records": append(batch(nil), 0)[:headerBytes],
	} {
		if _, _, ok := batchOf(raw[headerBytes:]); ok {
			t.Errorf("%s: taken for a batch", name)
		}
	}
}

// A batch that is too large for now is kept as it is, and one record of its last offset stands for it.
//
// Guards: eagerBytes and the errors in Decompress; add and encodeStandIn.
func TestDeferred(t *testing.T) {
	const most = 1 << 20
	text := bytes.Repeat([]byte("a"), most)
	raw := batch(pack(t, encode(string(text[:most/4]), "two")))
	d, err := New(most)
	if err != nil {
		t.Fatal(err)
	}
	open := func(raw []byte, want error) {
		t.Helper()
		standIn, err := d.Decompress(raw[headerBytes:], kgo.CodecLz4)
		if err != nil {
			t.Fatal(err)
		}
		r := only(t, standIn)
		b := d.Batch(r)
		if b == nil || !bytes.Equal(b.Raw(), raw) || b.First() != 1<<40+40 || b.Last() != 1<<40+45 || r.Offset != 5 {
			t.Fatalf("%+v stands for %+v", r, b)
		}
		raw[headerBytes]++ // the client's buffer is used again
		unpacked, err := d.Open(b)
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("opened with %v, want %v", err, want)
		}
		if n := countRecords(unpacked); err == nil && n != 2 {
			t.Errorf("%d records, want 2", n)
		}
		if count := d.Deferred(); count != 1 {
			t.Errorf("%d batches are kept, want 1", count)
		}
		d.deferred.forget(batchKey(r.Value))
		if d.Deferred() != 0 || d.Batch(r) != nil {
			t.Error("a forgotten batch is still there")
		}
		runtime.KeepAlive(standIn)
	}
	open(bytes.Clone(raw), nil)
	open(batch(pack(t, encode(string(text), "two"))), ErrTooLarge)
	damaged := batch(pack(t, noise(1000)), func(raw []byte) { raw[headerBytes]++ })
	open(damaged, errDamaged(t, d, bytes.Clone(damaged[headerBytes:])))
}

// One record alone may be a large batch. A batch whose last record is before its first is none.
func TestDeferredOfOneRecord(t *testing.T) {
	for delta, want := range map[uint32]bool{0: true, 1<<32 - 1: false} {
		raw := batch([]byte("records"), func(raw []byte) { binary.BigEndian.PutUint32(raw[23:], delta) })
		standIn, ok := new(deferred).add(raw[headerBytes:], kgo.CodecZstd)
		if ok != want || ok && only(t, standIn).Offset != 0 {
			t.Errorf("last delta %d: kept is %t", int32(delta), ok)
		}
	}
}

// A decompressor takes nothing from others: no processor, and no client that goes on running.
func TestNewLeavesNothing(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	synctest.Test(t, func(t *testing.T) { // which refuses to end before all goroutines have
		d, err := New(1 << 20)
		if err != nil || cap(d.slots) != 3 || runtime.GOMAXPROCS(0) != 3 {
			t.Errorf("%v, %d slots", err, cap(d.slots))
		}
	})
}

// errDamaged returns any error that a batch is kept with.
func errDamaged(t *testing.T, d *Decompressor, src []byte) error {
	t.Helper()
	_, err := d.unpack(d.eager, src, kgo.CodecLz4, d.most)
	if err == nil {
		t.Fatal("not damaged")
	}
	return err
}

// only returns the one record in encoded, which must have nothing but an offset and a value.
func only(t *testing.T, encoded []byte) *kgo.Record {
	t.Helper()
	records, err := read(batchHeader{}, encoded)
	if err != nil || len(records) != 1 || records[0].Key != nil || len(records[0].Headers) > 0 || records[0].Timestamp.UnixMilli() != 0 {
		t.Fatalf("%+v, %v", records, err)
	}
	return &records[0]
}

// A batch is decompressed at once up to its bounds, with what its records take.
func TestDecompressedAtOnce(t *testing.T) {
	two := encode(string(noise(1000)), "two")
	for name, test := range map[string]struct {
		records []byte
		most    int
		kept    int
	}{
		"at the bound": {two, len(two) + 2*RecordBytes, 0}, "beyond the bound": {two, len(two) + 2*RecordBytes - 1, 1},
		"the ratio of a bomb": {encode(string(make([]byte, 50_000))), 1 << 20, 1}, "many records of no bytes": {make([]byte, 1000), 1 << 20, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := New(test.most)
			if err != nil {
				t.Fatal(err)
			}
			raw := batch(pack(t, test.records))
			out, err := d.Decompress(raw[headerBytes:], kgo.CodecLz4)
			if kept := d.Deferred(); err != nil || kept != test.kept || kept == 0 && !bytes.Equal(out, test.records) {
				t.Errorf("%d bytes of %d, %d kept, want %d: %v", len(out), len(test.records), kept, test.kept, err)
			}
			runtime.KeepAlive(out)
		})
	}
}

// What is in no batch of today's format is decompressed at once, or refused.
func TestDecompressOldFormat(t *testing.T) {
	d, err := New(100_000)
	if err != nil {
		t.Fatal(err)
	}
	old := func(b []byte) []byte { return append(make([]byte, 100), pack(t, b)...)[100:] }
	if out, err := d.Decompress(old(make([]byte, 100_000)), kgo.CodecLz4); err != nil || len(out) != 100_000 || d.Deferred() != 0 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	if _, err := d.Decompress(old(make([]byte, 100_001)), kgo.CodecLz4); !errors.Is(err, kgo.ErrMaxDecompress) {
		t.Errorf("%v", err)
	}
	damaged := old(noise(1000))
	damaged[0]++
	if _, err := d.Decompress(damaged, kgo.CodecLz4); err == nil {
		t.Error("damage is accepted")
	}
	for range cap(d.slots) + 1 { // no slot was lost
		if _, err := d.Decompress(old(nil), kgo.CodecLz4); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Open(&Batch{raw: append(make([]byte, headerBytes), "no gzip"...), codec: kgo.CodecGzip}); err == nil || errors.Is(err, ErrTooLarge) {
		t.Errorf("opened with %v", err)
	}
}

// A batch is forgotten with the record that stands for it.
//
// Guard: the clean-up in add.
func TestDeferredIsForgotten(t *testing.T) {
	d, err := New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	raw := batch(pack(t, make([]byte, 500_000)))
	standIn, err := d.Decompress(raw[headerBytes:], kgo.CodecLz4)
	if err != nil || d.Deferred() != 1 {
		t.Fatalf("%d kept, %v", d.Deferred(), err)
	}
	runtime.KeepAlive(standIn)
	for range 1000 {
		if runtime.GC(); d.Deferred() == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("it is still kept")
}

// A record of a batch has no context: the client's hooks saw only the one that stands for the batch.
func TestEachHasNoContext(t *testing.T) {
	b := new(Batch)
	for r, err := range b.Each(&kgo.Record{Context: t.Context()}, encode("one")) {
		if err != nil || r.Context != nil {
			t.Errorf("context %v, %v", r.Context, err)
		}
	}
}

// Frames that are not what Kafka's clients write are left to the library.
func TestParseFrame(t *testing.T) {
	good := pack(t, []byte("hello"))
	if _, ok := parseFrame(good); !ok {
		t.Fatal("a frame is not accepted")
	}
	for name, change := range map[string]func([]byte){
		"magic": func(b []byte) { b[0]++ }, "version 0": func(b []byte) { b[4] &^= flagVersionMask }, "version 3": func(b []byte) { b[4] |= flagVersionMask },
		"blocks that depend on each other": func(b []byte) { b[4] &^= flagIndependent }, "dictionary": func(b []byte) { b[4] |= flagDictionary },
		"size code 3": func(b []byte) { b[5] = 3 << 4 }, "size code 0": func(b []byte) { b[5] = 0 },
		"a block larger than the frame": func(b []byte) { b[7] = 200 }, "a block larger than a block": func(b []byte) { b[9] = 0x40 },
	} {
		b := bytes.Clone(good)
		change(b)
		if _, ok := parseFrame(b); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	for n := range good {
		if _, ok := parseFrame(good[:n]); ok {
			t.Errorf("the first %d bytes are accepted", n)
		}
	}
	for code, want := range map[byte]int{4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20} {
		b := bytes.Clone(good)
		b[5] = code << 4
		if f, ok := parseFrame(b); !ok || f.blockBytes != want {
			t.Errorf("size code %d: %d, %t, want %d", code, f.blockBytes, ok, want)
		}
	}
	sized := append(append(bytes.Clone(good[:4]), good[4]|flagContentSize, good[5]), make([]byte, 9)...)
	sized = append(sized, good[7:]...)
	if f, ok := parseFrame(sized); !ok || len(f.blocks) != 1 {
		t.Errorf("a frame with its size: %d blocks, %t", len(f.blocks), ok)
	}
	if _, ok := parseFrame(sized[:14]); ok {
		t.Error("a header without its end is accepted")
	}
}
