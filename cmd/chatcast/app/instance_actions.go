package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"

	"chatcast/crm"
	"chatcast/server/socketio"
)

// eventSendMessage is what clients send to have a text sent.
const eventSendMessage = "send_message"

// actions returns the handler of what clients send in the namespace of an instance, which has this
// id. It keeps no more of the request than it needs.
func (r *instanceRooms) actions(id, name string, q socketio.Request) func(context.Context, *socketio.Socket, socketio.Call) socketio.Args {
	key, remote := q.Key, q.Remote
	return func(ctx context.Context, _ *socketio.Socket, c socketio.Call) socketio.Args {
		if c.Event != eventSendMessage {
			return socketio.Args{}
		}
		body := json.RawMessage("{}")
		if len(c.Values) > 0 {
			body = c.Values[0]
		}
		now, status := r.nameNow(ctx, id, name, key)
		if status != 0 {
			return socketio.Args{Values: []json.RawMessage{errorAnswer(status)}}
		}
		return socketio.Args{Values: []json.RawMessage{r.sendText(ctx, now, key, remote, body)}}
	}
}

// nameNow returns the name that an instance has now: a client stays in its namespace when the
// instance is renamed, and another one may have the old name. The status is that of an error. With a
// key that is not good any name will do, because the route refuses the key.
func (r *instanceRooms) nameNow(ctx context.Context, id, name, key string) (now string, status int) {
	if key == "" {
		return name, 0
	}
	a, _, err := r.authenticate(ctx, key)
	if errors.Is(err, socketio.ErrInvalidKey) {
		return name, 0
	}
	var i *crm.Instance
	if err == nil {
		i, err = r.rules.InstanceByID(ctx, a, id)
	}
	switch {
	case ofRules(err, crm.CodeNotFound):
		return "", http.StatusNotFound
	case err != nil:
		return "", http.StatusServiceUnavailable
	}
	return i.Name, 0
}

// sendText does what POST /message/sendText/{instance} does, and returns its answer: so the
// body, the rights and the limits are the same.
func (r *instanceRooms) sendText(ctx context.Context, instance, key, remote string, body []byte) json.RawMessage {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/message/sendText/"+url.PathEscape(instance), bytes.NewReader(body))
	if err != nil { // the name is an instance's
		return errorAnswer(http.StatusBadRequest)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("apikey", key)
	req.RemoteAddr = net.JoinHostPort(remote, "0")
	answer := &kept{header: http.Header{}, status: http.StatusOK}
	r.router.ServeHTTP(answer, req)
	return withStatus(answer.body.Bytes(), answer.status)
}

// withStatus returns the object with the status of the answer in it: clients look there.
func withStatus(body []byte, status int) json.RawMessage {
	members := map[string]json.RawMessage{}
	if json.Unmarshal(body, &members) != nil {
		return errorAnswer(status)
	}
	text, _ := json.Marshal(status) // numbers always encode
	members["status"] = text
	out, err := json.Marshal(members)
	if err != nil {
		return errorAnswer(http.StatusInternalServerError)
	}
	return out
}

// errorAnswer is an error that has no other text than its status.
func errorAnswer(status int) json.RawMessage {
	out, _ := json.Marshal(map[string]any{ // numbers and strings always encode
		"status": status, "error": http.StatusText(status), "response": map[string]any{"message": []string{http.StatusText(status)}},
	})
	return out
}

// kept is an answer that is kept.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) WriteHeader(status int)      { k.status = status }
func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }
