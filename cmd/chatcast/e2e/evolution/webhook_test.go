package evolution

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mau.fi/whatsmeow"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
)

// post is what came to a webhook.
type post struct {
	path, body string
	header     http.Header
	event      struct {
		Event, Instance, Destination, Sender string
		Data                                 json.RawMessage
		APIKey                               *string
	}
}

// hook is a webhook that keeps what it has taken.
type hook struct {
	t   *testing.T
	url string

	mu    sync.Mutex
	down  bool // it answers 503
	all   []post
	asked int
}

func newHook(t *testing.T) *hook {
	h := &hook{t: t}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	h.url = s.URL + "/hook"
	return h
}

// ServeHTTP implements http.Handler.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p := post{path: r.URL.Path, body: string(body), header: r.Header}
	if err := json.Unmarshal(body, &p.event); err != nil {
		h.t.Errorf("%s is no event: %v", body, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	if h.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	h.all = append(h.all, p)
}

func (h *hook) set(down bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = down
}

func (h *hook) attempts() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

// got returns what has come at a path, in order; of all paths when it is empty.
func (h *hook) got(path string) (list []post) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.all {
		if path == "" || p.path == path {
			list = append(list, p)
		}
	}
	return list
}

// await waits for a post with a text in its body.
func (h *hook) await(c *client, path, text string) (found post) {
	h.t.Helper()
	c.eventually("there is "+path+" with "+text, func() bool {
		list := h.got(path)
		i := slices.IndexFunc(list, func(p post) bool { return strings.Contains(p.body, text) })
		if i >= 0 {
			found = list[i]
		}
		return i >= 0
	})
	return found
}

// withHook starts the program with a phone and a webhook on this machine.
func withHook(t *testing.T, url string, restart func(start func() *e2e.Running, w *e2e.Phones, c *client, h *hook)) {
	cfg := e2e.Config(t)
	if url != "" {
		cfg.Database.URL = url
	}
	cfg.Webhooks.AllowPrivateTargets = true
	w := e2e.StartPhones(t, &cfg)
	c := &client{t: t}
	restart(func() *e2e.Running {
		p := e2e.Start(t, cfg)
		c.base = p.Base
		if c.key == "" {
			made, err := p.Components().Rules.CreateKey(t.Context(), crm.Actor{UserID: 685}, crm.KeyInput{Name: "all", Rights: crm.KeyRights()})
			if err != nil {
				t.Fatal(err)
			}
			c.key = made.Key
		}
		return p
	}, w, c, newHook(t))
}

// TestWebhook follows an instance from its codes to its end as its webhook is told of it, with
// the options that clients mix: the name of the event in the path, and files in the body.
func TestWebhook(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		withHook(t, url, func(start func() *e2e.Running, w *e2e.Phones, c *client, h *hook) {
			start()
			c.must("POST /webhook/set/"+first, `{"webhook":{"enabled":true,"url":"`+h.url+`","webhookByEvents":true,"webhookBase64":true,"headers":{"x-team":"a","jwt_key":"k"},"events":[]}}`, 201, nil)
			pair(t, w, c, first)
			code := h.await(c, "/hook/qrcode-updated", `"base64":"data:image/png;base64,`)
			if code.header.Get("X-Event-Id") != "" || code.event.Event != "qrcode.updated" || code.event.Instance != first {
				t.Errorf("the code came as %+v", code)
			}
			h.await(c, "/hook/connection-update", `"state":"connecting"`)
			open := h.await(c, "/hook/connection-update", `"state":"open"`)
			if open.header.Get("X-Team") != "a" || !strings.HasPrefix(open.header.Get("Authorization"), "Bearer ey") || open.header.Get("Jwt_key") != "" || open.header.Get("X-Event-Id") == "" {
				t.Errorf("the header is %v", open.header)
			}

			picture := "\x89PNG\r\n\x1a\n" + strings.Repeat("pixels ", 1000)
			id := w.Anna.Send(w.Shop, w.Upload([]byte(picture), whatsmeow.MediaImage).Image("look", "image/png"))
			got := h.await(c, "/hook/messages-upsert", id)
			if !strings.Contains(got.body, `"base64":"`+base64.StdEncoding.EncodeToString([]byte(picture))+`"`) || got.event.Destination != h.url ||
				got.event.Sender != "79990001122@s.whatsapp.net" || got.event.APIKey != nil {
				t.Errorf("the picture came as %.2000s", got.body)
			}

			var sent struct{ Key struct{ ID string } }
			c.must("POST /message/sendText/"+first, `{"number":"79995554433","text":"Hello"}`, 201, &sent)
			h.await(c, "/hook/messages-update", sent.Key.ID)
			h.await(c, "/hook/send-message", sent.Key.ID)
			order := []string{}
			for _, p := range h.got("") {
				if strings.Contains(p.body, sent.Key.ID) {
					order = append(order, p.event.Event)
				}
			}
			if order[0] != "send.message" {
				t.Errorf("of a sent message it is told %v", order)
			}
			checkAdministration(t, c, h, got)
		})
	})
}

