package cloudtrail

import (
	"bytes"
	"io"
	"math/bits"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// compressors by shape.
var compressors = map[Shape]func(text string) string{
	ShapeGzip: compress,
	ShapeZlib: func(text string) string {
		return compressWith(text, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil })
	},
	ShapeZstd: func(text string) string { // streaming: no content size
		return compressWith(text, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
	},
	ShapeSnappy: func(text string) string {
		return compressWith(text, func(w io.Writer) (io.WriteCloser, error) {
			return s2.NewWriter(w, s2.WriterSnappyCompat()), nil
		})
	},
	ShapeLZ4: func(text string) string {
		return compressWith(text, func(w io.Writer) (io.WriteCloser, error) {
			z := lz4.NewWriter(w)
			return z, z.Apply(lz4.BlockSizeOption(lz4.Block64Kb))
		})
	},
}

// zstdWithSize returns text as one zstd frame that names its content size.
func zstdWithSize(text string) string {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

func TestCompressionSuccess(t *testing.T) {
	for shape, pack := range compressors {
		expect(t, pack(paris), "event 0 "+shape.String()+" eu-west-3 false")
		expect(t, pack(`{"Records":[`+paris+`]}`), "event 0 "+shape.String()+" > records eu-west-3 false")
		expect(t, pack(pack(paris)), "event 0 "+shape.String()+" > "+shape.String()+" eu-west-3 false")
		expect(t, pack(" "), "skip empty "+shape.String())
	}
	expect(t, zstdWithSize(paris), "event 0 zstd eu-west-3 false")
	expect(t, "\x50\x2a\x4d\x18\x03\x00\x00\x00abc"+zstdWithSize(paris), "event 0 zstd eu-west-3 false")
	for _, pack := range []func(string) string{compress, zstdWithSize} { // several members are one text
		expect(t, pack(paris[:50])+pack(paris[50:]), decode(t, pack(paris))[0])
	}
}

// A decoder that was used for each of them, in any order, is as good as a new one.
func TestCompressionReusesDecompressors(t *testing.T) {
	d := NewDecoder(0)
	for range 3 {
		for shape, pack := range compressors {
			var f found
			for _, record := range []string{pack(tokyo)[:20], pack(paris)} {
				if err := d.Decode([]byte(record), &f); err != nil {
					t.Fatal(err)
				}
			}
			if last := f.lines[len(f.lines)-1]; last != "event 0 "+shape.String()+" eu-west-3 false" {
				t.Errorf("%s: %v", shape, f.lines)
			}
		}
	}
}

func TestCompressionFailure(t *testing.T) {
	for shape, pack := range compressors {
		name := shape.String()
		packed := pack(strings.Repeat(paris+"\n", 20000))
		lines := decode(t, packed[:len(packed)/2])
		if lines[0] != "event 0 "+name+" > ndjson eu-west-3 false" || lines[len(lines)-1] != "fault -1 compression "+name {
			t.Errorf("half of a %s file: %s … %s", name, lines[0], lines[len(lines)-1])
		}
		if first := decode(t, pack(paris)[:8]); first[len(first)-1] != "fault -1 compression "+name && first[0] != "fault 0 syntax" {
			t.Errorf("the start of a %s file: %v", name, first)
		}
	}
	expect(t, compress(paris)+"garbage", "event 0 gzip eu-west-3 false\nfault -1 compression gzip")
	// Cut within the checksum at its end: the text is all there, and so is the fault.
	for shape, pack := range compressors {
		for cut := 1; cut < 4; cut++ {
			packed := pack(paris)
			lines := decode(t, packed[:len(packed)-cut])
			hasSum := shape == ShapeGzip || shape == ShapeZlib || shape == ShapeLZ4
			if hasSum && (lines[0] != "event 0 "+shape.String()+" eu-west-3 false" || lines[len(lines)-1] != "fault -1 compression "+shape.String()) {
				t.Errorf("%s without the last %d bytes: %q", shape, cut, lines)
			}
		}
	}
	one := compress("7")
	expect(t, one[:len(one)-1], "fault 0 not-an-object gzip\nfault -1 compression gzip")
	wrongSum := []byte(compress(paris))
	wrongSum[len(wrongSum)-6] ^= 1
	expect(t, string(wrongSum), "event 0 gzip eu-west-3 false\nfault -1 compression gzip")
}

func TestCompressionTooLarge(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", 100_000) + `"}`
	for shape, pack := range compressors {
		var f found
		if err := NewDecoder(10_000).Decode([]byte(pack(paris+"\n"+long)), &f); err != nil {
			t.Fatal(err)
		}
		name := shape.String()
		if f.lines[0] != "event 0 "+name+" > ndjson eu-west-3 false" || f.lines[len(f.lines)-1] != "fault -1 too-large "+name {
			t.Errorf("%s: %q", name, f.lines)
		}
	}
	// The limit is the record's, not each layer's.
	var f found
	half := quote(strings.Repeat(" ", 600))
	record := `{"body":"` + toBase64(compress(half)) + `"}` + `{"body":"` + toBase64(compress(half)) + `"}`
	if err := NewDecoder(1300).Decode([]byte(record), &f); err != nil || !strings.HasPrefix(f.lines[len(f.lines)-1], "fault -1 too-large") {
		t.Errorf("two halves: %q, %v", f.lines, err)
	}
	// Exactly as much as allowed is allowed.
	text := paris + strings.Repeat(" ", 3-len(paris)%3)
	for name, x := range map[string]struct {
		record string
		most   int
	}{"gzip": {compress(text), len(compress(text)) + len(text)}, "base64": {toBase64(text), len(toBase64(text)) + len(text)}, "itself": {"{}", 2},
		"two": {`{"a":"` + toBase64(text) + `","b":"` + toBase64(text) + `"}`, len(`{"a":"","b":""}`) + 4*len(toBase64(text)) + 4 + 2*len(text)}} {
		for less := range 2 {
			f := found{}
			err := NewDecoder(x.most-less).Decode([]byte(x.record), &f)
			if isTooLarge := strings.Contains(f.lines[len(f.lines)-1], "too-large"); err != nil || isTooLarge != (less == 1) {
				t.Errorf("%s, %d less: %q, %v", name, less, f.lines, err)
			}
			f = found{fail: io.ErrShortWrite}
			if err := NewDecoder(x.most-less).Decode([]byte(x.record), &f); err != io.ErrShortWrite || len(f.lines) != 1 {
				t.Errorf("%s, %d less, and the sink fails: %q, %v", name, less, f.lines, err)
			}
		}
	}
}

// A bomb costs no more memory than the limit says, and its decoder frees it.
func TestCompressionBomb(t *testing.T) {
	const limit = 1 << 20
	for shape, pack := range compressors {
		bomb := []byte(pack(strings.Repeat("\x00", 48<<20)))
		d := NewDecoder(limit)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var f found
		if err := d.Decode(bomb, &f); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 24*limit {
			t.Errorf("%s: a bomb of %d bytes allocated %d MiB", shape, len(bomb), got>>20)
		}
		if last := f.lines[len(f.lines)-1]; !strings.HasPrefix(last, "fault -1 too-large") {
			t.Errorf("%s: %q", shape, f.lines)
		}
	}
}

// A bomb of bombs stops at the limit too.
func TestCompressionNestedBomb(t *testing.T) {
	bomb := strings.Repeat("\x00", 30<<20)
	for range 4 {
		bomb = compress(bomb)
	}
	var f found
	if err := NewDecoder(1<<20).Decode([]byte(bomb), &f); err != nil || !strings.Contains(strings.Join(f.lines, "\n"), "too-large") {
		t.Errorf("%q, %v", f.lines, err)
	}
}

func TestDecoderReleasesLargeBuffers(t *testing.T) {
	d := NewDecoder(0)
	record := compress(`{"a":"` + strings.Repeat("x", 3*keepBytes) + `"}`)
	if err := d.Decode([]byte(record), new(found)); err != nil {
		t.Fatal(err)
	}
	for i, buffer := range d.buffers {
		if cap(buffer) > keepBytes {
			t.Errorf("buffer %d keeps %d bytes", i, cap(buffer))
		}
	}
	d = NewDecoder(0)
	if err := d.Decode([]byte(`{"a":"`+quote(`{"b":[` + strings.Repeat("{},", 2*keepBytes) + `{}]}`)[1:]+`}`), new(ignore)); err != nil {
		t.Fatal(err)
	}
	if d.sink != nil || d.kept != 0 || d.large || cap(d.walkers[1].classes) > 0 {
		t.Errorf("it keeps %d bytes, large %t, a sink %v, %d classes", d.kept, d.large, d.sink, cap(d.walkers[1].classes))
	}
}

// A frame that asks for a window larger than what a record may hold is refused before there is memory for
// it; one that asks for more than usual is read, and what it needed is let go.
func TestZstdWindow(t *testing.T) {
	frame := func(window int) string { // one block, not compressed
		block := len(paris)<<3 | 1
		return "\x28\xb5\x2f\xfd\x00" + string([]byte{byte(bits.Len(uint(window))-1-10) << 3, byte(block), byte(block >> 8), 0}) + paris
	}
	d := NewDecoder(16 << 20)
	var f found
	for _, window := range []int{1 << 20, 16 << 20, 32 << 20} {
		if err := d.Decode([]byte(frame(window)), &f); err != nil {
			t.Fatal(err)
		}
		kept := reflect.ValueOf(&d.inflate).Elem().FieldByName("zstd")
		if window > 8<<20 && !kept.IsNil() && len(f.faults) == 0 {
			t.Error("a large window is kept")
		}
	}
	want := []string{"event 0 zstd eu-west-3 false", "event 0 zstd eu-west-3 false", "fault -1 too-large zstd"}
	if !slices.Equal(f.lines, want) {
		t.Errorf("%q", f.lines)
	}
}

func TestBase64Success(t *testing.T) {
	standard := toBase64("\xfb\xff" + paris) // so that both alphabets differ
	if !strings.ContainsAny(standard, "+/") {
		t.Fatal("the text does not tell the alphabets apart")
	}
	packed := toBase64(compress(paris))
	for _, text := range []string{
		packed,
		strings.TrimRight(packed, "="),
		strings.NewReplacer("+", "-", "/", "_").Replace(packed),
		wrap(packed, "\n"), wrap(packed, "\r\n"), packed + "\n",
	} {
		expect(t, text, "event 0 base64 > gzip eu-west-3 false")
	}
	expect(t, toBase64(paris), "event 0 base64 eu-west-3 false")
	expect(t, toBase64(" "+paris), "event 0 base64 eu-west-3 false")
	expect(t, `{"message":"\n`+toBase64(paris)+`"}`, "event 0 shipper > base64 eu-west-3 false")
	expect(t, toBase64(toBase64(paris)), "event 0 base64 > base64 eu-west-3 false")
	expect(t, toBase64("\xef\xbb\xbf"+paris), "event 0 base64 eu-west-3 false")
}

// wrap breaks text into lines of 76 characters, as MIME does.
func wrap(text, end string) string {
	var b bytes.Buffer
	for len(text) > 76 {
		b.WriteString(text[:76] + end)
		text = text[76:]
	}
	return b.String() + text
}

// Any number of runs of base64 in a text are opened, one after the other. An error ends that.
func TestBase64Runs(t *testing.T) {
	run := toBase64(paris)
	if lines := decode(t, "x: "+strings.Repeat(run+" ", 2*MaxNesting)); len(lines) != 2*MaxNesting {
		t.Errorf("%q", lines)
	}
	for depth, want := range map[int]string{0: "event 0 base64 eu-west-3 false", MaxNesting: "fault -1 too-nested base64"} {
		for _, fail := range []error{nil, io.ErrShortWrite} {
			d, f := NewDecoder(0), &found{fail: fail}
			d.sink, d.left, d.depth = f, d.maxBytes, depth
			if _, err := d.base64Runs([]byte(run+" "+run), Chain{}); err != fail || f.lines[0] != want || len(f.lines) == 2 != (fail == nil && depth == 0) {
				t.Errorf("at depth %d: %q, %v", depth, f.lines, err)
			}
		}
	}
}

// In a text that need not be ours, what looks like zlib is not; anything else that cannot be decompressed is a fault.
func TestDamagedCompressionInMetadata(t *testing.T) {
	broken := func(head string) string { return toBase64(head + strings.Repeat("\xff", 40)) }
	zlibText, gzipText := broken("\x78\x9c"), broken(compress("")[:10])
	bomb := toBase64(compressors[ShapeZlib](strings.Repeat(" ", 1<<20)))
	f := func(text, want string) {
		t.Helper()
		var f found
		if err := NewDecoder(100_000).Decode([]byte(`{"x":`+quote(text)+`,"y":`+paris+`}`), &f); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(f.lines, "\n"); got != strings.TrimSpace(want+"\nevent 0 wrapped eu-west-3 false") {
			t.Errorf("%.40s: %s", text, got)
		}
	}
	f(zlibText, "")
	f(gzipText, "fault -1 compression wrapped > base64 > gzip")
	f(bomb, "fault -1 too-large wrapped > base64 > zlib")
	f("x: "+gzipText+" "+zlibText, "fault -1 compression wrapped > base64 > gzip")
}

func TestBase64Failure(t *testing.T) {
	packed := toBase64(paris)
	expect(t, packed[:len(packed)-4]+"!", "event 0 base64 eu-west-3 false damaged\nfault 0 truncated base64\nfault -1 encoding base64")
	expect(t, "hello", "fault 0 syntax")
	expect(t, "aGVsbG8=", "fault 0 syntax") // base64 of hello: nothing that we open
}

func TestUTF16Failure(t *testing.T) {
	for _, record := range []string{"\xff\xfe{\x00\"\x00", "\xfe\xff\x00{\x00\"", "{\x00\"\x00a\x00", "\x00{\x00\"\x00a", "[\x00{\x00"} {
		expect(t, record, "fault -1 encoding")
	}
}

func TestByteOrderMark(t *testing.T) {
	expect(t, "\xef\xbb\xbf"+paris, "event 0 event eu-west-3 false")
	expect(t, compress("\xef\xbb\xbf"+paris), "event 0 gzip eu-west-3 false")
}

// TestDecompressorReadsOnBehindAnEnd reads several members, frames or streams as one text, and takes what
// follows the last one and is not compressed for damage.
func TestDecompressorReadsOnBehindAnEnd(t *testing.T) {
	for shape, pack := range compressors {
		name := shape.String()
		expect(t, pack(paris[:20])+pack("")+pack(paris[20:]), "event 0 "+name+" eu-west-3 false")
		expect(t, pack(paris)+"no "+name, "event 0 "+name+" eu-west-3 false\nfault -1 compression "+name)
	}
}

// A gzip header that is cut within the file's name is damage, not a record without anything in it.
//
// Guard: the error of Open in inflateTo.
func TestCutGzipName(t *testing.T) {
	expect(t, "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xffabc", "fault -1 compression gzip")
}
