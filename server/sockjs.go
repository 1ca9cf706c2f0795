package server

import (
	"bytes"
	"encoding/json"
	"strings"
)

// The wire of a session over HTTP: lines in the answers of receiving requests,
// each read as soon as it has come, and a JSON array in the bodies of sending ones.
//
//	client                                     server
//	------                                     ------
//	POST .../xhr_streaming                  -> 200
//	                                        <- hhhh... (2,048, to wake what buffers)
//	                                        <- o              the session is open
//	                                        <- a["MESSAGE",...]
//	                                        <- h              heartbeat
//	POST .../xhr_send  ["MESSAGE",...]      -> 204
//	                   []                   -> 204, a sign of life: answers h, or asks for one
//	                                        <- c[CODE,"REASON"], then the answer ends
//	POST .../xhr                            -> 200, ends after o, a, h or c: then the next one

const (
	openLine  = "o\n"
	beatLine  = "h\n"
	busyLine  = "c[2010,\"Another connection still open\"]\n"
	streamMax = 256 * 1024 // characters of an answer; see receiver.full
)

// prelude is sent first in a streaming answer: browsers and proxies that hold
// back the first bytes of a body hold these back.
var prelude = []byte(strings.Repeat("h", 2048) + "\n")

// messageLine is the line of frames' texts.
func messageLine(frames [][]byte) []byte {
	texts := make([]string, len(frames))
	for i, f := range frames {
		texts[i] = string(payload(f))
	}
	b := bytes.NewBuffer([]byte("a"))
	encodeLine(b, texts)
	return b.Bytes()
}

// closeLine is the line that ends a session.
func closeLine(code int, reason string) []byte {
	b := bytes.NewBuffer([]byte("c"))
	encodeLine(b, [2]any{code, reason})
	return b.Bytes()
}

// encodeLine appends v and the end of the line. JSON has no line breaks inside.
func encodeLine(b *bytes.Buffer, v any) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // strings and numbers always encode
}

// characters is how long a script finds b, valid UTF-8: in units of UTF-16.
func characters(b []byte) (n int) {
	for _, c := range b {
		switch {
		case c >= 0xF0:
			n += 2
		case c < 0x80, c >= 0xC0:
			n++
		}
	}
	return n
}
