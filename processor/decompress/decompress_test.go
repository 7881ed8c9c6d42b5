package decompress

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

// pack returns b as an lz4 frame.
func pack(t testing.TB, b []byte, options ...lz4.Option) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := lz4.NewWriter(&packed)
	if err := w.Apply(options...); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// noise returns n incompressible bytes, the same each time.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return b
}

func TestDecompressSuccess(t *testing.T) {
	t.Parallel()
	d, err := New(32 << 20)
	if err != nil {
		t.Fatal(err)
	}
	f := func(b []byte, options ...lz4.Option) {
		t.Helper()
		for range 2 { // the second time with the state left by the first
			got, err := d.unpack(d.whole, pack(t, b, options...), kgo.CodecLz4, d.most)
			if err != nil || !bytes.Equal(got, b) {
				t.Errorf("%d bytes: got %d bytes, %v", len(b), len(got), err)
			}
		}
	}
	for _, size := range []int{0, 1, 1000, 64 << 10, 64<<10 + 1, 5 << 20} {
		random := noise(size)
		f(random)
		f(bytes.Repeat([]byte("a"), size))
		f(random, lz4.BlockSizeOption(lz4.Block64Kb), lz4.BlockChecksumOption(true))
		f(random, lz4.ChecksumOption(false), lz4.SizeOption(uint64(size)))
	}
}

func TestDecompressFailure(t *testing.T) {
	t.Parallel()
	const most = 2 << 20
	d, err := New(most)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"bomb":  bytes.Repeat([]byte("a"), 8*most),
		"above": bytes.Repeat([]byte("a"), most+1),
		"noise": noise(most + 1),
	} {
		for _, size := range []lz4.BlockSize{lz4.Block64Kb, lz4.Block4Mb} {
			if _, err := d.unpack(d.whole, pack(t, b, lz4.BlockSizeOption(size)), kgo.CodecLz4, d.most); !errors.Is(err, kgo.ErrMaxDecompress) {
				t.Errorf("%s: error %v, want ErrMaxDecompress", name, err)
			}
		}
	}
	for _, b := range [][]byte{bytes.Repeat([]byte("a"), most), noise(most)} {
		if got, err := d.unpack(d.whole, pack(t, b), kgo.CodecLz4, d.most); err != nil || len(got) != most {
			t.Errorf("just within the bound: %d bytes, %v", len(got), err)
		}
	}
	good := pack(t, []byte(base64.StdEncoding.EncodeToString(noise(75_000))), lz4.BlockSizeOption(lz4.Block64Kb))
	for n := range good {
		if n == 0 || n > 100 && n%1000 != 0 { // an empty input is a complete stream
			continue
		}
		if _, err := d.unpack(d.whole, good[:n], kgo.CodecLz4, d.most); err == nil {
			t.Errorf("the first %d of %d bytes are accepted", n, len(good))
		}
	}
	torn := pack(t, make([]byte, 100_000), lz4.BlockSizeOption(lz4.Block64Kb))
	f, ok := parseFrame(torn)
	if !ok {
		t.Fatal("no frame")
	}
	copy(f.blocks[1].data, bytes.Repeat([]byte{0xff}, 100)) // one literal that does not end
	if out, err := d.unpack(refusing{t}, torn, kgo.CodecLz4, d.most); err == nil || errors.Is(err, kgo.ErrMaxDecompress) {
		t.Errorf("a damaged block: %d bytes, %v", len(out), err)
	}
	if _, err := New(-1); err == nil {
		t.Error("a bound that the client refuses is no error")
	}
}

// What decompresses to exactly the bound is accepted, and a byte more is not, whatever the codec.
func TestDecompressBoundOfEachCodec(t *testing.T) {
	t.Parallel()
	const most = 100_000
	d, err := New(most)
	if err != nil {
		t.Fatal(err)
	}
	for name, codec := range map[string]kgo.CompressionCodec{
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		compressor, err := kgo.DefaultCompressor(codec)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{most, most + 1} {
			var room bytes.Buffer
			packed, kind := compressor.Compress(&room, make([]byte, size), kgo.CompressFlag(0))
			out, err := d.unpack(d.whole, packed, kind, most)
			if want := size > most; errors.Is(err, kgo.ErrMaxDecompress) != want || (err == nil) == want || !want && len(out) != size {
				t.Errorf("%s: %d bytes of %d: %v", name, len(out), size, err)
			}
		}
	}
}

// What a batch takes is guessed from those before it: at once where they took more, slowly where they took less.
func TestSizeGuess(t *testing.T) {
	var g sizeGuess
	f := func(want uint64) {
		t.Helper()
		if got := g.get(); got != want {
			t.Errorf("%d/256, want %d", got, want)
		}
	}
	f(8 * 256)
	g.learn(100, 1200)
	f(12 * 256)
	g.learn(100, 400)
	f(12*256 - 8*256/16)
	for range 1000 {
		g.learn(100, 400)
	}
	f(4*256 + 15) // less than a sixteenth is no step
	g.learn(1, 1000)
	f(16 * 256)
	d, err := New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.unpack(refusing{t}, pack(t, make([]byte, 100_000)), kgo.CodecLz4, d.most); err != nil || d.guess.get() != 16*256 {
		t.Errorf("%v, %d/256 after a large one", err, d.guess.get())
	}
}

