package program_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
)

// expelled expects that the socket is closed because its user's access has ended.
func expelled(t *testing.T, name string, ws *e2e.Socket) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(testwait.Long))
	for {
		if _, frame, err := ws.ReadMessage(); websocket.IsCloseError(err, 4009) {
			return
		} else if err != nil {
			t.Errorf("%s: %s, %v", name, frame, err)
			return
		}
	}
}

// stays expects that the socket is open: it answers a ping.
func stays(t *testing.T, name string, ws *e2e.Socket) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(testwait.Long))
	if err := ws.WriteJSON(map[string]any{"event": "pusher:ping", "data": map[string]any{}}); err != nil {
		t.Fatal(err)
	}
	var frame struct{ Event string }
	if err := ws.ReadJSON(&frame); err != nil || frame.Event != "pusher:pong" {
		t.Errorf("%s: %+v, %v", name, frame, err)
	}
}

// A sign-out ends the sockets that its token vouched for, also after a refresh, and
// leaves those of the user's other sign-ins.
func TestSocketsEndWithTheirSession(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	var pair struct{ AccessToken, RefreshToken string }
	phone, desk := &e2e.Client{T: t, Base: p.Base}, p.SignIn(t)
	phone.Must("POST", "/v1/tokens", map[string]any{"email": e2e.OwnerEmail, "password": e2e.OwnerPassword}, &pair)
	phone.Token = pair.AccessToken
	onPhone, onDesk := phone.Subscribe(e2e.UserChannel), desk.Subscribe(e2e.UserChannel)
	signedIn, id := e2e.ConnectSocket(t, p.Base)
	phone.Call("POST", "/broadcasting/user-auth", map[string]any{"socket_id": id})

	phone.Must("POST", "/v1/tokens/refresh", map[string]any{"refreshToken": pair.RefreshToken}, &pair)
	phone.Token = pair.AccessToken
	stays(t, "refreshed", onPhone)

	phone.Must("DELETE", "/v1/tokens", nil, nil)
	expelled(t, "signed out", onPhone)
	expelled(t, "signed out, with no channel", signedIn)
	stays(t, "signed in elsewhere", onDesk)
	desk.Must("DELETE", "/v1/tokens", nil, nil)
	expelled(t, "signed out everywhere", onDesk)
}

// When a user of the CRM loses access, so do their sockets. A user of the app with the
// same id, whom a backend has signed in with the app's secret, is somebody else.
func TestUsersOfTheAppAreNotTheCRMs(t *testing.T) {
	cfg := e2e.Config(t)
	cfg.Apps[0].Secret = rand.Text()
	p := e2e.Start(t, cfg)
	owner := p.SignIn(t)
	bea, beaID := owner.Hire(p)
	theirs := bea.Subscribe(fmt.Sprintf("private-v1.users.%d", beaID))
	apps, id := e2e.ConnectSocket(t, p.Base)
	data, _ := json.Marshal(map[string]any{"id": beaID})
	if err := apps.WriteJSON(map[string]any{"event": "pusher:signin", "data": map[string]string{
		"user_data": string(data), "auth": p.Components().Apps.First().AuthUser(id, string(data)),
	}}); err != nil {
		t.Fatal(err)
	}
	var frame struct{ Event string }
	if err := apps.ReadJSON(&frame); err != nil || frame.Event != "pusher:signin_success" {
		t.Fatalf("%+v, %v", frame, err)
	}
	bea.Must("DELETE", "/v1/tokens", nil, nil)
	expelled(t, "the CRM's user", theirs)
	stays(t, "the app's user", apps)
	if n, err := p.Components().Engine.Terminate(t.Context(), "1", fmt.Sprint(beaID)); n != 1 || err != nil {
		t.Errorf("terminated %d, %v", n, err)
	}
	expelled(t, "the app's user", apps)
}
