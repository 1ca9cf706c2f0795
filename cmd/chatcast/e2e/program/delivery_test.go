package program_test

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// TestThousandSockets checks that each of 1,000 sockets on one licence channel gets each
// of 200 messages once and in order, through the whole program.
func TestThousandSockets(t *testing.T) {
	const sockets, messages, perRequest = 1000, 60, 20
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)

	conns := e2e.SubscribeMany(owner, sockets)
	failures := make(chan error, sockets)
	var reading sync.WaitGroup
	for _, ws := range conns {
		reading.Go(func() { failures <- readMessages(ws, messages) })
	}
	for from := 0; from < messages; from += perRequest {
		var items []any
		for n := from; n < from+perRequest; n++ {
			items = append(items, e2e.Inbound(fmt.Sprint(n), "79990001122", fmt.Sprint(n))["messages"].([]any)...)
		}
		owner.Must("POST", e2e.WhatsAppPath+"/inbound", map[string]any{"messages": items}, nil)
	}
	reading.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Error(err)
		}
	}
	// n message events and one chatConversation, on the channel and on the owner's view.
	if got, want := p.Components().Engine.Stats().Delivered, uint64(sockets*(messages+1)); got != want {
		t.Errorf("%d frames were delivered, want %d", got, want)
	}
}

// Posted messages reach a socket of the whole program, on both databases, with the number
// that the journal gave them.
func TestBothDatabases(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		cfg := e2e.Config(t)
		cfg.Database.URL = url
		p := e2e.Start(t, cfg)
		owner := p.SignIn(t)
		ws := owner.Subscribe(e2e.LineChannel)
		const n = 5
		for i := range n {
			owner.Must("POST", e2e.WhatsAppPath+"/inbound", e2e.Inbound(fmt.Sprint(i), "79990001122", fmt.Sprint(i)), nil)
		}
		if err := readMessages(ws, n); err != nil {
			t.Error(err)
		}
		if got := len(owner.Events(e2e.LineChannel)); got != n+1 { // and one chatConversation
			t.Errorf("the journal has %d events, want %d", got, n+1)
		}
	})
}

// readMessages reads until it gets the text n-1. It requires the texts 0 to n-1 in
// order, each once, with increasing event ids. It searches the bytes: 200,000 frames are
// a lot of JSON for the race detector.
func readMessages(ws *e2e.Socket, n int) error {
	lastID := int64(0)
	for next := 0; next < n; {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			return fmt.Errorf("after %d messages: %w", next, err)
		}
		id, err := strconv.ParseInt(between(frame, `\"eventId\":`, "}"), 10, 64)
		if err != nil || id <= lastID {
			return fmt.Errorf("after event %d came %s", lastID, frame)
		}
		lastID = id
		if !bytes.HasPrefix(frame, []byte(`{"event":"message",`)) {
			continue
		}
		if text := between(frame, `\"text\":\"`, `\"`); text != strconv.Itoa(next) {
			return fmt.Errorf("message %d is %s", next, frame)
		}
		next++
	}
	return nil
}

// between returns the text between two marks, "" unless text has both.
func between(text []byte, before, after string) string {
	_, rest, _ := bytes.Cut(text, []byte(before))
	found, _, ok := bytes.Cut(rest, []byte(after))
	if !ok {
		return ""
	}
	return string(found)
}
