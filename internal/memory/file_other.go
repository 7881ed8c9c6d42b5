//go:build !linux

package memory

func releaseFile() {}
