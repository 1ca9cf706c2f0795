package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/socketio"
)

// TestSentThroughTheInstanceThatWasEntered renames an instance while a client is in its namespace, and
// gives its name to another one: what the client sends goes through the one that it has entered, and
// nowhere when that is gone.
func TestSentThroughTheInstanceThatWasEntered(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, rooms := roomsOf(t, store)
		rooms.router = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(rw, `{"path":%q}`, r.URL.Path)
		})
		key, err := w.CreateKey(t.Context(), w.Owner, crm.KeyInput{Name: "all", Rights: crm.KeyRights()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.CreateInstance(t.Context(), w.Owner, crm.InstanceInput{Name: "shop"}); err != nil {
			t.Fatal(err)
		}
		entry, err := rooms.Enter(t.Context(), socketio.Request{Namespace: "/shop", Key: key.Key, Remote: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		send := func(want string) {
			t.Helper()
			answer := entry.On(t.Context(), nil, socketio.Call{
				Event: eventSendMessage, Args: socketio.Args{Values: []json.RawMessage{json.RawMessage(`{}`)}},
			})
			if len(answer.Values) != 1 || string(answer.Values[0]) != want {
				t.Errorf("the answer is %s, want %s", answer.Values, want)
			}
		}
		send(`{"path":"/message/sendText/shop","status":200}`)
		if _, err := w.ChangeInstance(t.Context(), w.Owner, "shop", crm.InstanceChanges{Name: crm.Value("old shop")}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CreateInstance(t.Context(), w.Owner, crm.InstanceInput{Name: "shop"}); err != nil {
			t.Fatal(err)
		}
		send(`{"path":"/message/sendText/old shop","status":200}`)
		if err := w.DeleteInstance(t.Context(), w.Owner, "old shop"); err != nil {
			t.Fatal(err)
		}
		send(`{"error":"Not Found","response":{"message":["Not Found"]},"status":404}`)
	})
}
