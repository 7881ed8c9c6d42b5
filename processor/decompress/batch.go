package decompress

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"iter"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Batch is a fetched batch that is kept compressed: it is too large to decompress while others are, or it cannot be
// decompressed.
type Batch struct {
	header batchHeader
	raw    []byte // header and compressed records, as fetched
	codec  kgo.CompressionCodecType
}

// Raw returns the batch as it was fetched. The caller must not change it.
func (b *Batch) Raw() []byte { return b.raw }

// First returns the offset of the batch's first record.
func (b *Batch) First() int64 { return b.header.firstOffset }

// records returns the compressed records.
func (b *Batch) records() []byte { return b.raw[headerBytes:] }

// Last returns the offset of the batch's last record.
func (b *Batch) Last() int64 { return b.header.firstOffset + int64(b.header.lastDelta) }

// batchHeader holds the fields used here of a batch's header
// (https://kafka.apache.org/documentation/#recordbatch).
type batchHeader struct {
	firstOffset         int64
	attributes          uint16
	lastDelta           int32
	firstTime, lastTime int64 // milliseconds
}

const (
	headerBytes = 61
	// logAppendTime is the attribute of batches whose records all carry the last timestamp.
	logAppendTime = 1 << 3
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batchOf returns the batch whose compressed records are src, a slice of a fetch response. It returns false for record
// formats before v2.
//
// The client library passes a decompressor only the records, which do not say where they belong. Their header precedes
// them in the same buffer; the batch's CRC proves it.
func batchOf(src []byte) (raw []byte, h batchHeader, ok bool) {
	if len(src) == 0 {
		return nil, h, false
	}
	start := (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(src)), -headerBytes)) //nolint:gosec // see above
	raw = unsafe.Slice(start, headerBytes+len(src))                                   //nolint:gosec // see above
	be := binary.BigEndian
	if raw[16] != 2 || int64(be.Uint32(raw[8:])) != int64(len(raw)-12) || be.Uint32(raw[17:]) != crc32.Checksum(raw[21:], castagnoli) {
		return nil, h, false
	}
	return raw, batchHeader{
		firstOffset: int64(be.Uint64(raw)), attributes: be.Uint16(raw[21:]), lastDelta: int32(be.Uint32(raw[23:])),
		firstTime: int64(be.Uint64(raw[27:])), lastTime: int64(be.Uint64(raw[35:])),
	}, true
}

// deferred holds the batches that are kept compressed. One record at the offset of a batch's last stands for it, and is
// polled, ordered and committed like any other. The zero value is empty.
type deferred struct {
	mu    sync.Mutex
	byKey map[batchKey]*Batch
}

// batchKey is the value of the record that stands for a batch. It is random, so no producer can forge one.
type batchKey [16]byte

// add keeps a batch and returns the encoded record that stands for it.
func (d *deferred) add(src []byte, codec kgo.CompressionCodecType) (standIn []byte, ok bool) {
	raw, header, ok := batchOf(src)
	if !ok || header.lastDelta < 0 {
		return nil, false
	}
	var key batchKey
	_, _ = rand.Read(key[:]) // never fails
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byKey == nil {
		d.byKey = make(map[batchKey]*Batch)
	}
	d.byKey[key] = &Batch{header: header, raw: bytes.Clone(raw), codec: codec}
	standIn = encodeStandIn(header.lastDelta, key[:])
	runtime.AddCleanup(&standIn[0], d.forget, key) // a fetch may be dropped, or its transaction aborted
	return standIn, true
}

// encodeStandIn returns a record in the record batch format v2 with only an offset and a value.
func encodeStandIn(offsetDelta int32, value []byte) []byte {
	body := []byte{0, 0} // attributes, timestamp
	body = binary.AppendVarint(body, int64(offsetDelta))
	body = binary.AppendVarint(body, -1) // no key
	body = binary.AppendVarint(body, int64(len(value)))
	body = append(append(body, value...), 0) // no headers
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

// of returns the batch that r stands for, or nil.
func (d *deferred) of(r *kgo.Record) *Batch {
	if len(r.Value) != len(batchKey{}) {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byKey[batchKey(r.Value)]
}

func (d *deferred) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.byKey)
}

func (d *deferred) forget(key batchKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byKey, key)
}

// errEncoding reports records that do not parse; the rest of their batch is not read.
var errEncoding = errors.New("the batch's records are not in Kafka's record format")

// Each yields the records in unpacked, which [Decompressor.Open] returned for the batch that r stands for. It yields the
// same record each time, overwritten; its slices alias unpacked. An error ends the iteration.
func (b *Batch) Each(r *kgo.Record, unpacked []byte) iter.Seq2[*kgo.Record, error] {
	return func(yield func(*kgo.Record, error) bool) {
		record := *r
		record.Context = nil // the client's hooks saw only r
		for in := unpacked; len(in) > 0; {
			length, used := kbin.Varint(in)
			end := used + int(length)
			if used <= 0 || length < 0 || len(in) < end || !b.decode(&record, in[used:end]) {
				yield(nil, errEncoding)
				return
			}
			if !yield(&record, nil) {
				return
			}
			in = in[end:]
		}
	}
}

// decode reads one record, without its length.
func (b *Batch) decode(r *kgo.Record, src []byte) bool {
	in := kbin.Reader{Src: src}
	in.Int8() // attributes, unused
	at := b.header.firstTime + in.Varlong()
	if b.header.attributes&logAppendTime != 0 {
		at = b.header.lastTime
	}
	r.Timestamp = time.UnixMilli(at)
	r.Offset = b.header.firstOffset + int64(in.Varint())
	r.Key, r.Value, r.Headers = in.VarintBytes(), in.VarintBytes(), nil
	for range in.VarintArrayLen() {
		if !in.Ok() {
			return false
		}
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: in.VarintString(), Value: in.VarintBytes()})
	}
	return in.Ok()
}

// countRecords returns how many records in may hold. It reads only their lengths.
func countRecords(in []byte) (n int) {
	for {
		length, used := kbin.Varint(in)
		if used <= 0 || length < 0 || len(in)-used < int(length) {
			return n
		}
		in = in[used+int(length):]
		n++
	}
}
