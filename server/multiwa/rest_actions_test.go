package multiwa_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// typist is a connector that notes what it is asked to show.
type typist struct {
	*crmtest.Connector

	mu    sync.Mutex
	shown []string // guarded by mu
}

func (p *typist) Typing(_ context.Context, _ crm.Line, chat, kind string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = append(p.shown, kind+" "+chat)
	return nil
}

// took returns what was shown since the last call.
func (p *typist) took() (shown []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	shown, p.shown = p.shown, nil
	return shown
}

// TestTyping checks what each state shows, and for how long.
func TestTyping(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		r.say(t, onGr, "3A01", "Hello")
		p := &typist{Connector: r.World.Connect("grWhatsApp")}
		r.Messengers["grWhatsApp"] = p
		device, number := "1", "351912000000"
		if err := r.SetLineState(t.Context(), onGr, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &number}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			body  string
			shown []string
			least time.Duration
		}{
			{`"to":"351912000001"`, []string{"text"}, 0},
			{`"to":"351912000001","state":"typing"`, []string{"text"}, 0},
			{`"chatId":"351912000001@c.us","state":"composing","duration":0`, []string{"text"}, 0},
			{`"to":"351912000001","state":"recording"`, []string{"voice"}, 0},
			{`"to":"351912000001","state":"typing","duration":30`, []string{"text", "paused"}, 30 * time.Millisecond},
			{`"to":"351912000001","state":"recording","duration":20`, []string{"voice", "paused"}, 20 * time.Millisecond},
			{`"to":"351912000001","state":"paused","duration":60000`, []string{"paused"}, 0},
			{`"to":"351912000001","state":"stop"`, []string{"paused"}, 0},
			{`"to":"351912000001","state":"available"`, []string{"paused"}, 0},
		} {
			began := time.Now()
			r.want("POST", "/messages/typing", "{"+c.body+"}", 201, `{}`)
			if took := time.Since(began); took < c.least {
				t.Errorf("%s is answered after %v", c.body, took)
			}
			var want []string
			for _, kind := range c.shown {
				want = append(want, kind+" 351912000001@c.us")
			}
			if shown := p.took(); !slices.Equal(shown, want) {
				t.Errorf("%s shows %q, want %q", c.body, shown, want)
			}
		}
		for _, c := range []struct{ body, text string }{
			{`{"to":"351912000001","state":"dancing"}`, "state must be typing, composing, recording, paused or stop"},
			{`{"to":"351912000001","duration":-1}`, "duration must be from 0 to 60000 milliseconds"},
			{`{"to":"351912000001","duration":60001}`, "duration must be from 0 to 60000 milliseconds"},
			{`{"to":"351912000001","duration":"1000"}`, "duration must not be string"},
			{`{"state":"typing"}`, "to is required"},
			{`{"chatId":"nobody"}`, "chatId must be a phone number of 5 to 15 digits, or an id ending in @c.us, @s.whatsapp.net, @g.us, @newsletter or @lid"},
		} {
			r.fails("POST", "/messages/typing", c.body, 400, "VALIDATION_ERROR", c.text)
		}
		r.fails("POST", "/messages/typing", `{"to":"351912000009"}`, 404, "NOT_FOUND", "chat not found")
		if shown := p.took(); shown != nil {
			t.Errorf("what is refused shows %q", shown)
		}
	})
}

// TestWordsOfErrors checks that errors name the fields of this dialect, not those of the rules.
func TestWordsOfErrors(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		r := newRest(t, store, onGr)
		const form = " must be a phone number of 5 to 15 digits, or an id ending in @c.us, @s.whatsapp.net, @g.us, @newsletter or @lid"
		for _, c := range []struct{ request, body, text string }{
			{"POST /messages/text", `{"to":"nobody","text":"x"}`, "to" + form},
			{"POST /messages/location", `{"to":"nobody","latitude":1,"longitude":1}`, "to" + form},
			{"POST /messages/reaction", `{"messageId":"true_nobody_3A01","emoji":"x"}`, "messageId" + form},
			{"POST /messages/reply", `{"quotedMessageId":"true_nobody_3A01","text":"x"}`, "quotedMessageId" + form},
			{"POST /messages/mark-read", `{"chatId":"nobody"}`, "chatId" + form},
			{"GET /contacts/nobody", "", "id" + form},
			{"PUT /contacts/nobody", `{"name":"x"}`, "id" + form},
		} {
			var method, path string
			if _, err := fmt.Sscan(c.request, &method, &path); err != nil {
				t.Fatal(err)
			}
			r.fails(method, path, c.body, 400, "VALIDATION_ERROR", c.text)
		}
	})
}
