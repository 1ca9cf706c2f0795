package socketio

import (
	"context"
	"testing"
)

// What a client has lost counts no longer: neither for its limits nor in the figures.
func TestLostNamespacesCountNoLonger(t *testing.T) {
	h := run(t, func(s *setup) { s.io.Namespaces, s.io.PerUser = 1, 1 })
	ctx := t.Context()
	counts := func(after string, want int) {
		t.Helper()
		h.io.mu.Lock()
		users := h.io.users[7]
		h.io.mu.Unlock()
		if n := h.io.Stats().Namespaces; n != want || users != want {
			t.Errorf("after %s %d namespaces are counted, %d of the key; want %d", after, n, users, want)
		}
	}
	c, _, _ := h.enter("/shop", good)
	for _, lose := range []struct {
		by string
		do func() error
	}{
		{"the end of the access to the channel", func() error { return h.engine.Unsubscribe(ctx, "7", line("shop")) }},
		{"the end of the user's access", func() error { return h.engine.Disconnect(ctx, "7") }},
	} {
		counts("the entry", 1)
		if err := lose.do(); err != nil {
			t.Fatal(err)
		}
		c.want("41/shop,")
		counts(lose.by, 0)
		c.send("40/other," + good) // another name: nothing is replaced
		c.entered("/other")
		counts("another entry", 1)
		if n := h.engine.Stats().Sockets; n != 1 {
			t.Errorf("after %s the engine has %d sockets", lose.by, n)
		}
		c.send("41/other,", "40/shop,"+good)
		c.entered("/shop")
	}

	// It is lost before the client is told that it is in.
	c.send("41/shop,")
	h.rooms.change(func(l *lobby) {
		l.confirm = func(ctx context.Context) error { return h.engine.Disconnect(ctx, "7") }
	})
	for range 3 {
		c.send("40/other," + good)
		c.entered("/other")
		c.want("41/other,")
	}
	until(t, "the figures", func() bool { return h.io.Stats().Namespaces == 0 })
	counts("the last loss", 0)
}
