package socketio

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"chatcast/server"
)

// FuzzPayload reads bodies of polling. What is read, and sent back, is the same again.
func FuzzPayload(f *testing.F) {
	for _, s := range []string{"4hello", "4a\x1e4b", "4\x1ebAQIDBA==", "", "3", "2", "1", "4a\x1e", "b", "b=", "bA", strings.Repeat("3\x1e", 2000) + "3"} {
		f.Add([]byte(s))
	}
	codec := packets{maxPayload: 1_000_000}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !utf8.Valid(body) {
			return // server refuses it
		}
		sent, err := codec.Decode(body)
		if err != nil {
			return
		}
		if len(sent.Messages) > maxPackets {
			t.Fatalf("%d messages", len(sent.Messages))
		}
		var frames [][]byte
		for _, m := range sent.Messages {
			if m[0] != binaryPacket {
				frames = append(frames, textFrame(string(m)))
				continue
			}
			data, err := decodeBinary(m)
			if err != nil {
				t.Fatalf("%q was accepted", m)
			}
			frames = append(frames, binaryFrame(data))
		}
		if len(frames) == 0 {
			return
		}
		together := codec.Encode(server.Part{Frames: [][]byte{bytes.Join(frames, nil)}}).Bytes
		apart := codec.Encode(server.Part{Frames: frames}).Bytes
		if !bytes.Equal(together, apart) {
			t.Fatalf("%q is encoded as %q and %q", body, together, apart)
		}
		again, err := codec.Decode(apart)
		if err != nil || len(again.Messages) != len(sent.Messages) {
			t.Fatalf("%q became %q: %v", body, apart, err)
		}
	})
}

// FuzzPacket reads packets of Socket.IO.
func FuzzPacket(f *testing.F) {
	for _, s := range []string{
		"0", `0{"apikey":"k"}`, "0/shop", "0/shop,", `0/shop?x=1,{"a":1}`, "1/shop,", `2["a",1]`, `2/shop,7["a",{}]`, "3/shop,7[]",
		`51-/shop,["x",{"_placeholder":true,"num":0}]`, `62-7[{}]`, "4{}", "7", "", "2{}", "2[]", "2[1]", `2["connect"]`, `2999999999999999999999["a"]`,
		`599-["a"]`, "5-", "511-[]", `2["a",` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "]", `20["\ud800"]`, "0/\x00,",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePacket(b)
		if err != nil {
			return
		}
		if p.namespace == "" || p.namespace[0] != '/' || len(p.namespace) > maxNamespace || strings.Contains(p.namespace, ",") ||
			len(p.ack) > maxAckDigits || p.attachments > maxAttachments || slices.Contains(reserved, p.event) {
			t.Fatalf("%q is %+v", b, p)
		}
		if p.auth != nil && !json.Valid(p.auth) {
			t.Fatalf("%q has auth %q", b, p.auth)
		}
		if p.kind != typeEvent {
			return
		}
		frame := argsFrames(prefixOf(p.namespace), "", append([]json.RawMessage{json.RawMessage(quoted(p.event))}, p.values...), nil)
		again, err := parsePacket(server.Payload(frame)[1:])
		if err != nil || again.event != p.event || again.namespace != p.namespace || len(again.values) != len(p.values) {
			t.Fatalf("%q became %q: %+v %v", b, frame, again, err)
		}
	})
}

// FuzzCursors reads what clients say about where they are.
func FuzzCursors(f *testing.F) {
	f.Add([]byte(`{"pid":"00","offset":"7.1","last_event_id":3,"apikey":"k"}`), "7")
	f.Fuzz(func(t *testing.T, auth []byte, offset string) {
		_ = cursorsOf(auth)
		_ = keyOf(auth)
		s := &Server{pidSecret: []byte("secret")}
		if _, ok := s.ticket(offset, "/shop", "private-shop", 7); ok {
			t.Fatalf("%q is a pid", offset)
		}
		if p, ok := parsePlace(offset); ok && p.String() != strings.TrimLeft(offset, "0") && p.seq != 0 && !strings.HasPrefix(offset, "0") && !strings.Contains(offset, ".0") {
			t.Fatalf("%q is %v", offset, p)
		}
	})
}
