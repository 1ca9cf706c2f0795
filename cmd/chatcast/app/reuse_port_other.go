//go:build !linux

package app

import (
	"errors"
	"net"
	"syscall"
)

var errNoReusePort = errors.New("server.reuse_port is for Linux")

// reusePort returns an error; the configuration is refused before.
func reusePort(string, string, syscall.RawConn) error { return errNoReusePort }

func portIsShared(net.Listener) (bool, error) { return false, errNoReusePort }
