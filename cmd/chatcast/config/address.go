package config

import (
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// UnixPrefix is the prefix of an address that is the path of a Unix socket.
const UnixPrefix = "unix:"

const maxSocketPath = 103 // the least that systems take

// SocketMode reads server.socket_mode, such as 0660.
func SocketMode(text string) (fs.FileMode, error) {
	mode, err := strconv.ParseUint(text, 8, 32)
	if err != nil || mode > 0o777 || mode&0o600 != 0o600 {
		return 0, fmt.Errorf("must be the permissions of a file, with those to read and write for its owner, such as 0660, not %q", text)
	}
	return fs.FileMode(mode), nil
}

func checkAddress(key, address string, violations *ConfigError) {
	if path, unix := strings.CutPrefix(address, UnixPrefix); unix {
		if path == "" || len(path) > maxSocketPath {
			violations.add(key, "must name a file of at most %d bytes after unix:", maxSocketPath)
		}
		return
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		violations.add(key, "must be host:port such as 127.0.0.1:6001, or unix:/run/chatcast.sock, not %q", address)
		return
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		violations.add(key, "the port must be a number up to 65535, not %q", port)
	}
	if strings.ContainsAny(host, " /@") {
		violations.add(key, "the host must be a name or an address, not %q", host)
	}
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
