// Package decompress decompresses fetched batches within the process's memory budget.
//
// The client library decompresses every batch of a fetch as it arrives, whether or not a worker is ready for it. A
// [Decompressor] does so only for batches that stay small. It keeps any other batch compressed and hands the client one
// record in its place; the worker finds the batch by that record ([Decompressor.Batch]) and opens it when its turn comes.
//
// The package starts no goroutines. A Decompressor is safe for concurrent use, and one serves all clients.
package decompress

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// eagerBytes bounds a batch that is decompressed as it arrives.
	eagerBytes = 16 << 20
	// EagerRatio bounds such a batch, with its records, to a multiple of its compressed size. A fetch therefore takes at
	// most that multiple of its size. CloudTrail compresses 6 to 25 times.
	EagerRatio = 32
	// RecordBytes is what the client library allocates per record besides its key, value and headers.
	RecordBytes = 216
)

// Decompressor decompresses lz4 itself and leaves other codecs to the client library. Make it with [New].
type Decompressor struct {
	eager    kgo.Decompressor // up to eagerBytes
	whole    kgo.Decompressor // up to most
	most     int              // bytes of a decompressed batch
	guess    sizeGuess
	deferred deferred
	slots    chan struct{} // bounds concurrent decompressions
}

// New returns a decompressor for batches of at most most bytes, decompressed.
func New(most int) (*Decompressor, error) {
	d := &Decompressor{most: most, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	var err error
	if d.eager, err = bounded(min(eagerBytes, most)); err == nil {
		d.whole, err = bounded(most)
	}
	return d, err
}

// bounded returns the library's decompressor with a bound, which only a client can set.
func bounded(most int) (kgo.Decompressor, error) {
	client, err := kgo.NewClient(kgo.MaxDecompressBatchBytes(most))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	d, ok := client.OptValue(kgo.WithDecompressor).(kgo.Decompressor)
	if !ok {
		return nil, errors.New("BUG: the client has no decompressor")
	}
	return d, nil
}

// Decompress implements kgo.Decompressor. For a batch that is too large to decompress now, or that cannot be
// decompressed at all, it returns one record that stands for it.
func (d *Decompressor) Decompress(src []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	d.slots <- struct{}{} // released soon: nothing below waits
	defer func() { <-d.slots }()
	bound := min(eagerBytes, d.most, EagerRatio*(len(src)+headerBytes))
	out, err := d.unpack(d.eager, src, codec, bound)
	if err == nil && len(out)+RecordBytes*countRecords(out) <= bound {
		return out, nil
	}
	if standIn, ok := d.deferred.add(src, codec); ok {
		return standIn, nil
	}
	if err == nil || errors.Is(err, kgo.ErrMaxDecompress) { // a record format from before 2017 has no place for a stand-in
		return d.unpack(d.whole, src, codec, d.most)
	}
	return nil, err
}

// unpack decompresses src. It returns kgo.ErrMaxDecompress if the result exceeds bound bytes, or those that other allows.
func (d *Decompressor) unpack(other kgo.Decompressor, src []byte, codec kgo.CompressionCodecType, bound int) ([]byte, error) {
	if codec == kgo.CodecLz4 {
		if f, ok := parseFrame(src); ok {
			return f.unpack(&d.guess, len(src), bound)
		}
	}
	return other.Decompress(src, codec)
}

// Batch returns the batch that r stands for, or nil if r is an ordinary record.
func (d *Decompressor) Batch(r *kgo.Record) *Batch { return d.deferred.of(r) }

// Deferred returns how many batches are kept compressed.
func (d *Decompressor) Deferred() int { return d.deferred.count() }

// Open decompresses a batch that was kept compressed. An error is final: opening the batch again cannot help.
func (d *Decompressor) Open(b *Batch) ([]byte, error) {
	out, err := d.unpack(d.whole, b.records(), b.codec, d.most)
	if errors.Is(err, kgo.ErrMaxDecompress) {
		return nil, fmt.Errorf("%w: it unpacks to more than %d bytes", ErrTooLarge, d.most)
	}
	return out, err
}

// ErrTooLarge reports a batch beyond the bound given to [New].
var ErrTooLarge = errors.New("the batch is larger than max-batch-bytes allows")
