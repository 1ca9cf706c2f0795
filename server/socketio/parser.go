package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Types of Socket.IO packets. Each is the content of an Engine.IO message:
//
//	TYPE[ATTACHMENTS-][/NAMESPACE,][ACK][JSON]
//
//	0/shop,{"apikey":"..."}           CONNECT, answered by the same type or by CONNECT_ERROR
//	2/shop,7["send_message",{...}]    EVENT, answered by 3/shop,7[...] because it has an ACK
//	51-/shop,["photo",{"_placeholder":true,"num":0}] and then a binary message
const (
	typeConnect      = '0'
	typeDisconnect   = '1'
	typeEvent        = '2'
	typeAck          = '3'
	typeConnectError = '4'
	typeBinaryEvent  = '5'
	typeBinaryAck    = '6'
)

// Limits of a packet.
const (
	maxAttachments = 10
	maxNamespace   = 300 // bytes of the name
	maxAckDigits   = 15  // larger numbers are not exact in JavaScript
)

// reserved are names of events that clients may not send: their libraries emit them
// themselves.
var reserved = []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}

// packet is a Socket.IO packet.
type packet struct {
	kind        byte
	attachments int    // that follow
	namespace   string // "/" or "/shop"
	ack         string // digits; "": none
	event       string // of an event
	values      []json.RawMessage
	auth        json.RawMessage // of a CONNECT; nil: none
}

// errBadMessage is the error of a text that is no packet, or one that clients do not send.
var errBadMessage = errors.New("socketio: the packet is invalid")

// parsePacket reads a packet of a client. Nothing of it is a part of b.
func parsePacket(b []byte) (p packet, err error) {
	if len(b) == 0 || b[0] < typeConnect || b[0] > typeBinaryAck || b[0] == typeConnectError {
		return p, errBadMessage
	}
	p.kind, b = b[0], b[1:]
	if p.kind == typeBinaryEvent || p.kind == typeBinaryAck {
		if b, err = p.readAttachments(b); err != nil {
			return p, err
		}
	}
	if b, err = p.readNamespace(b); err != nil {
		return p, err
	}
	switch p.kind {
	case typeConnect:
		return p, p.readAuth(b)
	case typeDisconnect:
		return p, nil // what follows means nothing
	}
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	if n > maxAckDigits {
		return p, errBadMessage
	}
	p.ack, b = string(b[:n]), b[n:]
	return p, p.readValues(b)
}

func (p *packet) readAttachments(b []byte) (rest []byte, err error) {
	count, rest, ok := bytes.Cut(b, []byte("-"))
	n, err := strconv.ParseUint(string(count[:min(len(count), 4)]), 10, 16)
	if !ok || err != nil || len(count) > 3 || n > maxAttachments {
		return nil, errBadMessage
	}
	p.attachments = int(n)
	return rest, nil
}

// readNamespace reads the name, if there is one. A CONNECT may end with it. Some clients
// put a query behind it.
func (p *packet) readNamespace(b []byte) (rest []byte, err error) {
	p.namespace = "/"
	if len(b) == 0 || b[0] != '/' {
		return b, nil
	}
	name, rest, _ := bytes.Cut(b, []byte(","))
	name, _, _ = bytes.Cut(name, []byte("?"))
	if len(name) > maxNamespace || !utf8.Valid(name) || bytes.IndexFunc(name, isControl) >= 0 {
		return nil, errBadMessage
	}
	p.namespace = string(name)
	return rest, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func (p *packet) readAuth(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if b[0] != '{' || !json.Valid(b) {
		return errBadMessage
	}
	p.auth = bytes.Clone(b)
	return nil
}

// readValues reads the arguments. json refuses what is nested too deep.
func (p *packet) readValues(b []byte) error {
	if len(b) == 0 || b[0] != '[' || json.Unmarshal(b, &p.values) != nil {
		return errBadMessage
	}
	if p.kind == typeAck || p.kind == typeBinaryAck {
		if p.ack == "" {
			return errBadMessage
		}
		return nil
	}
	if len(p.values) == 0 || p.values[0][0] != '"' || json.Unmarshal(p.values[0], &p.event) != nil || slices.Contains(reserved, p.event) {
		return errBadMessage
	}
	p.values = p.values[1:]
	return nil
}
