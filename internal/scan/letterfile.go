package scan

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// LetterFile is a file of dead letters. One without a name takes none.
type LetterFile struct {
	file *os.File
	out  *bufio.Writer
}

// CreateLetterFile creates the file. Without a name there is none.
func CreateLetterFile(name string) (*LetterFile, error) {
	if name == "" {
		return &LetterFile{}, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	return &LetterFile{file, bufio.NewWriter(file)}, nil
}

// Writer returns where dead letters go, or nil.
func (l *LetterFile) Writer() io.Writer {
	if l.file == nil {
		return nil
	}
	return l.out
}

// Close writes what is left and closes the file.
func (l *LetterFile) Close() error {
	if l.file == nil {
		return nil
	}
	if err := errors.Join(l.out.Flush(), l.file.Close()); err != nil {
		return fmt.Errorf("writing dead letters: %w", err)
	}
	return nil
}
