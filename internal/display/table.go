package display

import (
	"fmt"
	"io"
	"strings"

	"github.com/rivo/uniseg"
)

// Table collects rows of cells and writes them in columns. On a terminal it shrinks the widest columns until rows fit. It
// escapes every cell for display.
type Table struct {
	w     io.Writer
	rows  [][]string
	right map[int]bool
	whole map[int]bool
	extra int // the column that may be left out; 0 for none
}

// longestCell bounds the text of a cell.
const longestCell = 200

// NewTable returns a table with an optional header.
func NewTable(w io.Writer, header ...string) *Table {
	t := &Table{w: w, right: map[int]bool{}, whole: map[int]bool{}}
	if len(header) > 0 {
		t.rows = append(t.rows, header)
	}
	return t
}

// AlignRight aligns columns to the right.
func (t *Table) AlignRight(columns ...int) *Table {
	for _, c := range columns {
		t.right[c] = true
	}
	return t
}

// Whole keeps columns from being narrowed, such as those of account ids, which are useless when cut.
func (t *Table) Whole(columns ...int) *Table {
	for _, c := range columns {
		t.whole[c] = true
	}
	return t
}

// Extra names the column, not the first, that is left out where there is no room for a useful part of it.
func (t *Table) Extra(column int) *Table {
	t.extra = column
	return t
}

// Row adds a row. It formats cells like fmt.Sprint.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = Cut(fmt.Sprint(cell), longestCell)
	}
	t.rows = append(t.rows, row)
}

// Counts adds a row for each of the n largest counts and one for all others. The first row carries the title.
func (t *Table) Counts(title string, c *Counter, n int) {
	top, others := c.Top(n)
	t.CountRows(title, top, others)
}

// CountRows adds a row for each count and one for the others. The first row carries the title.
func (t *Table) CountRows(title string, counts []Count, others uint64) {
	const longest = 60
	for _, c := range counts {
		name := Cut(c.Name, longest)
		if name == "" {
			name = "(none)"
		}
		t.rows = append(t.rows, []string{title, name, Number(c.Count)})
		title = ""
	}
	if others > 0 {
		t.Row("", "others", Number(others))
	}
}

// Flush writes the rows and resets the table.
func (t *Table) Flush() error {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Width(cell))
		}
	}
	if width, _, ok := TerminalSize(t.w); ok {
		t.shrink(widths, width)
	}
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			cell = Fit(cell, widths[i])
			if t.right[i] {
				trimmed := strings.TrimRight(cell, " ")
				cell = strings.Repeat(" ", Width(cell)-Width(trimmed)) + trimmed
			}
			line.WriteString(cell + columnGap)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	t.rows = nil
	_, err := io.WriteString(t.w, b.String())
	return err
}

// columnGap separates columns.
const columnGap = "  "

// shrink narrows the widest columns until all fit into width. The extra column, if it would get too narrow, gets width 0.
func (t *Table) shrink(widths []int, width int) {
	const least, leastExtra = 6, 16 // narrower columns are unreadable
	over := -len(columnGap) - width
	for _, w := range widths {
		over += w + len(columnGap)
	}
	if i := t.extra; i > 0 && i < len(widths) && over > 0 && widths[i]-over < leastExtra {
		over -= widths[i] + len(columnGap)
		widths[i] = 0
	}
	for ; over > 0; over-- {
		widest := -1
		for i, w := range widths {
			if !t.whole[i] && w > least && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

// Width returns the number of terminal columns that a text takes.
func Width(text string) int { return uniseg.StringWidth(text) }

// Fit cuts or pads a text to a width in terminal columns. An ellipsis replaces what is cut.
func Fit(text string, width int) string {
	n := Width(text)
	if n <= width {
		return text + strings.Repeat(" ", width-n)
	}
	kept, used := 0, 0
	for g := uniseg.NewGraphemes(text); g.Next() && used+g.Width() < width; {
		_, kept = g.Positions()
		used += g.Width()
	}
	return text[:kept] + "…" + strings.Repeat(" ", max(width-used-1, 0))
}
