package conformance

import (
	"encoding/json"
	"time"
)

func webhookCases() []Case {
	return []Case{
		{Name: "channel_occupied", Feature: Webhooks, needs: needsHooks, basic: true,
			Rule: "The first subscription of a channel is told as channel_occupied, the next not.",
			run: func(x *exchange) {
				a, b, channel, other := x.connect(), x.connect(), x.name(""), x.name("")
				a.enter(channel)
				x.hooked(channel, "channel_occupied", 1)
				b.enter(channel)
				b.enter(other) // its webhook must come after any for the first channel
				x.hooked(other, "channel_occupied", 1)
				x.only(channel, "channel_occupied", 1)
			}},
		{Name: "signature", Feature: Webhooks, needs: needsHooks,
			Rule: "Content-Type is exactly application/json, X-Pusher-Key the app's key, X-Pusher-Signature the HMAC-SHA256 of the body; time_ms is now, in milliseconds.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				d := x.hooked(channel, "channel_occupied", 1).delivery
				if got := d.header.Get("Content-Type"); got != "application/json" {
					x.failf("Content-Type is %q", got)
				}
				if got := d.header.Get("X-Pusher-Key"); got != x.target.Key {
					x.failf("X-Pusher-Key is %q", got)
				}
				if got, want := d.header.Get("X-Pusher-Signature"), mac(x.target.Secret, d.body); got != want {
					x.failf("X-Pusher-Signature is %q, want %q", got, want)
				}
				ms, err := d.timeMS.Int64()
				if age := d.at.Sub(time.UnixMilli(ms)); err != nil || age < -time.Minute || age > time.Minute {
					x.failf("time_ms is %s, %v", d.timeMS, err)
				}
			}},
		{Name: "channel_vacated", Feature: Webhooks, needs: needsHooks, Rule: "When the last subscriber is gone, that is told as channel_vacated, once, after at most 3 s and what delivery takes.",
			run: func(x *exchange) {
				a, b, channel := x.connect(), x.connect(), x.name("")
				a.enter(channel)
				b.enter(channel)
				x.hooked(channel, "channel_occupied", 1)
				a.leave(channel)
				b.leave(channel)
				x.hooked(channel, "channel_vacated", 1)
				x.only(channel, "channel_vacated", 1)
				b.enter(channel)
				x.hooked(channel, "channel_occupied", 2)
			}},
		{Name: "connection gone", Feature: Webhooks, needs: needsHooks, Rule: "A connection that is cut vacates its channels too.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				x.hooked(channel, "channel_occupied", 1)
				_ = s.w.conn.Close()
				x.hooked(channel, "channel_vacated", 1)
			}},
		{Name: "reload of a page", Feature: Webhooks, needs: needsHooks, Rule: "Who is back within 3 s has not been away: nothing is told.",
			run: func(x *exchange) {
				s, channel, later := x.connect(), x.name("presence-"), x.name("")
				s.join(channel, userA)
				x.hooked(channel, "member_added", 1)
				_ = s.w.conn.Close()
				s = x.connect()
				s.join(channel, userA)
				s.enter(later)
				s.leave(later)
				x.hooked(later, "channel_vacated", 1) // those of the first channel would come before
				x.only(channel, "channel_vacated", 0)
				x.only(channel, "member_removed", 0)
				x.only(channel, "member_added", 1)
			}},
		{Name: "retry", Feature: Webhooks, needs: needsHooks, Rule: "What is answered with 500 is sent again.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				r := x.target.Hooks
				r.mu.Lock()
				r.refuse = 1
				r.mu.Unlock()
				s.enter(channel)
				x.hooked(channel, "channel_occupied", 1)
			}},
	}
}

// only expects that n webhooks of this kind have come by now.
func (x *exchange) only(channel, name string, n int) {
	all, _ := x.target.Hooks.of(channel)
	for _, h := range all {
		if h.Name == name {
			n--
		}
	}
	if n != 0 {
		x.failf("the webhooks of %s are %s: %s came %d times more or less than it should", channel, names(all), name, -n)
	}
}

func webhookEventCases() []Case {
	return []Case{
		{Name: "member_added and member_removed", Feature: Webhooks, needs: needsHooks, Rule: "Members are told with user_id by user and not by socket: the first one's coming, the last one's going.",
			run: func(x *exchange) {
				a, a2, channel := x.connect(), x.connect(), x.name("presence-")
				a.join(channel, userA)
				a2.join(channel, userA)
				if h := x.hooked(channel, "member_added", 1); h.UserID != "A" {
					x.failf("user_id is %q", h.UserID)
				}
				a.leave(channel)
				a2.leave(channel)
				if h := x.hooked(channel, "member_removed", 1); h.UserID != "A" {
					x.failf("user_id is %q", h.UserID)
				}
				x.hooked(channel, "channel_vacated", 1)
				x.only(channel, "member_added", 1)
				x.only(channel, "member_removed", 1)
			}},
		{Name: "client_event", Feature: Webhooks, needs: needsHooks, Rule: "client_event has event, data as a string, socket_id, and user_id on presence channels.",
			run: func(x *exchange) {
				a, b, channel := x.two("presence-")
				a.client(channel, "client-typing", `{"h":1}`)
				b.read("client-typing")
				h := x.hooked(channel, "client_event", 1)
				var data string
				if err := json.Unmarshal(h.Data, &data); err != nil || !sameJSON(data, `{"h":1}`) {
					x.failf("data is %s, want a string of JSON", h.Data)
				}
				if h.Event != "client-typing" || h.SocketID != a.id || h.UserID != "A" {
					x.failf("the webhook is %s", h.delivery.body)
				}
			}},
		{Name: "cache_miss", Feature: Webhooks, needs: needsHooks, Rule: "cache_miss has the channel.",
			run: func(x *exchange) {
				if !x.target.claims(Cache) {
					x.failf("there are no cache channels")
				}
				s, channel := x.connect(), x.name("cache-")
				s.enter(channel)
				x.hooked(channel, "cache_miss", 1)
			}},
		{Name: "subscription_count", Feature: Webhooks, needs: needsHooks, Rule: "subscription_count has how many subscriptions the channel has.",
			run: func(x *exchange) {
				s, channel := x.connect(), x.name("")
				s.enter(channel)
				if h := x.hooked(channel, "subscription_count", 1); h.Count == nil || *h.Count != 1 {
					x.failf("the webhook is %s", h.delivery.body)
				}
			}},
	}
}