// checkAdministration looks at the webhook with the routes of callback URLs, posts an event once
// more, and deletes the instance.
func checkAdministration(t *testing.T, c *client, h *hook, posted post) {
	t.Helper()
	bearer := &client{t, c.base, c.key}
	call := func(request, body string, status int, into any) {
		t.Helper()
		got, answer := v1(bearer, request, body)
		if got != status {
			t.Fatalf("%s: %d %s", request, got, answer)
		}
		if into != nil {
			if err := json.Unmarshal([]byte(answer), &struct{ Data any }{into}); err != nil {
				t.Fatalf("%s: %s: %v", request, answer, err)
			}
		}
	}
	var list []crm.CallbackData
	call("GET /v1/callbackUrls", "", 200, &list)
	if len(list) != 1 || list[0].Format != crm.FormatEvolution || list[0].URL != h.url || !list[0].Enabled || list[0].GivenUp != 0 {
		t.Fatalf("the URLs are %+v", list)
	}
	id := list[0].ID
	event, _, _ := strings.Cut(posted.header.Get("X-Event-Id"), "-")
	var d crm.CallbackDelivery
	call(fmt.Sprintf("POST /v1/callbackUrls/%d/redeliver", id), `{"eventId":`+event+`}`, 200, &d)
	same := 0
	for _, p := range h.got(posted.path) {
		if p.header.Get("X-Event-Id") == posted.header.Get("X-Event-Id") {
			same++
		}
	}
	if !d.OK || same != 2 {
		t.Errorf("posted once more it is %+v, and came %d times", d, same)
	}
	c.eventually("the log has both", func() bool { // it is written some time after the attempts
		var page struct{ Items []crm.CallbackDelivery }
		call(fmt.Sprintf("GET /v1/callbackUrls/%d/deliveries?limit=100", id), "", 200, &page)
		return slices.ContainsFunc(page.Items, func(d crm.CallbackDelivery) bool { return d.Kind == "event" && d.Event == "messages.upsert" && d.OK }) &&
			slices.ContainsFunc(page.Items, func(d crm.CallbackDelivery) bool { return d.Kind == "live" && d.Event == "qrcode.updated" })
	})
	c.must("DELETE /instance/delete/"+first, "", 200, nil)
	call("GET /v1/callbackUrls", "", 200, &list)
	if len(list) != 0 {
		t.Errorf("without the instance the URLs are %+v", list)
	}
}

// v1 calls a route of the CRM API with the key.
func v1(c *client, request, body string) (int, string) {
	c.t.Helper()
	return c.send("Authorization", request, body)
}

// TestComplaint1 stops the program while its webhook takes nothing, and starts it again: what
// came before, between and afterwards arrives in its order, each once, and nobody has set the
// webhook again.
func TestComplaint1(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		withHook(t, url, func(start func() *e2e.Running, w *e2e.Phones, c *client, h *hook) {
			p := start()
			pair(t, w, c, first)
			c.must("POST /webhook/set/"+first, `{"url":"`+h.url+`","events":["MESSAGES_UPSERT"]}`, 201, nil)
			var want []string
			say := func(n int) {
				for range n {
					want = append(want, w.Anna.SendText(w.Shop, fmt.Sprintf("text %d", len(want))))
				}
			}
			say(2)
			h.await(c, "/hook", want[1])
			h.set(true)
			before := h.attempts()
			say(3)
			c.eventually("it fails", func() bool { return h.attempts() > before })
			p.Stop()
			say(2)
			start()
			c.awaitState(first, "open")
			say(2)
			h.set(false)
			var list []crm.CallbackData
			if status, answer := v1(c, "GET /v1/callbackUrls", ""); status != 200 || json.Unmarshal([]byte(answer), &struct{ Data any }{&list}) != nil || len(list) != 1 {
				t.Fatalf("the URLs are %d %s", status, answer)
			}
			if status, answer := v1(c, fmt.Sprintf("POST /v1/callbackUrls/%d/resume", list[0].ID), ""); status != 200 { // now, not in some seconds
				t.Fatalf("resumed, it is %d %s", status, answer)
			}
			h.await(c, "/hook", want[len(want)-1])
			var came, ids []string
			for _, p := range h.got("") {
				var m struct{ Key struct{ ID string } }
				if err := json.Unmarshal(p.event.Data, &m); err != nil {
					t.Fatal(err)
				}
				came, ids = append(came, m.Key.ID), append(ids, p.header.Get("X-Event-Id"))
			}
			if !slices.Equal(slices.Compact(came), want) {
				t.Errorf("it took %v, want %v", came, want)
			}
			if len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(want) {
				t.Errorf("the ids are %v", ids)
			}
		})
	})
}

// TestWebhookAddresses checks that a webhook on this machine or in its networks is refused when
// it is set, and when an instance is made with it, unless the operator allows that.
func TestWebhookAddresses(t *testing.T) {
	_, _, c := start(t, "")
	const refused = `{"status":400,"error":"Bad Request","response":{"message":["Invalid \"url\" property",` +
		`"the address is private, loopback, link-local or otherwise not public; the setting webhooks.allow_private_targets of the server lets webhooks go there"]}}`
	for _, url := range []string{"http://127.0.0.1:1/hook", "http://localhost/hook", "http://169.254.169.254/latest", "http://[::1]/", "http://10.0.0.1/"} {
		if answer := c.must("POST /webhook/set/"+first, `{"url":"`+url+`"}`, 400, nil); answer != refused {
			t.Errorf("%s: %s", url, answer)
		}
		if answer := c.must("POST /instance/create", `{"instanceName":"new","webhook":{"url":"`+url+`"}}`, 400, nil); !strings.Contains(answer, `Invalid \"url\" property in webhook`) {
			t.Errorf("%s: %s", url, answer)
		}
	}
	if answer := c.must("GET /webhook/find/"+first, "", 200, nil); answer != "null" {
		t.Errorf("then there is %s", answer)
	}
}
