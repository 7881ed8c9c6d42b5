package scan

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// logTree creates a bucket's folders as CloudTrail does
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html) and returns their
// root.
func logTree(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "AWSLogs")
	const digest = `{"awsAccountId":"111122223333","digestStartTime":"2026-11-01T00:00:00Z","digestEndTime":"2026-11-01T01:00:00Z",` +
		`"digestS3Bucket":"b","digestS3Object":"o","logFiles":[{"s3Bucket":"b","s3Object":"o"}]}`
	for name, content := range map[string]string{
		"111122223333/CloudTrail/eu-west-3/2026/11/01/111122223333_CloudTrail_eu-west-3_20261101T0000Z_a.json.gz":              `{"Records":[` + match("1") + "]}",
		"111122223333/CloudTrail/us-east-1/2026/11/01/111122223333_CloudTrail_us-east-1_20261101T0000Z_b.json.gz":              `{"Records":[` + match("2") + "]}",
		"444455556666/CloudTrail/eu-west-3/2026/11/01/444455556666_CloudTrail_eu-west-3_20261101T0000Z_c.json.gz":              `{"Records":[` + match("3") + "]}",
		"111122223333/CloudTrail-Digest/eu-west-3/2026/11/01/111122223333_CloudTrail-Digest_eu-west-3_trail_20261101Z.json.gz": digest,
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(gzipped(t, content)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// scanPaths lists the paths, which must all exist, scans them and returns the IDs of the alerts.
func scanPaths(t *testing.T, paths ...string) (ids string, r result) {
	t.Helper()
	sources, err := List(paths, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	r = scanSources(t, Options{}, sources...)
	for i := range r.alerts {
		ids += strings.Trim(string(r.alerts[i].EventID), `"`)
	}
	return ids, r
}

func TestTreeOfLogFiles(t *testing.T) {
	root := logTree(t)
	ids, r := scanPaths(t, root)
	if ids != "123" || r.summary.Counts.Skips[cloudtrail.KindDigest] != 1 || len(r.letters) > 0 || r.summary.Files != 4 {
		t.Errorf("alerts %s, summary %+v", ids, r.summary)
	}
}

func TestListPatternSuccess(t *testing.T) {
	root := logTree(t)
	f := func(want string, paths ...string) {
		t.Helper()
		for i := range paths {
			paths[i] = filepath.Join(root, filepath.FromSlash(paths[i]))
		}
		if ids, _ := scanPaths(t, paths...); ids != want {
			t.Errorf("%s: alerts %s, want %s", paths, ids, want)
		}
	}
	f("13", "*/CloudTrail/eu-west-3")
	f("12", "1*/CloudTrail")
	f("213", "*/CloudTrail/us-east-1", "*/CloudTrail/eu-west-?")
	f("2", "*/*/*/*/*/*/*_b.json.gz")
	literal := filepath.Join(root, "[x].json") // an existing file is not a pattern
	if err := os.WriteFile(literal, []byte(match("4")), 0o600); err != nil {
		t.Fatal(err)
	}
	f("4", "[x].json")
}

func TestListPatternFailure(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		sources, err := List([]string{path}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || len(sources) > 0 {
			t.Errorf("%s: got %v, want %q in it", path, err, want)
		}
	}
	f(filepath.Join(t.TempDir(), "*.json"), "*.json: no file matches")
	f(filepath.Join(t.TempDir(), "[.json"), "[.json: syntax error in pattern")
}

// packers compress, by shape.
var packers = map[string]func(io.Writer) io.WriteCloser{
	"zstd":   func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z },
	"zlib":   func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"snappy": func(w io.Writer) io.WriteCloser { return s2.NewWriter(w, s2.WriterSnappyCompat()) },
	"lz4": func(w io.Writer) io.WriteCloser {
		z := lz4.NewWriter(w)
		_ = z.Apply(lz4.BlockSizeOption(lz4.Block64Kb)) // a valid option
		return z
	},
}

// TestCompressedStreams reads lines in every compression piece by piece: the text is larger than the memory allowed for
// it, and its second half is cut off.
func TestCompressedStreams(t *testing.T) {
	const lines = 10_000 // more than the chunks that are read ahead
	line := match("1") + "\n"
	for shape, open := range packers {
		var packed strings.Builder
		w := open(&packed)
		for i := range lines {
			if _, err := fmt.Fprintf(w, `{"number":%d,%s`, i, line[1:]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		o := Options{MaxEventBytes: 100_000}
		r := scanSources(t, o, text("f", packed.String()))
		if len(r.alerts) != lines || len(r.letters) > 0 || r.alerts[lines-1].Origin.Shape != shape+" > ndjson" {
			t.Errorf("%s: %d alerts, dead letters %q", shape, len(r.alerts), r.reasons())
		}
		r = scanSources(t, o, text("f", packed.String()[:packed.Len()/2]))
		if n := len(r.letters); len(r.alerts) == 0 || n == 0 || r.letters[n-1].Reason != "compression" {
			t.Errorf("%s: %d alerts of half of it, dead letters %q", shape, len(r.alerts), r.reasons())
		}
	}
}
