//go:build !unix

package server

import "errors"

// On other systems every session writes through its net.Conn, on a goroutine that runs
// while there is something to write.
const canRawWrite = false

func rawWrite(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
