package display

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// IsTerminal reports whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// TerminalSize returns the current size of the terminal w, or false if w is not a terminal.
func TerminalSize(w io.Writer) (width, height int, ok bool) {
	if file, isFile := w.(*os.File); isFile {
		width, height, err := term.GetSize(int(file.Fd()))
		return width, height, err == nil && width > 0 && height > 1
	}
	return 0, 0, false
}

// NewBar returns a progress bar that disappears when it is done. A total of -1 means unknown. It is drawn only when it is
// told something: a goroutine of its own would draw it over what is written after it was cleared, and never end.
func NewBar(w io.Writer, total int64, visible bool, more ...progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total, append([]progressbar.Option{
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(visible),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionSetSpinnerChangeInterval(0),
		progressbar.OptionSetWidth(24),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
	}, more...)...)
}

// NewCountBar returns a progress bar that counts units, such as records.
func NewCountBar(w io.Writer, total int64, unit string, visible bool) *progressbar.ProgressBar {
	return NewBar(w, total, visible, progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit))
}
