package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// reusePort lets a socket listen where others of the same user do.
func reusePort(_, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	return errors.Join(err, set)
}

// portIsShared reports whether another socket listens on the address of l.
func portIsShared(l net.Listener) (bool, error) {
	inode, err := inodeOf(l)
	if err != nil {
		return false, err
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if errors.Is(err, os.ErrNotExist) { // without IPv6
			continue
		}
		if err != nil {
			return false, err
		}
		all, err := readListening(f)
		f.Close()
		if err != nil {
			return false, fmt.Errorf("%s: %w", table, err)
		}
		own, found := all[inode]
		if !found {
			continue
		}
		delete(all, inode)
		for _, address := range all {
			if address == own {
				return true, nil
			}
		}
	}
	return false, nil
}

// inodeOf returns the number of l's socket.
func inodeOf(l net.Listener) (string, error) {
	if wrapped, ok := l.(*listener); ok {
		l = wrapped.Listener
	}
	sc, ok := l.(syscall.Conn)
	if !ok {
		return "", fmt.Errorf("%T has no descriptor", l)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return "", err
	}
	var stat unix.Stat_t
	if e := raw.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &stat) }); e != nil {
		err = e
	}
	return strconv.FormatUint(stat.Ino, 10), err
}

// stateListen is TCP_LISTEN in the kernel's tables.
const stateListen = "0A"

// readListening returns the addresses of the sockets that listen, by inode, from a table of
// the kernel. They stand before the connections.
func readListening(table io.Reader) (map[string]string, error) {
	const address, state, inode = 1, 3, 9 // columns
	all := map[string]string{}
	lines := bufio.NewScanner(table)
	lines.Scan() // the heading
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) <= inode {
			return nil, fmt.Errorf("the line %q is not understood", lines.Text())
		}
		if f[state] != stateListen {
			break
		}
		all[f[inode]] = f[address]
	}
	return all, lines.Err()
}
