//go:build !linux

package instance

import (
	"errors"
	"io"
)

// errNoNames: this system has no names that the kernel releases when the process that holds them dies.
var errNoNames = errors.New("supported on Linux only")

func placeMark() (string, error) { return "", errNoNames }

func holdName(string) (io.Closer, error) { return nil, errNoNames }
