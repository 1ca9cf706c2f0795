package browser

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	sdk "github.com/pusher/pusher-http-go/v5"

	"chatcast/cmd/chatcast/e2e"
)

// laravel is a Laravel application. It authorizes its users for channels at
// /broadcasting/auth, as BroadcastController does, and broadcasts.
type laravel struct {
	t      *testing.T
	client *sdk.Client
}

func newLaravel(t *testing.T, p *e2e.Running) *laravel {
	app := p.Components().Apps.First()
	return &laravel{t, &sdk.Client{
		AppID: app.ID, Key: app.Key, Secret: app.Secret, Host: p.Address(),
		EncryptionMasterKeyBase64: base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))),
	}}
}

// auth returns a handler that answers for the user of one page.
func (l *laravel) auth(user string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-CSRF-TOKEN") != "csrf-of-the-page" {
			http.Error(w, `{"message":"CSRF token mismatch."}`, 419)
			return
		}
		body, err := io.ReadAll(r.Body)
		form := string(body)
		var answer []byte
		switch {
		case err != nil:
		case strings.Contains(form, "channel_name=private-forbidden"):
			http.Error(w, `{"message":""}`, http.StatusForbidden)
			return
		case strings.Contains(form, "channel_name=presence-"):
			answer, err = l.client.AuthorizePresenceChannel(body, sdk.MemberData{UserID: user, UserInfo: map[string]string{"id": user, "name": "N" + user}})
		default:
			answer, err = l.client.AuthorizePrivateChannel(body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
}

// broadcast sends an event, to everybody or to all but one socket (toOthers).
func (l *laravel) broadcast(channel, event string, data any, except ...string) {
	l.t.Helper()
	params := sdk.TriggerParams{}
	if len(except) > 0 {
		params.SocketID = &except[0]
	}
	if _, err := l.client.TriggerWithParams(channel, event, data, params); err != nil {
		l.t.Fatal(err)
	}
}

func (l *laravel) order(user, what string) {
	l.t.Helper()
	l.broadcast("commands", "do", map[string]string{"user": user, "what": what})
}

// echoPage is the data of the template echo-laravel.html.
type echoPage struct{ Broadcaster, Key, Host, Port, User string }

// open opens the page of a user and returns it with its socket's id.
func (l *laravel) open(p *e2e.Running, broadcaster, user string) (page *e2e.Tab, socketID string) {
	l.t.Helper()
	host, port, err := net.SplitHostPort(p.Address())
	if err != nil {
		l.t.Fatal(err)
	}
	page = e2e.OpenPageBeside(l.t, "echo-laravel.html", echoPage{broadcaster, l.client.Key, host, port, user}, map[string]http.Handler{
		"POST /broadcasting/auth": l.auth(user),
	})
	page.AllowStrange()
	page.Subscribed(4)
	page.Sees("refused", `"AuthError",403`)
	page.Wait("the public channel", func(logged []json.RawMessage, _ []string) bool {
		return slices.ContainsFunc(logged, func(entry json.RawMessage) bool {
			var line []string
			if json.Unmarshal(entry, &line) != nil || len(line) != 2 || line[0] != "ready" {
				return false
			}
			socketID = line[1]
			return true
		})
	})
	return page, socketID
}

// TestEchoConnectors drives Laravel Echo's connectors for Pusher and Reverb with an
// application that authorizes by itself: every kind of channel, and its features.
func TestEchoConnectors(t *testing.T) {
	for _, broadcaster := range []string{"pusher", "reverb"} {
		t.Run(broadcaster, func(t *testing.T) {
			p := e2e.Start(t, e2e.Config(t))
			app := newLaravel(t, p)
			ann, annID := app.open(p, broadcaster, "1")
			ann.Sees("here", `[{"id":"1","name":"N1"}]`)
			ben, _ := app.open(p, broadcaster, "2")
			ann.Sees("joining", `{"id":"2","name":"N2"}`)
			ben.Wait("both people to be here", func(logged []json.RawMessage, _ []string) bool {
				return strings.Contains(e2e.Lines(logged), `"here"`) && strings.Contains(e2e.Lines(logged), `"N1"`)
			})

			const shipped = `App\Events\OrderShipped`
			app.broadcast("private-orders", shipped, map[string]int{"order": 7})
			app.broadcast("private-orders", `Illuminate\Notifications\Events\BroadcastNotificationCreated`, map[string]string{"type": "invoice"})
			app.broadcast("private-encrypted-vault", `App\Events\SecretTold`, map[string]string{"told": "the secret"})
			for _, page := range []*e2e.Tab{ann, ben} {
				page.Sees("shipped", `{"order":7}`)
				page.Sees("notified", `"type":"invoice"`)
				page.Sees("all", `{"order":7}`)
				page.Sees("secret", `"told":"the secret"`)
			}

			app.broadcast("private-orders", shipped, map[string]int{"order": 8}, annID)
			ben.Sees("shipped", `{"order":8}`)
			app.order("1", "whisper")
			ben.Sees("typing", `{"by":"1"}`)
			app.order("2", "wave")
			ann.Sees("wave", `{"by":"2"}`)

			app.order("1", "leave")
			ann.Sees("left", "")
			app.broadcast("private-orders", shipped, map[string]int{"order": 9})
			ben.Sees("shipped", `{"order":9}`)
			app.order("2", "wave") // reaches the other page after all earlier events
			app.order("2", "leaveRoom")
			ann.Sees("leaving", `"name":"N2"`)
			for _, entry := range ann.Logs() {
				if text := string(entry); strings.HasPrefix(text, `["error"`) || strings.Contains(text, `"order":8`) || strings.Contains(text, `"order":9`) || strings.HasPrefix(text, `["typing"`) {
					t.Errorf("the first page logged %s", text)
				}
			}
		})
	}
}
