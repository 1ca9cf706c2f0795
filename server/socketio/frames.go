package socketio

import (
	"bytes"
	"encoding/json"
	"strconv"

	"chatcast/server"
)

// prefixOf returns how packets of a namespace begin after their type.
func prefixOf(namespace string) string {
	if namespace == "/" {
		return ""
	}
	return namespace + ","
}

// connectedFrame accepts a client. pid is empty without recovery.
func connectedFrame(prefix, sid, pid string) []byte {
	body := `{"sid":` + quoted(sid)
	if pid != "" {
		body += `,"pid":` + quoted(pid)
	}
	return messageFrame(typeConnect, prefix, "", body+"}")
}

// refusedFrame tells a client why it may not enter a namespace.
func refusedFrame(prefix string, r *Refusal) []byte {
	body, err := encode(struct {
		Message string `json:"message"`
		Data    any    `json:"data,omitempty"`
	}{r.Message, r.Data})
	if err != nil { // Data of Rooms; the text alone is enough
		body = []byte(`{"message":` + quoted(r.Message) + "}")
	}
	return messageFrame(typeConnectError, prefix, "", string(body))
}

// leftFrame tells a client that it is no longer in a namespace.
func leftFrame(prefix string) []byte { return messageFrame(typeDisconnect, prefix, "", "") }

func messageFrame(kind byte, prefix, ack, body string) []byte {
	return textFrame(string([]byte{packetMessage, kind}) + prefix + ack + body)
}

// argsFrames returns an event, or with an ack the acknowledgement, as one slice of frames:
// its attachments follow it.
func argsFrames(prefix, ack string, values []json.RawMessage, attachments [][]byte) []byte {
	kind, count := byte(typeEvent), ""
	if ack != "" {
		kind = typeAck
	}
	if n := len(attachments); n > 0 {
		kind += typeBinaryEvent - typeEvent
		count = strconv.Itoa(n) + "-"
	}
	var body bytes.Buffer
	body.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			body.WriteByte(',')
		}
		if len(v) == 0 {
			v = json.RawMessage("null")
		}
		body.Write(v)
	}
	body.WriteByte(']')
	frames := messageFrame(kind, count+prefix, ack, body.String())
	for _, data := range attachments {
		frames = append(frames, binaryFrame(data)...)
	}
	return frames
}

// appendEvent appends the frame of an event with one argument and, if offset is not
// empty, the offset as another.
func appendEvent(b []byte, prefix, name string, data []byte, offset string) []byte {
	name = quoted(name)
	n := len(`42[,]`) + len(prefix) + len(name) + len(data)
	if offset != "" {
		n += len(`,""`) + len(offset)
	}
	b = server.AppendHeader(b, n)
	b = append(b, packetMessage, typeEvent)
	b = append(b, prefix...)
	b = append(b, '[')
	b = append(b, name...)
	b = append(b, ',')
	b = append(b, data...)
	if offset != "" {
		b = append(b, ',', '"')
		b = append(b, offset...)
		b = append(b, '"')
	}
	return append(b, ']')
}

// quoted returns a string as JSON.
func quoted(s string) string {
	b, _ := encode(s) // strings always encode
	return string(b)
}

// encode is json.Marshal without the escapes of HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
