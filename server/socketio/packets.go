package socketio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"chatcast/server"
)

// Types of Engine.IO packets. On a WebSocket each text message is a packet, and a binary
// one is the content of a message; over polling, a body has packets with separators
// between them, and a binary one is binaryPacket and base64.
//
//	client                                        server
//	------                                        ------
//	GET ?EIO=4&transport=polling               -> 0{"sid":"SID",...}
//	GET ?EIO=4&transport=polling&sid=SID       -> 4...␞4...      held until there is something
//	POST ?EIO=4&transport=polling&sid=SID 4... -> ok
//	GET ?EIO=4&transport=websocket&sid=SID     -> 101
//	    2probe                                 -> 3probe
//	    (GETs are answered 6 from now on)
//	    5                                      -> what has waited
//	                                              2              every pingInterval
//	    3                                      ->
//	    1                                      -> the end
const (
	packetOpen    = '0'
	packetClose   = '1'
	packetPing    = '2'
	packetPong    = '3'
	packetMessage = '4'
	packetUpgrade = '5'
	packetNoop    = '6'

	binaryPacket = 'b'
	separator    = '\x1e'
)

// Frames that all connections share.
var (
	pingFrame      = textFrame(string(packetPing))
	probePongFrame = textFrame(string(packetPong) + probe)
)

// probe is the content of the ping and the pong with which a WebSocket is tried.
const probe = "probe"

// maxPackets is the most packets in one body: more are more than a connection may send at once.
const maxPackets = 1000

// Errors of a body.
var (
	errBadPacket   = errors.New("a packet is invalid")
	errManyPackets = fmt.Errorf("a body may have %d packets", maxPackets)
)

// textFrame returns a frame of its own for a text.
func textFrame(text string) []byte {
	return append(server.AppendHeader(make([]byte, 0, server.HeaderRoom+len(text)), len(text)), text...)
}

// binaryFrame returns a frame for a binary message.
func binaryFrame(data []byte) []byte {
	return append(server.AppendBinaryHeader(make([]byte, 0, server.HeaderRoom+len(data)), len(data)), data...)
}

// packets is the server.HTTPCodec of polling.
type packets struct {
	maxPayload             int
	pingEvery, pongTimeout time.Duration
}

var _ server.HTTPCodec = packets{}

// Rules implements server.HTTPCodec.
func (p packets) Rules(server.Options) server.HTTPRules {
	return server.HTTPRules{
		Polling: transportPolling, ContentType: "text/plain; charset=UTF-8",
		MessageBytes: p.maxPayload, BodyBytes: p.maxPayload, Pings: true, PingEvery: p.pingEvery, PongTimeout: p.pongTimeout, Strict: true,
	}
}

// Encode implements server.HTTPCodec. A noop ends an answer, and means nothing.
func (packets) Encode(p server.Part) server.Encoded {
	size := 2
	for _, f := range p.Frames {
		size += len(f)
	}
	b := make([]byte, 0, size)
	add := func(kind byte) {
		if len(b) > 0 {
			b = append(b, separator)
		}
		b = append(b, kind)
	}
	for _, frames := range p.Frames {
		for f := range server.Split(frames) {
			payload := server.Payload(f)
			switch {
			case server.IsBinary(f):
				add(binaryPacket)
				b = base64.StdEncoding.AppendEncode(b, payload)
			case len(payload) > 0:
				add(payload[0])
				b = append(b, payload[1:]...)
			}
		}
	}
	if p.Heartbeat {
		add(packetPing)
	}
	switch {
	case p.Held:
		add(packetNoop)
	case p.Close == nil:
	case p.Close.Reason == server.PeerClosed, p.Close.Reason == server.Upgraded:
		add(packetNoop)
	default:
		add(packetClose)
	}
	return server.Encoded{Bytes: b}
}

// Decode implements server.HTTPCodec. A pong is only a sign of life, as each request is.
func (packets) Decode(body []byte) (server.Sent, error) {
	var sent server.Sent
	for n := 0; ; n++ {
		p, rest, more := bytes.Cut(body, []byte{separator})
		switch {
		case n == maxPackets:
			return server.Sent{}, errManyPackets
		case len(p) == 0:
			return server.Sent{}, errBadPacket
		case p[0] == packetMessage, p[0] == packetClose:
			sent.Messages = append(sent.Messages, p)
		case p[0] == binaryPacket:
			if _, err := decodeBinary(p); err != nil {
				return server.Sent{}, errBadPacket
			}
			sent.Messages = append(sent.Messages, p)
		case p[0] != packetPong:
			return server.Sent{}, errBadPacket
		}
		if !more {
			return sent, nil
		}
		body = rest
	}
}

// decodeBinary returns the content of a binary packet of polling.
func decodeBinary(p []byte) ([]byte, error) {
	data, err := base64.StdEncoding.AppendDecode(nil, p[1:])
	if err != nil {
		return nil, errBadPacket
	}
	return data, nil
}

// Accept implements server.HTTPCodec.
func (packets) Accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok") // the messages are handled even if the client has left
}

// Refuse implements server.HTTPCodec.
func (packets) Refuse(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, server.ErrNoSession):
		errUnknownSession.write(w)
	case errors.Is(err, server.ErrTooLarge):
		handshakeError{status: http.StatusRequestEntityTooLarge, Code: 3, Message: "Payload too large"}.write(w)
	default:
		errBadRequest.write(w)
	}
}
