package socketio

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	"chatcast/channels/testwait"
)

// A connection that begins to end does not wait for Rooms, whichever transport it has and
// whoever ends it.
func TestConnectionEndsWhileRoomsAreAsked(t *testing.T) {
	for name, end := range map[string]func(h *host){
		"stop": func(h *host) { h.stop() }, "cut off": func(h *host) { h.engine.CutOff() },
	} {
		for _, transport := range []string{transportWebSocket, transportPolling} {
			t.Run(name+", "+transport, func(t *testing.T) {
				h := run(t, func(s *setup) { s.io.AskTimeout = testwait.Long })
				var send func(text string)
				var sending sync.WaitGroup
				if transport == transportWebSocket {
					c := h.open(ioPath)
					send = func(text string) { c.send(text) }
				} else {
					session := h.poll(ioPath)
					send = func(text string) { sending.Go(func() { h.ask(http.MethodPost, session, text) }) }
				}
				send("40/other," + good)
				until(t, "the first namespace", func() bool { return h.io.Stats().Namespaces == 1 })
				sending.Wait() // a POST beside another one would end the connection
				asked, answered := make(chan struct{}), make(chan error, 1)
				h.rooms.change(func(l *lobby) {
					l.waits = func(ctx context.Context) error {
						close(asked)
						<-ctx.Done()
						answered <- ctx.Err()
						return ctx.Err()
					}
				})
				send("40/shop," + good)
				<-asked
				end(h)
				if err := <-answered; !errors.Is(err, context.Canceled) {
					t.Errorf("the question ends with %v", err)
				}
				sending.Wait()
				until(t, "the end", func() bool { return h.io.Stats().Connections == 0 })
				if n := h.io.Stats().Refused[string(unavailable)]; n != 0 {
					t.Errorf("it is counted as a fault %d times", n)
				}
			})
		}
	}
}
