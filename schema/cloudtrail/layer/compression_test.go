package layer

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// writers make what each kind is read from.
var writers = map[Kind]func(w io.Writer) io.WriteCloser{
	Gzip:   func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	Zlib:   func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	Zstd:   func(w io.Writer) io.WriteCloser { return zstdWriter(w, 1<<20) },
	Snappy: func(w io.Writer) io.WriteCloser { return s2.NewWriter(w, s2.WriterSnappyCompat()) },
	LZ4:    func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) },
}

// zstdWriter writes a frame with a window of that size.
func zstdWriter(w io.Writer, window int) io.WriteCloser {
	z, err := zstd.NewWriter(w, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return z
}

// pack compresses a text as a stream, so that a zstd frame says its window and not its length.
func pack(t *testing.T, w func(io.Writer) io.WriteCloser, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := w(&b)
	half := len(text) / 2
	for _, part := range []string{text[:half], text[half:]} {
		if _, err := io.WriteString(z, part); err != nil {
			t.Fatal(err)
		}
		if f, ok := z.(interface{ Flush() error }); ok {
			if err := f.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// read opens a text and reads it to its end.
func (d *Decompressor) read(kind Kind, packed string, maxBytes int) (string, error) {
	goroutines := runtime.NumGoroutine()
	r, err := d.Open(kind, strings.NewReader(packed), maxBytes)
	if err != nil {
		return "", err
	}
	if runtime.NumGoroutine() > goroutines {
		return "", errors.New("opening started a goroutine")
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

// One decompressor reads any number of texts, each of several streams, and no text after an error is another's. No goroutine
// stays behind.
func TestOpen(t *testing.T) {
	all := map[Kind]string{}
	for kind, w := range writers {
		all[kind] = pack(t, w, eventText)
	}
	var d Decompressor
	goroutines := runtime.NumGoroutine() // those of the writers included
	for range 2 {
		for kind, packed := range all {
			if got := DetectCompression([]byte(packed[:16])); got != kind {
				t.Errorf("kind %d: detected as %d", kind, got)
			}
			if got, err := d.read(kind, packed, 1<<20); got != eventText || err != nil {
				t.Errorf("kind %d: %q, %v", kind, got, err)
			}
			if got, err := d.read(kind, packed+packed, 1<<20); got != eventText+eventText || err != nil {
				t.Errorf("kind %d: two streams: %q, %v", kind, got, err)
			}
			if got, err := d.read(kind, packed[:len(packed)/2], 1<<20); err == nil {
				t.Errorf("kind %d: half of it: %q", kind, got)
			}
			if got, err := d.read(kind, packed+"garbage", 1<<20); err == nil || got != eventText && kind != Snappy {
				t.Errorf("kind %d: garbage behind it: %q, %v", kind, got, err)
			}
			if got, err := d.read(kind, "garbage", 1<<20); err == nil || got != "" {
				t.Errorf("kind %d: garbage: %q, %v", kind, got, err)
			}
		}
	}
	for kind, w := range writers {
		var d Decompressor
		if got, err := d.read(kind, "garbage", 1<<20); err == nil {
			t.Errorf("kind %d: garbage at first: %q", kind, got)
		}
		var one bytes.Buffer
		z := w(&one)
		if _, err := io.WriteString(z, "x"); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		if got, err := d.read(kind, one.String()+one.String(), 1<<20); got != "xx" || err != nil {
			t.Errorf("kind %d: a byte and a byte: %q, %v", kind, got, err)
		}
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines were started", n-goroutines)
	}
	if _, err := d.Open(Base64, strings.NewReader(""), 0); !errors.Is(err, errNotCompressed) {
		t.Errorf("base64: %v", err)
	}
}

// faulty is a source that fails between its streams, where asked whether there is more.
type faulty struct {
	*strings.Reader
	rest                 int // how long the second stream is
	readByte, unreadByte error
}

// ReadByte fails before the second stream if it is to.
func (f faulty) ReadByte() (byte, error) {
	if f.Len() == f.rest && f.readByte != nil {
		return 0, f.readByte
	}
	return f.Reader.ReadByte()
}

// UnreadByte fails if it is to.
func (f faulty) UnreadByte() error {
	if f.unreadByte != nil {
		return f.unreadByte
	}
	return f.Reader.UnreadByte()
}

// A fault between two zlib streams is not the end of the text.
func TestZlibFaultBetween(t *testing.T) {
	packed := pack(t, writers[Zlib], eventText)
	between := errors.New("between")
	for _, source := range []faulty{{readByte: between}, {unreadByte: between}} {
		source.Reader, source.rest = strings.NewReader(packed+packed), len(packed)
		var d Decompressor
		r, err := d.Open(Zlib, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r); string(text) != eventText || !errors.Is(err, between) {
			t.Errorf("%q, %v", text, err)
		}
	}
}

// A zstd frame may ask for a window as large as the text may be, and for 8 MiB at least.
func TestZstdWindow(t *testing.T) {
	const mebi = 1 << 20
	frame := func(window int) string {
		return pack(t, func(w io.Writer) io.WriteCloser { return zstdWriter(w, window) }, eventText)
	}
	f := func(window, maxBytes int, want error) {
		t.Helper()
		var d Decompressor
		if got, err := d.read(Zstd, frame(window), maxBytes); !errors.Is(err, want) || (got == eventText) != (want == nil) {
			t.Errorf("window %d of %d bytes: %q, %v", window, maxBytes, got, err)
		}
		d.ReleaseZstd([]byte("damage"))
		if d.zstd == nil {
			t.Error("released for damage")
		}
		d.ReleaseZstd([]byte(frame(window)))
		if kept := d.zstd != nil; kept != (window <= 8*mebi) {
			t.Errorf("window %d: kept is %t", window, kept)
		}
		d.ReleaseZstd([]byte(frame(window))) // which is no fault
	}
	f(8*mebi, 1, nil)
	f(16*mebi, 16*mebi, nil)
	f(16*mebi, 16*mebi-1, zstd.ErrWindowSizeExceeded)
	f(16*mebi, 8*mebi, zstd.ErrWindowSizeExceeded)

	text := frame(16 * mebi)
	r := bytes.NewReader([]byte("{" + text))
	if got := ZstdWindow(r); got != 0 {
		t.Errorf("no frame: %d", got)
	}
	if _, err := r.ReadByte(); err != nil {
		t.Fatal(err)
	}
	if got := ZstdWindow(r); got != 16*mebi || r.Len() != len(text) {
		t.Errorf("a frame: %d, and %d bytes are left", got, r.Len())
	}
	if got := ZstdWindow(bytes.NewReader([]byte("\x28\xb5\x2f\xfd\x00\xff"))); got != zstd.MaxWindowSize { // the largest there is
		t.Errorf("the largest window: %d", got)
	}
}
