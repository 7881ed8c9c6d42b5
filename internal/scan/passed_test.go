package scan

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// The chunks of a text and the parts passed over follow each other without a gap, whatever the size of the value after a
// part passed over. A stop reports its place by their lengths.
func TestChunksAndPartsPassedOverAddUp(t *testing.T) {
	small, medium := match("1"), `[{"a":1}`+strings.Repeat(`,{"a":1}`, chunkBytes/10)+"]"
	large := `{"x":"` + strings.Repeat("x", 5*chunkBytes) + `"}`
	for name, values := range map[string][]string{
		"lines":  {small + "\n", large + "\n", medium + "\n", small + "\n", large},
		"values": {pretty(t, small), pretty(t, large), pretty(t, medium), pretty(t, small), pretty(t, large)},
	} {
		content := strings.Join(values, "")
		var records []string
		next, parts := int64(0), 0
		c := chunker{text: strings.NewReader(content), max: 2*chunkBytes + chunkBytes/2}
		c.emit = func(out *chunk) error {
			if out.offset != next {
				t.Errorf("%s: a chunk at %d, want it at %d", name, out.offset, next)
			}
			if next += out.length; out.fault != nil {
				parts++
				return nil
			}
			out.eachRecord(func(start, end int) { records = append(records, string(out.data[start:end])) })
			return nil
		}
		if err := c.run(); err != nil || next != int64(len(content)) || parts != 2 || len(records) != 3 {
			t.Errorf("%s: %d bytes of %d, %d parts passed over, %d records, error %v", name, next, len(content), parts, len(records), err)
		}
		for i, value := range []string{values[0], values[2], values[3]} {
			if records[i] != strings.TrimSpace(value) {
				t.Errorf("%s: record %d is %.100q", name, i, records[i])
			}
		}
	}
}

// failsOnce is a reader that ends after an error, as a disk may.
type failsOnce struct{ err error }

func (r *failsOnce) Read([]byte) (int, error) {
	err := r.err
	r.err = io.EOF
	return 0, err
}

// A text that breaks off within a value that is too large is not taken for one that ended.
func TestReadErrorWhilePassingOver(t *testing.T) {
	broken := errors.New("input/output error")
	text := io.MultiReader(strings.NewReader(match("1")+"\n"+strings.Repeat("x", 3*chunkBytes)), &failsOnce{broken})
	c := chunker{text: text, max: chunkBytes}
	c.emit = func(*chunk) error { return nil }
	if err := c.run(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
