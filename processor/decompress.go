package processor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

// decompressor unpacks fetched batches: lz4 by itself, everything else by the client library's own means.
//
// The library reads an lz4 frame as a stream and copies it twice, which costs more than unpacking it does.
// Here each block is unpacked to where its records will lie. The frame's own checksums are not computed:
// the client has checked the CRC of the whole batch already (record batch format v2, KIP-98). Frames of an
// unusual form are left to the library.
type decompressor struct {
	other kgo.Decompressor
	most  int           // bytes that a batch may unpack to
	ratio atomic.Uint64 // of the size unpacked to the size as it came, in 256ths, of the last batches
}

// newDecompressor returns a decompressor whose batches unpack to at most most bytes.
func newDecompressor(most int) (*decompressor, error) {
	// The library's default decompressor knows a bound only as part of a client.
	client, err := kgo.NewClient(kgo.MaxDecompressBatchBytes(most))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	other, ok := client.OptValue(kgo.WithDecompressor).(kgo.Decompressor)
	if !ok {
		return nil, errors.New("BUG: the client has no decompressor")
	}
	d := &decompressor{other: other, most: most}
	d.ratio.Store(8 << 8)
	return d, nil
}

// Decompress implements kgo.Decompressor.
func (d *decompressor) Decompress(src []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	if codec == kgo.CodecLz4 {
		if f, ok := parseFrame(src); ok {
			return d.unpack(f, len(src))
		}
	}
	return d.other.Decompress(src, codec)
}

// unpack returns what is in f, which came in size bytes.
func (d *decompressor) unpack(f frame, size int) ([]byte, error) {
	ratio := d.ratio.Load()
	guess := size*int(ratio)/256 + size/4 + 1<<10
	dst := make([]byte, 0, min(guess, d.most))
	for _, b := range f.blocks {
		var err error
		if dst, err = d.unpackBlock(dst, b, f.blockBytes); err != nil {
			return nil, err
		}
	}
	// Up with the largest, down slowly: a guess too low costs a copy, one too high memory. A batch of
	// nothing but blanks must not set the guess for those that follow.
	seen := min(uint64(len(dst))*256/uint64(max(size, 1)), mostRatio)
	d.ratio.Store(max(seen, ratio-(ratio-min(ratio, seen))/16))
	return dst, nil
}

// unpackBlock appends one block, which unpacks to at most blockBytes, to dst.
func (d *decompressor) unpackBlock(dst []byte, b block, blockBytes int) ([]byte, error) {
	if !b.compressed {
		if len(dst)+len(b.data) > d.most {
			return nil, kgo.ErrMaxDecompress
		}
		return append(dst, b.data...), nil
	}
	for {
		room := dst[len(dst):min(cap(dst), len(dst)+blockBytes)]
		n, err := lz4.UncompressBlock(b.data, room)
		switch {
		case err == nil && len(dst)+n > d.most:
			return nil, kgo.ErrMaxDecompress
		case err == nil:
			return dst[:len(dst)+n], nil
		case len(room) == blockBytes:
			return nil, fmt.Errorf("unpacking lz4 block: %w", err)
		case len(dst) >= d.most:
			return nil, kgo.ErrMaxDecompress
		}
		// Too little room looks like damage: a block may fill blockBytes, so that settles which it is.
		dst = slices.Grow(dst, min(blockBytes, max(2*len(room), 64<<10)))
	}
}

// frame is an lz4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md) of independent blocks.
type frame struct {
	blocks     []block
	blockBytes int // the most that a block unpacks to
}

// block is one block of a frame. The data is the frame's own memory.
type block struct {
	data       []byte
	compressed bool
}

// mostRatio bounds the guess of how large a batch unpacks: 16 times, in 256ths.
const mostRatio = 16 << 8

// The parts of an lz4 frame that matter here.
const (
	frameMagic        = 0x184d2204
	flagVersionMask   = 0xc0
	flagVersion       = 0x40
	flagIndependent   = 0x20
	flagBlockChecksum = 0x10
	flagContentSize   = 0x08
	flagChecksum      = 0x04
	flagDictionary    = 0x01
	blockIsRaw        = 1 << 31
	checksumBytes     = 4
)

// parseFrame finds the blocks of src. It returns false where src is not one whole frame of independent
// blocks.
func parseFrame(src []byte) (f frame, ok bool) {
	if len(src) < 7 || binary.LittleEndian.Uint32(src) != frameMagic {
		return f, false
	}
	flags, descriptor := src[4], src[5]
	if flags&flagVersionMask != flagVersion || flags&flagIndependent == 0 || flags&flagDictionary != 0 {
		return f, false
	}
	sizeCode := descriptor >> 4 & 7 // 4 to 7: 64 KiB, 256 KiB, 1 MiB, 4 MiB
	if sizeCode < 4 {
		return f, false
	}
	f.blockBytes = 1 << (8 + 2*sizeCode)
	header := 7 // with the header's own checksum
	if flags&flagContentSize != 0 {
		header += 8
	}
	if len(src) < header {
		return f, false
	}
	return f, f.parseBlocks(src[header:], flags)
}

// parseBlocks finds the blocks up to the end mark, after which nothing but a checksum may come.
func (f *frame) parseBlocks(src []byte, flags byte) bool {
	for len(src) >= 4 {
		size := binary.LittleEndian.Uint32(src)
		src = src[4:]
		if size == 0 {
			if flags&flagChecksum != 0 {
				return len(src) == checksumBytes
			}
			return len(src) == 0
		}
		n := int(size &^ blockIsRaw)
		if n > len(src) || n > f.blockBytes {
			return false
		}
		f.blocks = append(f.blocks, block{data: src[:n:n], compressed: size&blockIsRaw == 0})
		src = src[n:]
		if flags&flagBlockChecksum != 0 {
			if len(src) < checksumBytes {
				return false
			}
			src = src[checksumBytes:]
		}
	}
	return false
}
