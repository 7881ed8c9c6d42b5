package display

import (
	"fmt"
	"io"
	"strings"
)

// maxFieldRunes is how much of a text one line of [Fields] shows.
const maxFieldRunes = 300

// Fields collects a title and, below it, lines with a name and a text. All text is escaped for display. On a terminal,
// texts wrap. The zero value is ready to use.
type Fields struct {
	b     strings.Builder
	texts []fieldText // those in b, in order
}

// fieldText is where a text starts and ends in [Fields].
type fieldText struct{ start, end int }

// Title adds a line without indentation.
func (f *Fields) Title(text string) { f.b.WriteString(Text(text) + "\n") }

// Add adds a line. An empty text shows as a dash.
func (f *Fields) Add(name, text string) {
	if text == "" {
		text = "-"
	}
	fmt.Fprintf(&f.b, "  %-18s  ", name)
	start := f.b.Len()
	f.b.WriteString(Cut(text, maxFieldRunes))
	f.texts = append(f.texts, fieldText{start, f.b.Len()})
	f.b.WriteByte('\n')
}

// AddBytes adds a line that shows bytes.
func (f *Fields) AddBytes(name string, b []byte) { f.Add(name, Bytes(b[:min(len(b), maxFieldRunes)])) }

// Dump adds rows of 16 bytes, in hexadecimal and ASCII, with carets under the byte at stop; at the end of b, under the
// place of the next byte. from is the offset of the first byte of b; stop is an offset of the same kind.
func (f *Fields) Dump(b []byte, from, stop int) {
	for row := 0; row <= len(b); row += 16 {
		bytes := b[row:min(row+16, len(b))]
		at := stop - from - row
		here := at >= 0 && at < 16 && (at < len(bytes) || row+len(bytes) == len(b))
		if len(bytes) == 0 && !here {
			return
		}
		hex, text := hexText(bytes)
		fmt.Fprintf(&f.b, "  %08x  %-49s  %s\n", from+row, hex, text)
		if here {
			fmt.Fprintf(&f.b, "  %8s  %s%s\n", "", strings.Repeat(" ", hexColumn(at))+"^^", strings.Repeat(" ", 51-hexColumn(at)-2+at)+"^")
		}
	}
}

func hexText(bytes []byte) (hex, text string) {
	var h, t strings.Builder
	for i, c := range bytes {
		if i == 8 {
			h.WriteByte(' ')
		}
		fmt.Fprintf(&h, "%02x ", c)
		if c < ' ' || c > '~' {
			c = '.'
		}
		t.WriteByte(c)
	}
	return h.String(), t.String()
}

// hexColumn returns the column where byte i of a row starts.
func hexColumn(i int) int { return 3*i + i/8 }

// WriteTo writes the lines and resets f.
func (f *Fields) WriteTo(w io.Writer) (int64, error) {
	all := f.b.String()
	if width, _, ok := TerminalSize(w); ok {
		all = f.wrapped(width)
	}
	n, err := io.WriteString(w, all)
	f.b.Reset()
	f.texts = nil
	return int64(n), err
}

// wrapped returns the lines for a terminal.
func (f *Fields) wrapped(width int) string {
	const indent = "                      "
	var b strings.Builder
	all, done := f.b.String(), 0
	for _, t := range f.texts {
		b.WriteString(all[done:t.start])
		b.WriteString(Hang(all[t.start:t.end], width, indent))
		done = t.end
	}
	b.WriteString(all[done:])
	return b.String()
}
