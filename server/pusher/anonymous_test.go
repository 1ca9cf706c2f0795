package pusher_test

import (
	"fmt"
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
)

// TestAnonymousSocketsHoldLittle subscribes a socket that nobody has vouched for to
// channels with long names, up to the limit, and then lets a backend vouch for it.
func TestAnonymousSocketsHoldLittle(t *testing.T) {
	h := newHarness(t, func(o *setup) { o.app.Limits.AnonymousChannelBytes = 1000 })
	a := h.connect(t)
	name := func(i int) string { return fmt.Sprint(strings.Repeat("n", 196), 1000+i) }
	subscribe := func(channel string, room bool) {
		t.Helper()
		a.subscribe(channel, "", "")
		if room {
			a.expect(succeeded(channel))
			return
		}
		const why = "The names of the channels of a connection may have 1000 bytes together, before it signs in or joins a private channel"
		a.expect(errorSays(4312, why), subscriptionErrorSays(channel, "LimitReached", why, 429))
	}
	for i := range 5 {
		subscribe(name(i), true)
	}
	subscribe(name(1), true) // again
	subscribe("n", false)
	a.unsubscribe(name(0))
	a.unsubscribe(name(9)) // it is not in
	subscribe(name(5), true)
	subscribe("n", false)
	a.enter("private-c")
	subscribe("n", true)
	subscribe(name(6), true)
}

// TestAnonymousSocketsHoldWhatPagesNeed subscribes an anonymous socket to a thousand
// channels with usual names, under the default limits.
func TestAnonymousSocketsHoldWhatPagesNeed(t *testing.T) {
	h := newHarness(t, func(o *setup) { o.app.Limits = apps.DefaultLimits() })
	a := h.connect(t)
	for i := range apps.DefaultLimits().ChannelsPerSocket {
		channel := fmt.Sprintf("prices.products.%d.in-euro", 10_000+i)
		a.subscribe(channel, "", "")
		a.expect(succeeded(channel))
	}
}
