package scan

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// FuzzChunker cuts a text into chunks, read in pieces of any size, and compares the result with the whole text in one
// chunk: the same records at the same places, and not a byte lost. Filler of more than a chunk moves the records of a
// small input past the end of a chunk.
func FuzzChunker(f *testing.F) {
	one := match("1")
	for _, seed := range []string{
		"", "\n", one, one + "\n" + one, one + "\r\n\r\n" + one + "\n", "[\n" + one + "\n]\n", "{\"Records\":[\n" + one + "\n]}\n" + one,
		"{\n\"a\":\"\\\"}\\n\"\n}\n{\n}\n", "garbage\n" + one, one[:20] + "\n" + one, "]]\n[\n" + one + "\n]", "\xef\xbb\xbf" + one + "\n" + one,
		"\x00\x00\x00\x00\x01" + one, "eyJ9\n", "{\"a\":\n\"" + one,
	} {
		f.Add([]byte(seed), uint64(1), uint8(len(seed)))
		for _, filler := range []uint8{128, 160, 191, 192, 224, 255} {
			f.Add([]byte(seed), uint64(2), filler)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, filler uint8) {
		data = withFiller(data, filler)
		layout := detectLayout(data[:min(len(data), chunkBytes)], len(data) < chunkBytes)
		whole := chunk{data: data, layout: layout}
		if layout != layoutWhole && len(bytes.TrimSpace(data)) == 0 {
			return // a blank text is one empty record either way
		}
		var want, got []string
		largest := 0
		whole.eachRecord(func(start, end int) {
			want = append(want, place(0, data, start, end))
			largest = max(largest, end-start)
		})

		next := int64(0)
		c := chunker{text: &ragged{bytes.NewReader(data), rand.New(rand.NewPCG(seed, 1))}, max: cloudtrail.DefaultMaxBytes, prompt: seed%3 == 0}
		c.emit = func(out *chunk) error {
			if out.offset != next || out.length != int64(len(out.data)) || out.fault != nil {
				t.Fatalf("a chunk of %d bytes at %d, want it at %d; fault %v", out.length, out.offset, next, out.fault)
			}
			if len(out.data) > chunkBytes && largest < chunkBytes/2 && c.layout == layout {
				t.Fatalf("a chunk of %d bytes, where no record has more than %d", len(out.data), largest)
			}
			next += out.length
			out.eachRecord(func(start, end int) { got = append(got, place(out.offset, out.data, start, end)) })
			out.release()
			return nil
		}
		if err := c.run(); err != nil {
			t.Fatal(err)
		}
		if c.layout == layout { // a prompt reader may detect another layout from less text
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("layout %d:\n%s", layout, diff)
			}
		}
		if next != int64(len(data)) {
			t.Errorf("%d bytes of %d", next, len(data))
		}
	})
}

// withFiller inserts more than two chunks of values: from 128 one per line, from 192 several lines each. The other bits
// choose the place.
func withFiller(data []byte, filler uint8) []byte {
	if filler < 128 {
		return data
	}
	format := "{\"filler\":%q}\n"
	if filler >= 192 {
		format = "{\n  \"filler\":\n%q\n}\n"
	}
	value := fmt.Sprintf(format, strings.Repeat("{[\"x", 2000))
	at := len(data) * int(filler&63) / 63
	return bytes.Join([][]byte{data[:at], data[at:]}, []byte(strings.Repeat(value, chunkBytes*9/4/len(value))))
}

// place identifies a record by its position and content.
func place(offset int64, data []byte, start, end int) string {
	text := data[start:end]
	return fmt.Sprintf("%d+%d %q…%q", offset+int64(start), end-start, text[:min(len(text), 8)], text[max(0, len(text)-8):])
}

// FuzzScan compares a scan of a file with the decoder's reading of it as one record: the same events raise alerts. The
// text consists of whole or cut lines, so that both read the same records.
func FuzzScan(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5}, uint8(0))
	f.Add([]byte{9, 0, 7, 0, 8}, uint8(1))
	f.Fuzz(func(t *testing.T, kinds []byte, ending uint8) {
		var content strings.Builder
		var want []string
		for i, kind := range kinds[:min(len(kinds), 200)] {
			id := fmt.Sprint(i)
			switch line := match(id); kind % 8 {
			case 0, 1:
				want = append(want, id)
				content.WriteString(line)
			case 2:
				want = append(want, id)
				content.WriteString(`{"Records":[` + line + "]}")
			case 3:
				content.WriteString(strings.Replace(line, "eu-west-3", "us-east-1", 1))
			case 4:
				content.WriteString(line[:20])
			case 5:
				content.WriteString(`"` + line[:5])
			case 6:
				want = append(want, id)
				content.WriteString(`{"filler":"` + strings.Repeat("}\\n{", int(kind)*500) + `",` + line[1:])
			}
			content.WriteString([]string{"\n", "\r\n", "\n\n", " \n"}[ending%4])
		}
		first := content.String()
		if len(want) == 0 || !strings.HasPrefix(first, `{"eventVersion":"1.11","eventID":"0"`) {
			return // with no value in the first lines, the layout may be another
		}
		var got []string
		r := scanSources(t, Options{}, text("f", first))
		for i := range r.alerts {
			got = append(got, strings.Trim(string(r.alerts[i].EventID), `"`))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", diff, first)
		}
	})
}