// A frame that is cut within a checksum is no whole frame.
//
// Guard: parseBlocks wants all bytes of each checksum.
func TestDecompressCutChecksum(t *testing.T) {
	t.Parallel()
	d, err := New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	text := append(noise(50_000), bytes.Repeat([]byte("ab"), 10_000)...)
	for _, whole := range [][]byte{
		pack(t, text), pack(t, text, lz4.BlockSizeOption(lz4.Block64Kb), lz4.BlockChecksumOption(true)),
		pack(t, text, lz4.BlockSizeOption(lz4.Block64Kb), lz4.BlockChecksumOption(true), lz4.ChecksumOption(false)),
	} {
		for cut := 1; cut <= 12; cut++ { // both checksums and the end mark
			if _, err := d.unpack(d.whole, whole[:len(whole)-cut], kgo.CodecLz4, d.most); err == nil {
				t.Errorf("accepted without the last %d bytes", cut)
			}
		}
		if _, ok := parseFrame(append(whole[:len(whole):len(whole)], 0)); ok {
			t.Error("a byte behind the frame is taken for a part of it")
		}
	}
}

// refusing is a decompressor that is not to be asked.
type refusing struct{ t *testing.T }

// Decompress implements kgo.Decompressor.
func (r refusing) Decompress([]byte, kgo.CompressionCodecType) ([]byte, error) {
	r.t.Error("the library was asked for what is ours")
	return nil, errors.New("refused")
}

// What Kafka's clients write is decompressed here, not by the library.
//
// Guard: parseFrame in unpack.
func TestDecompressHere(t *testing.T) {
	t.Parallel()
	d, err := New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	text := append(noise(50_000), bytes.Repeat([]byte("ab"), 25_000)...)
	for _, options := range [][]lz4.Option{
		nil,
		{lz4.BlockSizeOption(lz4.Block64Kb)}, // the Java client
		{lz4.BlockSizeOption(lz4.Block256Kb), lz4.BlockChecksumOption(true)},
		{lz4.BlockSizeOption(lz4.Block1Mb), lz4.ChecksumOption(false)},
		{lz4.BlockSizeOption(lz4.Block4Mb), lz4.CompressionLevelOption(lz4.Level9)},
	} {
		for _, text := range [][]byte{text, noise(64 << 10), nil} { // one is exactly a block
			got, err := d.unpack(refusing{t}, pack(t, text, options...), kgo.CodecLz4, d.most)
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("%v: %d bytes, %v", options, len(got), err)
			}
		}
	}
}

// FuzzDecompress compares decompression with the library's: where both accept the input, the results are equal.
func FuzzDecompress(f *testing.F) {
	f.Add(pack(f, []byte("hello, hello, hello")))
	f.Add(pack(f, noise(70_000), lz4.BlockSizeOption(lz4.Block64Kb), lz4.BlockChecksumOption(true)))
	d, err := New(1 << 20)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		want, wantErr := d.whole.Decompress(packed, kgo.CodecLz4)
		got, err := d.unpack(d.whole, packed, kgo.CodecLz4, d.most)
		switch {
		case wantErr == nil && err != nil:
			t.Fatalf("the library accepts what we refuse: %v", err)
		case wantErr == nil && !bytes.Equal(got, want):
			t.Fatalf("got %d bytes, the library %d", len(got), len(want))
		case len(got) > d.most:
			t.Fatalf("%d bytes, more than allowed", len(got))
		}
	})
}

// A stand-in cannot be forged, and only a batch is taken for one.
func TestStandInIsNotForged(t *testing.T) {
	var d deferred
	if d.of(&kgo.Record{Value: make([]byte, len(batchKey{}))}) != nil || d.of(&kgo.Record{}) != nil {
		t.Error("any value stands for a batch")
	}
	if _, ok := d.add(bytes.Repeat([]byte{2}, 200)[100:], kgo.CodecZstd); ok {
		t.Error("anything is a batch")
	}
	src := batch([]byte("records"))[headerBytes:]
	one, _ := d.add(src, kgo.CodecZstd)
	two, _ := d.add(src, kgo.CodecZstd)
	if d.count() != 2 || bytes.Equal(only(t, one).Value, only(t, two).Value) {
		t.Errorf("%d batches are kept of 2: what stands for them can be known", d.count())
	}
	runtime.KeepAlive(one)
	runtime.KeepAlive(two)
}

// The first guess is room for something, however little earlier batches of empty blocks took.
//
// Guard: of.
func TestSizeGuessOfEmptyBlocks(t *testing.T) {
	var g sizeGuess
	for range 1000 {
		g.learn(8000, 8)
	}
	if n := g.of(8000); n < 8000/4 {
		t.Errorf("%d bytes for 8000", n)
	}
}
