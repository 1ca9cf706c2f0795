package webhook_test

import (
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/webhook"
)

// A new app with the id and endpoint of a removed one gets nothing of the old app:
// neither waiting deliveries, nor events of a moment ago, nor the ends of subjects that
// the old app was told of. It does not matter whether there was no such app for a
// while.
func TestRemadeApp(t *testing.T) {
	made := func(at int64) []apps.App {
		list := app(to("http://r/"))
		list[0].Made = at
		return list
	}
	for how, change := range map[string]func(t *testing.T, h *running){
		"at once": func(t *testing.T, h *running) {
			set(t, h, made(2))
		},
		"gone, then made": func(t *testing.T, h *running) {
			set(t, h, nil)
			set(t, h, made(2))
		},
		"gone, and made later": func(t *testing.T, h *running) {
			set(t, h, nil)
			time.Sleep(time.Second)
			set(t, h, made(2))
		},
	} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, store := newReceiver(t), &memory{}
				o := webhook.Options{Store: store, Apps: made(1), Transport: r}
				h := start(t, o)
				h.Record(occupied("presence-a"))
				h.Record(added("presence-a", "1"))
				h.Record(occupied("b"))
				time.Sleep(time.Second)
				r.exactly("channel_occupied presence-a", "member_added presence-a 1", "channel_occupied b")
				r.respond(code(500))
				h.Record(missed("cache-waits"))
				time.Sleep(time.Second)
				h.Record(vacated("b"))
				h.Record(missed("cache-just-now"))
				change(t, h)
				time.Sleep(100 * time.Millisecond) // until it is in force: a retry may fall into that moment
				r.respond(nil)
				h.Record(removed("presence-a", "2"))
				h.Record(occupied("new"))
				time.Sleep(time.Minute)
				r.exactly("channel_occupied presence-a", "member_added presence-a 1", "channel_occupied b", "channel_occupied new", "member_removed presence-a 2")
				if rows, told := store.Left(); rows != 0 || told != 1 {
					t.Errorf("%d rows and %d subjects are left, want 0 and 1", rows, told)
				}
			})
		})
	}
}

func set(t *testing.T, h *running, list []apps.App) {
	t.Helper()
	if err := h.Set(list); err != nil {
		t.Fatal(err)
	}
}

// Deliveries of an app that was replaced while no process ran are dropped.
func TestRemadeBetweenProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &memory{}
		r.answer = code(500)
		list := app(to("http://r/"))
		list[0].Made = 1
		h := start(t, webhook.Options{Store: store, Apps: list, Transport: r})
		h.Record(missed("cache-waits"))
		time.Sleep(time.Second)
		h.stop()
		r.respond(nil)
		list[0].Made = 2
		start(t, webhook.Options{Store: store, Apps: list, Transport: r})
		time.Sleep(time.Minute)
		r.exactly()
		if rows, _ := store.Left(); rows != 0 {
			t.Errorf("%d rows are left", rows)
		}
	})
}
