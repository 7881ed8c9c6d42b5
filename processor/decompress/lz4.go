package decompress

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sizeGuess predicts the decompressed size of a batch from the batches before it.
type sizeGuess struct {
	ratio atomic.Uint64 // decompressed to compressed size, in 256ths; 0 means firstRatio
}

// The first and the largest ratio: 8 and 16, in 256ths.
const (
	firstRatio = 8 << 8
	mostRatio  = 16 << 8
)

// of returns how many bytes size compressed bytes may take.
func (g *sizeGuess) of(size int) int { return size*int(g.get())/256 + size/4 + 1<<10 }

func (g *sizeGuess) get() uint64 { return cmp.Or(g.ratio.Load(), firstRatio) }

// learn follows a larger ratio at once and a smaller one slowly: too low a guess costs a copy, too high a guess costs
// memory. mostRatio keeps a batch of blanks from inflating the guess for those that follow.
func (g *sizeGuess) learn(size, unpacked int) {
	ratio, seen := g.get(), min(uint64(unpacked)*256/uint64(size), mostRatio)
	g.ratio.Store(max(seen, ratio-(ratio-min(ratio, seen))/16)) // never 0
}

// unpack decompresses f, which is size bytes long. The error is kgo.ErrMaxDecompress if the result exceeds bound bytes.
//
// The client library reads an lz4 frame as a stream and copies it twice, which costs more than decompressing it. Here
// each block is decompressed in place. The frame's checksums are not verified: the client has checked the CRC of the
// whole batch (record batch format v2, KIP-98).
func (f *frame) unpack(g *sizeGuess, size, bound int) ([]byte, error) {
	dst := make([]byte, 0, min(g.of(size), bound))
	for _, b := range f.blocks {
		var err error
		if dst, err = b.unpack(dst, f.blockBytes, bound); err != nil {
			return nil, err
		}
	}
	g.learn(size, len(dst))
	return dst, nil
}

// unpack appends the decompressed block, which is at most blockBytes long, to dst.
func (b *block) unpack(dst []byte, blockBytes, bound int) ([]byte, error) {
	if !b.compressed {
		if len(dst)+len(b.data) > bound {
			return nil, kgo.ErrMaxDecompress
		}
		return append(dst, b.data...), nil
	}
	for {
		room := dst[len(dst):min(cap(dst), len(dst)+blockBytes)]
		n, err := lz4.UncompressBlock(b.data, room)
		switch {
		case err == nil && len(dst)+n > bound:
			return nil, kgo.ErrMaxDecompress
		case err == nil:
			return dst[:len(dst)+n], nil
		case len(room) == blockBytes:
			return nil, fmt.Errorf("unpacking lz4 block: %w", err)
		}
		// Too little room looks like damage. A block takes at most blockBytes, so that much room tells which it is.
		dst = slices.Grow(dst, min(blockBytes, max(2*len(room), 64<<10)))
	}
}

// frame is an lz4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md) of independent blocks.
type frame struct {
	blocks     []block
	blockBytes int // the most that a decompressed block takes
}

// block is one block of a frame. Its data aliases the frame.
type block struct {
	data       []byte
	compressed bool
}

// The parts of an lz4 frame used here.
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

// parseFrame finds the blocks of src. It returns false unless src is one whole frame of independent blocks.
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

// parseBlocks finds the blocks up to the end mark, which only a checksum may follow.
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
