package multiwa_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/multiwa"
)

// closes checks how the server closes a socket.
func (c *client) closes(code int, text string) {
	c.t.Helper()
	if got, said := c.closed(); got != code || said != text {
		c.t.Errorf("closed with %d %q, want %d %q", got, said, code, text)
	}
}

// TestSilentSocket checks that a client that answers no ping is closed as such, and one that does
// stays.
func TestSilentSocket(t *testing.T) {
	defer multiwa.PingOften(50*time.Millisecond, 200*time.Millisecond)()
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		h := newHarness(t, store)
		key := h.key(t, onGr).Key
		silent, answers := h.connect(t, key), h.connect(t, key)
		pings := make(chan struct{}, 1000)
		answers.ws.SetPingHandler(func(data string) error {
			pings <- struct{}{}
			return answers.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
		})
		silent.ws.SetPingHandler(func(string) error { return nil })
		read := make(chan struct{})
		go func() {
			defer close(read)
			for {
				if _, _, err := answers.ws.ReadMessage(); err != nil {
					return
				}
			}
		}()
		silent.closes(4002, "No pong was received in time")
		for range 6 { // for longer than it may be silent
			<-pings
		}
		answers.send(`{"type":"ping"}`)
		_ = answers.ws.Close()
		<-read
	})
}

// TestNoUpgrade checks the answer to a request that asks for no WebSocket, with a key and
// without one: it says nothing of the key.
func TestNoUpgrade(t *testing.T) {
	h := newHarness(t, testdb.Open(t, testdb.SQLiteURL(t)))
	for _, query := range []string{"", "?apiKey=" + h.key(t, onGr).Key, "?apiKey=wrong"} {
		res, err := http.Get(h.url + "/ws" + query)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		const want = `{"success":false,"error":{"code":"UPGRADE_REQUIRED","message":"This is the address of a WebSocket, and the request does not ask for one"}}`
		if err != nil || res.StatusCode != http.StatusUpgradeRequired || string(body) != want {
			t.Errorf("%q: %d %s, %v", query, res.StatusCode, body, err)
		}
		for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Cache-Control": "no-store", "Content-Type": "application/json; charset=utf-8"} {
			if got := res.Header.Get(name); got != value {
				t.Errorf("%q: %s is %q, want %q", query, name, got, value)
			}
		}
	}
}

// TestTooManyOfAddress checks how a socket is closed that is one too many of its address.
func TestTooManyOfAddress(t *testing.T) {
	h := newHarness(t, testdb.Open(t, testdb.SQLiteURL(t)), func(o *setup) { o.sockets.PerAddress, o.remote = 1, "192.0.2.1:1234" })
	key := h.key(t, onGr).Key
	first := h.connect(t, key)
	h.dial(t, "?apiKey="+key, nil).closes(1013, "Too many connections from this address")
	first.silence()
}

// TestFaultyFrames checks how a client is closed whose frames are none of this protocol.
func TestFaultyFrames(t *testing.T) {
	h := newHarness(t, testdb.Open(t, testdb.SQLiteURL(t)))
	key := h.key(t, onGr).Key
	for _, c := range []struct {
		kind int
		data string
		code int
		text string
	}{
		{websocket.BinaryMessage, `{"type":"ping"}`, 1003, "Binary messages are not supported"},
		{websocket.TextMessage, strings.Repeat("x", multiwa.MaxMessage+1), 1009, "The message is too large"},
		{websocket.TextMessage, "\xff", 1007, "The message is not valid UTF-8"},
	} {
		k := h.connect(t, key)
		if err := k.ws.WriteMessage(c.kind, []byte(c.data)); err != nil {
			t.Fatal(err)
		}
		k.closes(c.code, c.text)
	}
}

// withoutKeys has the database lack its keys until undo is called.
func withoutKeys(t *testing.T, store *models.Store) (undo func()) {
	t.Helper()
	db, _, err := store.SideDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rename := func(from, to string) {
		if _, err := db.ExecContext(context.WithoutCancel(t.Context()), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	rename("api_keys", "api_keys_away")
	return func() {
		rename("api_keys_away", "api_keys")
		_ = db.Close()
	}
}

// TestKeyCannotBeChecked checks the answers while keys cannot be read: they say nothing of why.
func TestKeyCannotBeChecked(t *testing.T) {
	store := testdb.Open(t, testdb.SQLiteURL(t))
	r := newRest(t, store, onGr)
	defer withoutKeys(t, store)()
	status, body := r.refused(t, "?apiKey="+r.key, nil)
	if status != 503 || body != `{"success":false,"error":{"code":"SERVICE_UNAVAILABLE","message":"The server cannot check the API key now"}}` {
		t.Errorf("%d %s", status, body)
	}
	r.fails("GET", "/profiles", "", 500, "INTERNAL_ERROR", "Internal error")
}

// TestOtherErrors checks the errors that no request is wrong enough for.
func TestOtherErrors(t *testing.T) {
	r := newRest(t, testdb.Open(t, testdb.SQLiteURL(t)), onGr)
	r.fails("POST", "/messages/text", `{"text":"`+strings.Repeat("x", 1<<20)+`"}`, 413, "PAYLOAD_TOO_LARGE", "the body is over 1048576 bytes")
	r.fails("GET", "/groups/profile/"+r.profileOf(t, onGr), "", 503, "SERVICE_UNAVAILABLE", "this line has no account that could be in groups")
	r.fails("GET", "/profiles/"+testProfile, "", 404, "NOT_FOUND", "Profile not found")
}
