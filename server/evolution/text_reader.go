package evolution

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// textReader reads what a text of JSON says, up to its closing quote. Signs that are not of ASCII
// and are written as escapes become 0xff: there are none in base64.
type textReader struct {
	from *bufio.Reader
	done bool
}

func (r *textReader) Read(p []byte) (int, error) {
	switch {
	case r.done:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	if _, err := r.from.Peek(1); err != nil {
		return 0, ended(err)
	}
	chunk, _ := r.from.Peek(min(r.from.Buffered(), len(p))) // it is there
	n := len(chunk)
	for _, stop := range []byte{'"', '\\'} {
		if i := bytes.IndexByte(chunk[:n], stop); i >= 0 {
			n = i
		}
	}
	switch {
	case n > 0:
		copy(p, chunk[:n])
		_, _ = r.from.Discard(n)
		return n, nil
	case chunk[0] == '"':
		r.done = true
		_, _ = r.from.Discard(1)
		return 0, io.EOF
	}
	b, size, err := r.escape()
	if err == nil {
		_, err = r.from.Discard(size)
	}
	p[0] = b
	return min(size, 1), ended(err)
}

// escape returns the sign of the escape that comes next, and the escape's length.
func (r *textReader) escape() (b byte, size int, err error) {
	e, err := r.from.Peek(2)
	if err != nil {
		return 0, 0, err
	}
	if i := strings.IndexByte(`"\/bfnrt`, e[1]); i >= 0 {
		return "\"\\/\b\f\n\r\t"[i], 2, nil
	}
	if e[1] != 'u' {
		return 0, 0, errSyntax
	}
	if e, err = r.from.Peek(6); err != nil {
		return 0, 0, err
	}
	code, err := strconv.ParseUint(string(e[2:]), 16, 16)
	switch {
	case err != nil:
		return 0, 0, errSyntax
	case code >= utf8.RuneSelf:
		return 0xff, 6, nil
	}
	return byte(code), 6, nil
}
