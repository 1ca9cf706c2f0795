package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"chatcast/channels/testwait"
)

// EventStream reads GET /v1/events/stream as EventSource does.
type EventStream struct {
	Header http.Header // of the answer
	Proto  int         // its version of HTTP
	LastID string      // what EventSource sends as Last-Event-ID when it comes back
	Retry  int         // ms
	Cut    func()      // closes the connection

	t      testing.TB
	blocks *bufio.Scanner
}

// position is the name of the event that has only the position of a stream.
const position = "chatcast:position"

// StreamedEvent is one event of a stream.
type StreamedEvent struct{ ID, Event, Data string }

// StreamPath returns the path of a stream of the channel, with further parameters.
func StreamPath(channel, parameters string) string {
	return "/v1/events/stream?channel=" + url.QueryEscape(channel) + parameters
}

// Stream opens a stream, which is closed at the end of the test. status is that of a
// refusal, or 200.
func (c *Client) Stream(path, lastID string) (s *EventStream, status int) {
	c.T.Helper()
	ctx, cancel := context.WithTimeout(c.T.Context(), testwait.Long)
	c.T.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", c.Base+path, nil)
	if err != nil {
		c.T.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if c.Token != "" {
		req.Header.Set("Authorization", c.Token)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	res, err := c.client().Do(req)
	if err != nil {
		c.T.Fatal(err)
	}
	c.T.Cleanup(func() { res.Body.Close() })
	s = &EventStream{Header: res.Header, Proto: res.ProtoMajor, LastID: lastID, Cut: cancel, t: c.T, blocks: bufio.NewScanner(res.Body)}
	s.blocks.Buffer(nil, 1<<24)
	s.blocks.Split(splitBlocks)
	if res.StatusCode == http.StatusOK && res.Header.Get("Content-Type") != "text/event-stream" {
		c.T.Fatalf("a stream has the type %q", res.Header.Get("Content-Type"))
	}
	return s, res.StatusCode
}

// MustStream is Stream for one that must open. It reads the beginning, which has the position
// of a stream that does not resume.
func (c *Client) MustStream(path, lastID string) *EventStream {
	c.T.Helper()
	s, status := c.Stream(path, lastID)
	if status != http.StatusOK {
		c.T.Fatalf("GET %s: %d", path, status)
	}
	if _, event := s.block(); event != nil {
		c.T.Fatalf("the stream %s begins with %v", path, event)
	}
	if lastID != "" {
		return s
	}
	if _, e := s.block(); e == nil || e.Event != position || e.Data != `{"eventId":`+e.ID+`}` {
		c.T.Fatalf("the stream %s begins without its position: %v", path, e)
	}
	return s
}

// Ticket makes a ticket for a stream of the channel and returns the path of the stream.
func (c *Client) Ticket(channel string) (path string) {
	c.T.Helper()
	var made struct{ Ticket string }
	c.Must("POST", "/v1/events/tickets", map[string]any{"channel": channel}, &made)
	return StreamPath(channel, "&ticket="+made.Ticket)
}

// splitBlocks splits at empty lines. A block that is cut is left out, as EventSource does.
func splitBlocks(data []byte, _ bool) (advance int, token []byte, err error) {
	if i := strings.Index(string(data), "\n\n"); i >= 0 {
		return i + 2, data[:i], nil
	}
	return 0, nil, nil
}

// block reads a block, and returns false at the end. event is nil when it has none.
func (s *EventStream) block() (more bool, event *StreamedEvent) {
	s.t.Helper()
	if !s.blocks.Scan() {
		return false, nil
	}
	e := StreamedEvent{}
	for line := range strings.SplitSeq(s.blocks.Text(), "\n") {
		field, value, _ := strings.Cut(line, ": ")
		switch field {
		case "id":
			s.LastID = value
		case "event":
			e.Event = value
		case "data":
			e.Data += value
		case "retry":
			s.Retry, _ = strconv.Atoi(value)
		}
	}
	if e.ID = s.LastID; e.Data == "" {
		return true, nil
	}
	return true, &e
}

// Next reads the next event but positions, or returns nil at the end of the stream.
func (s *EventStream) Next() *StreamedEvent {
	s.t.Helper()
	for {
		more, event := s.block()
		if !more || event != nil && event.Event != position {
			return event
		}
	}
}

// Events reads n events and returns their ids.
func (s *EventStream) Events(n int) (ids []string) {
	s.t.Helper()
	for range n {
		e := s.Next()
		if e == nil {
			s.t.Fatalf("the stream ends after the events %v: %v", ids, s.blocks.Err())
		}
		ids = append(ids, e.ID)
	}
	return ids
}

// Ends expects that the stream ends, in order, without a further event.
func (s *EventStream) Ends(what string) {
	s.t.Helper()
	if e := s.Next(); e != nil || s.blocks.Err() != nil {
		s.t.Errorf("%s: the stream goes on with %v, or breaks: %v", what, e, s.blocks.Err())
	}
}

// Write brings n messages of a customer to the owner's Telegram line.
func (c *Client) Write(first, n int) {
	c.T.Helper()
	for n > 0 {
		var list []any
		for range min(n, 100) {
			list = append(list, Inbound(fmt.Sprintf("W%d", first), "42", fmt.Sprintf("Hello %d", first))["messages"].([]any)[0])
			first++
		}
		c.Must("POST", TelegramPath+"/inbound", map[string]any{"messages": list}, nil)
		n -= len(list)
	}
}
