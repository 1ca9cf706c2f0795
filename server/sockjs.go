package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// SockJS is the codec of SockJS as pusher-js speaks it: lines in the answers of
// receiving requests, each read as soon as it arrives, and a JSON array in the bodies
// of sending requests.
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
//
// A second receiving request beside the first gets c[2010,...]; other errors have an
// HTTP status and a sentence.
type SockJS struct{}

var _ HTTPCodec = SockJS{}

// prelude is sent first in a streaming answer, for browsers and proxies that hold back
// the first bytes of a body.
var prelude = strings.Repeat("h", 2048) + "\n"

var errNoArray = errors.New("the body must be a JSON array of strings")

// Rules implements HTTPCodec. pusher-js sends a new request only when a line is
// complete and it has more than 256 Ki characters. Ending the answer there loses
// nothing, and makes other clients send a new request too.
func (SockJS) Rules(o Options) HTTPRules {
	return HTTPRules{
		Polling: "xhr_polling", Streaming: "xhr_streaming",
		ContentType:  "application/javascript; charset=UTF-8",
		MessageBytes: o.MessageBytes,
		BodyBytes:    8 * o.MessageBytes, // each byte of a message may be escaped, and a body may hold several messages
		StreamSize:   256 * 1024,
	}
}

// Encode implements HTTPCodec. A client whose session is open takes the prelude for a
// heartbeat; a polling client answers a heartbeat with its next request.
func (SockJS) Encode(p Part) Encoded {
	var b bytes.Buffer
	if p.First && p.Streaming {
		b.WriteString(prelude)
	}
	if p.Open {
		b.WriteString("o\n")
	}
	if len(p.Frames) > 0 {
		texts := make([]string, len(p.Frames))
		for i, f := range p.Frames {
			texts[i] = string(Payload(f))
		}
		writeLine(&b, 'a', texts)
	}
	if p.Heartbeat {
		b.WriteString("h\n")
	}
	if p.Close != nil && p.Close.Code != 0 {
		writeLine(&b, 'c', [2]any{p.Close.Code, p.Close.Message})
	}
	return Encoded{
		Bytes: b.Bytes(), Size: characters(b.Bytes()),
		Asks: p.Streaming && (p.First && !p.Open || p.Heartbeat),
	}
}

// Decode implements HTTPCodec.
func (SockJS) Decode(body []byte) (Sent, error) {
	var list []*string
	if json.Unmarshal(body, &list) != nil || list == nil {
		return Sent{}, errNoArray
	}
	messages := make([][]byte, len(list))
	for i, m := range list {
		if m == nil {
			return Sent{}, errNoArray
		}
		messages[i] = []byte(*m)
	}
	return Sent{Messages: messages, Alive: len(messages) == 0}, nil
}

// Accept implements HTTPCodec.
func (SockJS) Accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.WriteHeader(http.StatusNoContent)
}

// Refuse implements HTTPCodec.
func (SockJS) Refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	switch {
	case errors.Is(err, ErrBusy):
		_, _ = io.WriteString(w, "c[2010,\"Another connection still open\"]\n") // the refusal stands even if the client has left
		return
	case errors.Is(err, ErrNoSession):
		status = http.StatusNotFound
	case errors.Is(err, ErrTooLarge):
		status = http.StatusRequestEntityTooLarge
	}
	http.Error(w, err.Error(), status)
}

// writeLine writes a line of this kind with v. JSON has no line breaks inside.
func writeLine(b *bytes.Buffer, kind byte, v any) {
	b.WriteByte(kind)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // strings and numbers always encode; Encode ends the line
}

// characters returns the length of b, which is valid UTF-8, as a script counts it: in
// UTF-16 code units.
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
