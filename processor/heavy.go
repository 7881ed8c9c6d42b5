package processor

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

// heavyBatch is a fetched batch that was set aside, compressed: one that takes too much memory to be decompressed
// while others are, or that cannot be decompressed.
type heavyBatch struct {
	header batchHeader
	raw    []byte // header and compressed records, as they were fetched
	codec  kgo.CompressionCodecType
	err    error // why it cannot be decompressed; nil if that is not known yet
}

// records returns the compressed records.
func (b *heavyBatch) records() []byte { return b.raw[headerBytes:] }

// last returns the offset of the batch's last record.
func (b *heavyBatch) last() int64 { return b.header.firstOffset + int64(b.header.lastDelta) }

// batchHeader is the part that matters here of what precedes the records of a batch
// (https://kafka.apache.org/documentation/#recordbatch).
type batchHeader struct {
	firstOffset         int64
	attributes          uint16
	lastDelta           int32
	firstTime, lastTime int64 // milliseconds
}

const (
	headerBytes = 61
	// logAppendTime is the attribute that gives all records of a batch its last timestamp.
	logAppendTime = 1 << 3
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batchOf returns the batch whose compressed records are src, as they lie in a fetch response. It is false for message
// formats before v2.
//
// The client library hands a decompressor the records alone, which do not say where they belong. Their header lies
// before them in the same buffer; the batch's own CRC proves it.
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

// heavyBatches are the batches that were set aside and not decided yet. Each is represented by one record, which takes
// the place of its last: it is polled, ordered and committed as any other.
type heavyBatches struct {
	mu    sync.Mutex
	byKey map[heavyKey]*heavyBatch
}

// heavyKey is the value of the record that stands for a batch. Nobody else can know one.
type heavyKey [16]byte

// add sets a batch aside and returns the encoded record that stands for it.
func (h *heavyBatches) add(src []byte, codec kgo.CompressionCodecType, err error) (standIn []byte, ok bool) {
	raw, header, ok := batchOf(src)
	if !ok || header.lastDelta < 0 {
		return nil, false
	}
	var key heavyKey
	_, _ = rand.Read(key[:]) // never fails
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byKey == nil {
		h.byKey = make(map[heavyKey]*heavyBatch)
	}
	h.byKey[key] = &heavyBatch{header: header, raw: bytes.Clone(raw), codec: codec, err: err}
	standIn = encodeStandIn(header.lastDelta, key[:])
	runtime.AddCleanup(&standIn[0], h.forget, key) // a fetch may be dropped, or its transaction aborted
	return standIn, true
}

// encodeStandIn returns a record in the record batch format v2 with nothing but an offset and a value.
func encodeStandIn(offsetDelta int32, value []byte) []byte {
	body := []byte{0, 0} // attributes, timestamp
	body = binary.AppendVarint(body, int64(offsetDelta))
	body = binary.AppendVarint(body, -1) // no key
	body = binary.AppendVarint(body, int64(len(value)))
	body = append(append(body, value...), 0) // no headers
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

// of returns the batch that r stands for, or nil if r is a record like any other.
func (h *heavyBatches) of(r *kgo.Record) *heavyBatch {
	if len(r.Value) != len(heavyKey{}) {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byKey[heavyKey(r.Value)]
}

func (h *heavyBatches) forget(key heavyKey) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.byKey, key)
}

// errBatchEncoding is why the rest of a batch is not read.
var errBatchEncoding = errors.New("the batch's records are not in Kafka's record format")

// each yields the records in unpacked, the decompressed records of the batch that r stands for. They are one record,
// which the next overwrites; its slices are those of unpacked. An error ends it.
func (b *heavyBatch) each(r *kgo.Record, unpacked []byte) iter.Seq2[*kgo.Record, error] {
	return func(yield func(*kgo.Record, error) bool) {
		record := *r
		for in := unpacked; len(in) > 0; {
			length, used := kbin.Varint(in)
			end := used + int(length)
			if used <= 0 || length < 0 || len(in) < end || !b.decode(&record, in[used:end]) {
				yield(nil, errBatchEncoding)
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
func (b *heavyBatch) decode(r *kgo.Record, src []byte) bool {
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

// countRecords returns how many records in may hold. It reads no more than their lengths.
func countRecords(in []byte) (n int) {
	for len(in) > 0 {
		length, used := kbin.Varint(in)
		if used <= 0 || length < 0 || len(in)-used < int(length) {
			return n
		}
		in = in[used+int(length):]
		n++
	}
	return n
}
