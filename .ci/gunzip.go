//go:build ignore

// gunzip only decompresses, with the package that scan uses. It is the baseline of bench-scan.
package main

import (
	"bufio"
	"io"
	"log"
	"os"

	"github.com/klauspost/compress/gzip"
)

func main() {
	r, err := gzip.NewReader(bufio.NewReaderSize(os.Stdin, 256<<10))
	if err != nil {
		log.Fatal(err)
	}
	// A plain writer: io.Discard would take the reader's own shortcut.
	if _, err := io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}); err != nil {
		log.Fatal(err)
	}
}
