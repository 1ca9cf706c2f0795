package pusher_test

import (
	"context"
	"time"

	"chatcast/broadcasting"
)

// Queries of a harness's engine; an error fails the test.

func must[T any](h *harness, v T, err error) T {
	h.t.Helper()
	if err != nil {
		h.t.Error(err)
	}
	return v
}

func (h *harness) grant(app, socketID, channel, user string) bool {
	h.t.Helper()
	found, err := h.engine.Grant(context.Background(), app, socketID, broadcasting.Owner{UserID: user}, channel, "")
	return must(h, found, err)
}

func (h *harness) withdraw(user string, channels ...string) {
	h.t.Helper()
	must(h, 0, h.engine.Unsubscribe(context.Background(), user, channels...))
}

func (h *harness) disconnect(user string) {
	h.t.Helper()
	must(h, 0, h.engine.Disconnect(context.Background(), user))
}

func (h *harness) terminate(app, user string) int {
	h.t.Helper()
	n, err := h.engine.Terminate(context.Background(), app, user)
	return must(h, n, err)
}

func (h *harness) channelsOf(app, prefix string) []broadcasting.Occupancy {
	h.t.Helper()
	list, err := h.engine.Channels(context.Background(), app, prefix)
	return must(h, list, err)
}

func (h *harness) cached(app, channel string) (data string, ttl time.Duration, ok bool) {
	h.t.Helper()
	data, ttl, ok, err := h.engine.Cached(context.Background(), app, channel)
	return must(h, data, err), ttl, ok
}
