//go:build unix

package server

import (
	"errors"
	"syscall"
)

const canRawWrite = true

// rawWrite makes one write(2) call that does not wait: n may be less than len(b).
func rawWrite(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), b)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		default:
			return 0, err
		}
	}
}
