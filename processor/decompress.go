package processor

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The client library decompresses every batch of a fetch as it arrives, whether or not anybody wants it yet. Only
// batches that stay small by these bounds are decompressed there; any other is set aside, compressed, until it is its
// turn to be decided (see heavyBatch).
const (
	// eagerBytes bounds one batch, decompressed.
	eagerBytes = 16 << 20
	// eagerRatio bounds a batch, with its records, to a multiple of its compressed size: what a fetch holds in memory is
	// at most that multiple of what was fetched. CloudTrail compresses 6 to 25 times.
	eagerRatio = 32
	// recordBytes is what the library takes for each record beside its bytes.
	recordBytes = 216
)

// decompressor decompresses fetched batches: lz4 by itself, everything else by the client library's own means. It is
// safe for concurrent use, and one serves all clients.
type decompressor struct {
	eager kgo.Decompressor // up to eagerBytes
	whole kgo.Decompressor // up to most
	most  int              // bytes that a batch may unpack to
	guess sizeGuess
	heavy heavyBatches
	slots chan struct{} // bounds how many batches are decompressed at a time
}

// newDecompressor returns a decompressor whose batches unpack to at most most bytes.
func newDecompressor(most int) (*decompressor, error) {
	d := &decompressor{most: most, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	var err error
	if d.eager, err = boundedDecompressor(min(eagerBytes, most)); err == nil {
		d.whole, err = boundedDecompressor(most)
	}
	return d, err
}

// boundedDecompressor returns the library's own decompressor, which knows a bound only as part of a client.
func boundedDecompressor(most int) (kgo.Decompressor, error) {
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

// Decompress implements kgo.Decompressor. In place of a batch that is too large to be decompressed now, or that cannot
// be decompressed at all, it returns one record that stands for it.
func (d *decompressor) Decompress(src []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	d.slots <- struct{}{} // given back soon: nothing here waits
	defer func() { <-d.slots }()
	bound := min(eagerBytes, d.most, eagerRatio*(len(src)+headerBytes))
	out, err := d.unpack(d.eager, src, codec, bound)
	if err == nil && len(out)+recordBytes*countRecords(out) <= bound {
		return out, nil
	}
	if errors.Is(err, kgo.ErrMaxDecompress) {
		err = nil // it may well be within d.most
	}
	if standIn, ok := d.heavy.add(src, codec, err); ok {
		return standIn, nil
	}
	if err == nil { // a message format from before 2017: it has to do
		return d.unpack(d.whole, src, codec, d.most)
	}
	return nil, err
}

// unpack returns what is in src, or kgo.ErrMaxDecompress if that is more than bound bytes.
func (d *decompressor) unpack(other kgo.Decompressor, src []byte, codec kgo.CompressionCodecType, bound int) ([]byte, error) {
	if codec == kgo.CodecLz4 {
		if f, ok := parseFrame(src); ok {
			return f.unpack(&d.guess, len(src), bound)
		}
	}
	out, err := other.Decompress(src, codec)
	if err == nil && len(out) > bound {
		err = kgo.ErrMaxDecompress
	}
	return out, err
}

// open decompresses a batch that was set aside. The error is final.
func (d *decompressor) open(b *heavyBatch) ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	out, err := d.unpack(d.whole, b.records(), b.codec, d.most)
	if errors.Is(err, kgo.ErrMaxDecompress) {
		return nil, fmt.Errorf("%w: it unpacks to more than %d bytes", errBatchTooLarge, d.most)
	}
	return out, err
}

// errBatchTooLarge is why a batch is not read.
var errBatchTooLarge = errors.New("the batch is larger than max-batch-bytes allows")
