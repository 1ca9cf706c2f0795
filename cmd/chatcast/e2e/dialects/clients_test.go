package dialects

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"chatcast/cmd/chatcast/e2e"
)

const instance = "1229-grWhatsApp" // the line's name in Evolution API's words

// join connects a client of every dialect, and returns when all are subscribed.
func (w *world) join() {
	w.t.Helper()
	w.followJS()
	w.followIO("Socket.IO on /"+instance, "/"+instance, map[string]any{"apikey": w.key}, (*viewer).evolution)
	w.followIO("Socket.IO on /", "/", map[string]any{"apikey": w.key}, (*viewer).evolution)
	w.followIO("MultiWA's Socket.IO", "/ws", map[string]any{"apiKey": w.key, "events": []string{"*"}}, (*viewer).multiwa)
	w.followCallback()
	w.followWebhook("the webhook of Evolution API", "/webhook/set/"+instance, "apikey", `{"webhook":{"enabled":true,"url":%q,"events":[]}}`, (*viewer).evolution)
	w.followWebhook("the webhook of MultiWA", "/api/v1/webhooks", "x-api-key", `{"url":%q,"events":["*"]}`, (*viewer).multiwa)
	w.followEvents()
	w.awaitBegun()
}

// followJS runs pusher-js and MultiWA's WebSocket.
func (w *world) followJS() {
	w.t.Helper()
	viewers := map[string]*viewer{}
	for _, name := range []string{"pusher-js", "MultiWA's WebSocket"} {
		viewers[name] = w.newViewer(name)
	}
	node := e2e.StartNode(w.t, "dialects.cjs", w.cable.Base(), w.owner.Token, e2e.LineChannel, w.key, fmt.Sprint(w.from))
	go func() {
		for line := range node.Lines {
			var said [4]string
			words := []string{}
			if err := json.Unmarshal([]byte(line), &words); err != nil || copy(said[:], words) < 2 || viewers[said[0]] == nil {
				w.t.Errorf("the clients say %s", line)
				return
			}
			v := viewers[said[0]]
			switch said[1] {
			case "begun":
				v.begins()
			case "message":
				v.message(said[2], said[3])
			case "edited":
				v.change(func() { v.texts[said[2]] = said[3] })
			case "status":
				v.status(said[2], said[3])
			default:
				v.problem(line)
			}
		}
	}()
}

// followIO runs socket.io-client in a namespace. It recovers by itself. take takes its events.
func (w *world) followIO(name, namespace string, auth map[string]any, take func(v *viewer, event string, data []byte)) {
	w.t.Helper()
	v := w.newViewer(name)
	arg, err := json.Marshal(map[string]any{
		"url": w.cable.Base() + namespace, "options": map[string]any{"auth": auth},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	node := e2e.StartScript(w.t, exec.Command("node", "../../../../server/socketio/testdata/clients/client.cjs", string(arg)))
	go func() {
		for line := range node.Lines {
			v.fromIO([]byte(line), take)
		}
	}()
}

// fromIO takes what client.cjs prints: ["connect", recovered, …], ["event", name, data, …].
func (v *viewer) fromIO(line []byte, take func(v *viewer, event string, data []byte)) {
	var words []json.RawMessage
	var what, event string
	if err := json.Unmarshal(line, &words); err != nil || len(words) < 2 || json.Unmarshal(words[0], &what) != nil {
		v.problem(string(line))
		return
	}
	switch what {
	case "connect":
		begun := false
		v.change(func() { begun, v.begun = v.begun, true })
		if begun && string(words[1]) != "true" {
			v.problem("it is not recovered")
		} else if begun {
			v.returns()
		}
	case "event":
		if err := json.Unmarshal(words[1], &event); err != nil || len(words) < 3 {
			v.problem(string(line))
			return
		}
		take(v, event, words[2])
	}
}

// evolution takes an event in the words of Evolution API.
func (v *viewer) evolution(event string, envelope []byte) {
	var said struct {
		Instance string
		Data     json.RawMessage
	}
	if err := json.Unmarshal(envelope, &said); err != nil || said.Instance != instance {
		v.problem(fmt.Sprintf("%s %s: %v", event, envelope, err))
		return
	}
	var data struct {
		Key           struct{ ID string }
		KeyID, Status string
		Message       struct {
			Conversation        string
			ExtendedTextMessage struct{ Text string }
		}
	}
	switch event {
	case "messages.upsert", "send.message", "messages.update":
		if err := json.Unmarshal(said.Data, &data); err != nil {
			v.problem(fmt.Sprintf("%s %s: %v", event, envelope, err))
		}
	}
	switch event {
	case "messages.upsert", "send.message":
		v.message(data.Key.ID, cmp.Or(data.Message.Conversation, data.Message.ExtendedTextMessage.Text))
	case "messages.update":
		if data.Status == "EDITED" {
			v.change(func() { v.texts[data.KeyID] = data.Message.Conversation })
			return
		}
		v.status(data.KeyID, data.Status)
	case "chatcast:resume_failed":
		v.problem(event)
	}
}

// multiwa takes an event in the words of MultiWA.
func (v *viewer) multiwa(event string, body []byte) {
	var said struct {
		Data struct{ ID, MessageID, Body, Status string }
	}
	switch event {
	case "message.received", "message.sent", "message.ack":
		if err := json.Unmarshal(body, &said); err != nil {
			v.problem(fmt.Sprintf("%s %s: %v", event, body, err))
		}
	case "error", "chatcast:resume_failed":
		v.problem(string(body))
	}
	switch event {
	case "message.received", "message.sent":
		v.message(bareID(said.Data.ID), said.Data.Body)
	case "message.ack":
		v.status(bareID(said.Data.MessageID), said.Data.Status)
	}
}

// bareID returns the messenger's id of a message of MultiWA: true_79995554433@c.us_ID, and in
// groups false_GROUP@g.us_ID_PERSON@c.us.
func bareID(id string) string {
	parts := strings.Split(id, "_")
	if len(parts) < 3 {
		return id
	}
	return parts[2]
}
