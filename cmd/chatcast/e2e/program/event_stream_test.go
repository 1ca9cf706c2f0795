package program_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/config"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

const telegramChannel = "private-v1.licenses.1229.messengers.telegram"

// eachDatabase runs a test with the program on SQLite and on PostgreSQL.
func eachDatabase(t *testing.T, test func(t *testing.T, cfg config.Config)) {
	t.Run("SQLite", func(t *testing.T) { test(t, e2e.Config(t)) })
	t.Run("PostgreSQL", func(t *testing.T) {
		cfg := e2e.Config(t)
		cfg.Database.URL = testdb.PostgresURL(t)
		test(t, cfg)
	})
}

// journalIDs returns the ids of all events of the channel that GET /v1/events shows, when
// all that happened so far have one.
func journalIDs(p *e2e.Running, c *e2e.Client, channel string) (ids []string) {
	testwait.Count(c.T, "a journal without events that wait for a number", 1, func() int {
		n, err := p.Components().Store.Read(c.T.Context()).JournalUnnumbered()
		if err != nil {
			c.T.Fatal(err)
		}
		return 1 - int(n)
	})
	for _, e := range c.Events(channel) {
		ids = append(ids, strconv.FormatInt(e.ID, 10))
	}
	return ids
}

// TestEventStreamResumesAfterEveryCut cuts a stream after each block, and comes back with
// the id that EventSource has then: all events come, once, in order, those that happened
// meanwhile too. There are more than one page of them.
func TestEventStreamResumesAfterEveryCut(t *testing.T) {
	eachDatabase(t, func(t *testing.T, cfg config.Config) {
		p := e2e.Start(t, cfg)
		owner := p.SignIn(t)
		first := owner.MustStream(e2e.StreamPath(telegramChannel, "&after=0"), "")
		owner.Write(0, 120)
		all := journalIDs(p, owner, telegramChannel)
		if len(all) < 120 {
			t.Fatalf("%d events", len(all))
		}
		if got := first.Events(len(all)); !slices.Equal(got, all) {
			t.Fatalf("the stream has %v\nthe journal %v", got, all)
		}
		first.Cut()
		path := e2e.StreamPath(telegramChannel, "&after=0") // EventSource comes back to the same URL
		for cut := range all {
			if cut > 5 && cut%20 > 1 && cut < len(all)-5 { // both sides of a page, and the ends
				continue
			}
			s := owner.MustStream(path, "")
			got := s.Events(cut)
			s.Cut()
			s = owner.MustStream(path, s.LastID)
			if got = append(got, s.Events(len(all)-cut)...); !slices.Equal(got, all) {
				t.Errorf("cut after %d: %v\nwant %v", cut, got, all)
			}
			s.Cut()
		}
		s := owner.MustStream(path, all[len(all)-1])
		owner.Write(1000, 3)
		more := journalIDs(p, owner, telegramChannel)[len(all):]
		if got := s.Events(len(more)); !slices.Equal(got, more) {
			t.Errorf("live after a resume: %v, want %v", got, more)
		}
	})
}

// TestEventStreamBeginsNow checks a stream that names no position: it has what happens from now
// on, as a socket has it, and comes back to its beginning before the first event.
func TestEventStreamBeginsNow(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	owner.Write(0, 3)
	before := journalIDs(p, owner, telegramChannel)
	s := owner.MustStream(e2e.StreamPath(telegramChannel, ""), "")
	if s.LastID != before[len(before)-1] || s.Retry < 1000 || s.Retry >= 4000 {
		t.Errorf("it begins at %s, retry %d; the journal has %v", s.LastID, s.Retry, before)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if got := s.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	cut := owner.MustStream(e2e.StreamPath(telegramChannel, ""), "")
	cut.Cut()
	socket := owner.Subscribe(telegramChannel)
	owner.Write(10, 1)
	want := journalIDs(p, owner, telegramChannel)[len(before):]
	for _, id := range want {
		e := s.Next()
		var frame struct{ Event, Data string }
		for !strings.Contains(frame.Data, `"eventId"`) {
			if err := socket.ReadJSON(&frame); err != nil {
				t.Fatal(err)
			}
		}
		if e == nil || e.ID != id || e.Event != frame.Event || e.Data != frame.Data {
			t.Fatalf("the stream has %+v\nthe socket %+v", e, frame)
		}
		frame.Data = ""
	}
	if got := owner.MustStream(e2e.StreamPath(telegramChannel, ""), cut.LastID).Events(len(want)); !slices.Equal(got, want) {
		t.Errorf("cut before the first event: %v, want %v", got, want)
	}
}

// TestEventStreamOfAQuietChannel keeps the position of a stream that had no event, as a page
// does, and opens another one with another ticket: nothing is lost meanwhile.
func TestEventStreamOfAQuietChannel(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner, page := p.SignIn(t), &e2e.Client{T: t, Base: p.Base}
	owner.Write(0, 1)
	before := journalIDs(p, owner, telegramChannel)
	for round := range 2 {
		quiet := page.MustStream(owner.Ticket(telegramChannel), "")
		position := quiet.LastID // of the event with which it begins
		quiet.Cut()
		owner.Write(10+round, 1)
		want := journalIDs(p, owner, telegramChannel)[len(before):]
		before = append(before, want...)
		if got := page.MustStream(owner.Ticket(telegramChannel)+"&after="+position, "").Events(len(want)); !slices.Equal(got, want) {
			t.Errorf("after %s: %v, want %v", position, got, want)
		}
	}
}

// TestEventStreamSaysWhatIsLost checks ids that the journal cannot go on from.
func TestEventStreamSaysWhatIsLost(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	owner.Write(0, 2)
	journalIDs(p, owner, telegramChannel) // until they have numbers
	for _, id := range []string{"4711", "cuckoo", "-1", "9223372036854775808"} {
		s, status := owner.Stream(e2e.StreamPath(telegramChannel, "&after=0"), id)
		if status != http.StatusOK {
			t.Fatalf("%s: %d", id, status)
		}
		lost := s.Next()
		if lost == nil || lost.Event != "chatcast:resume_failed" || lost.Data != `{"oldestEventId":1}` {
			t.Fatalf("%s: %+v", id, lost)
		}
		all := len(journalIDs(p, owner, telegramChannel))
		owner.Write(len(id)*100, 1)
		want := journalIDs(p, owner, telegramChannel)[all:]
		if got := s.Events(len(want)); !slices.Equal(got, want) {
			t.Errorf("%s: then comes %v, want %v", id, got, want)
		}
		s.Cut()
	}
}

// TestEventStreamEndsWithAccess takes away what a stream needs. It ends at once, without
// another event, and the client that comes back is refused; other streams stay.
func TestEventStreamEndsWithAccess(t *testing.T) {
	eachDatabase(t, func(t *testing.T, cfg config.Config) {
		p := e2e.Start(t, cfg)
		owner := p.SignIn(t)
		bea, beaID := owner.Hire(p)
		employee := fmt.Sprintf("/v1/companies/2224/employees/%d", beaID)
		own := fmt.Sprintf("private-v1.companies.2224.users.%d", beaID)
		path := e2e.StreamPath(telegramChannel, "")
		stays := owner.MustStream(path, "")

		line, view := bea.MustStream(path, ""), bea.MustStream(e2e.StreamPath(own, ""), "")
		ticketed := (&e2e.Client{T: t, Base: p.Base}).MustStream(bea.Ticket(telegramChannel), "")
		owner.Must("PATCH", employee, map[string]any{"licenses": []any{}}, nil)
		line.Ends("without the licence")
		ticketed.Ends("without the licence, by a ticket")
		refused(t, bea, path, line.LastID, http.StatusForbidden)
		owner.Write(0, 1)
		owner.Must("PATCH", employee, map[string]any{"licenses": []any{map[string]any{"licenseId": 1229, "write": true}}}, nil)
		owner.Write(10, 1)
		if got, want := view.Events(len(journalIDs(p, bea, own))), journalIDs(p, bea, own); !slices.Equal(got, want) {
			t.Errorf("the person's own channel has %v, the journal shows %v", got, want)
		}

		phone := p.SignInAs(t, "bea@example.com", e2e.OwnerPassword)
		onPhone, onDesk := phone.MustStream(path, ""), bea.MustStream(path, "")
		phone.Must("DELETE", "/v1/tokens", nil, nil)
		onPhone.Ends("signed out")
		refused(t, phone, path, onPhone.LastID, http.StatusForbidden)
		owner.Must("DELETE", employee, nil, nil)
		onDesk.Ends("dismissed")
		view.Ends("dismissed, on the person's own channel")
		refused(t, bea, path, "", http.StatusForbidden)

		mark := len(journalIDs(p, owner, telegramChannel))
		owner.Write(20, 1)
		want := journalIDs(p, owner, telegramChannel)
		for len(stays.Events(1)) == 1 && stays.LastID != want[mark] {
		}
	})
}

// refused expects that a stream cannot be opened.
func refused(t *testing.T, c *e2e.Client, path, lastID string, want int) {
	t.Helper()
	if _, status := c.Stream(path, lastID); status != want {
		t.Errorf("GET %s: %d, want %d", path, status, want)
	}
}

// TestEventStreamTickets uses tickets in every wrong way, over HTTP. Their times are tested
// with the rules.
func TestEventStreamTickets(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner, page := p.SignIn(t), &e2e.Client{T: t, Base: p.Base}
	owner.Write(100, 2)
	journalIDs(p, owner, telegramChannel) // until they have numbers
	path := owner.Ticket(telegramChannel)
	refused(t, page, strings.Replace(path, "telegram", "grWhatsApp", 1), "", http.StatusForbidden)
	refused(t, page, path+"x", "", http.StatusForbidden)
	refused(t, page, e2e.StreamPath(telegramChannel, "&token="+owner.Token+"&access_token="+owner.Token), "", http.StatusUnauthorized)
	refused(t, page, e2e.StreamPath(telegramChannel, "&ticket="+owner.Token), "", http.StatusForbidden)
	if status, answer := owner.Call("POST", "/v1/events/tickets", map[string]any{"channel": "private-v1.companies.4711"}); status != http.StatusForbidden {
		t.Errorf("a ticket for another company's channel: %d %s", status, answer)
	}
	s := page.MustStream(path, "")
	refused(t, page, path, "", http.StatusForbidden)
	if status, answer := page.Call("GET", strings.Replace(path, "/stream", "", 1), nil); status != http.StatusUnauthorized {
		t.Errorf("a ticket opens GET /v1/events: %d %s", status, answer)
	}

	for _, id := range []string{"0", "1"} { // who found the URL in a log asks for what was before
		refused(t, page, path, id, http.StatusForbidden)
	}
	again := page.MustStream(path, s.LastID) // EventSource comes back; the server has not seen that it was cut
	s.Ends("replaced")
	owner.Write(0, 1)
	again.Events(1)

	unused := owner.Ticket(telegramChannel)
	owner.Must("DELETE", "/v1/tokens", nil, nil)
	again.Ends("signed out")
	refused(t, page, path, again.LastID, http.StatusForbidden)
	refused(t, page, unused, "", http.StatusForbidden)
}

// TestEventStreamEndsWithTheServer checks that open streams do not hold up a stop, and that
// their clients are told to come back, at different times.
func TestEventStreamEndsWithTheServer(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	retries := map[int]bool{}
	var open []*e2e.EventStream
	for range 8 {
		s := owner.MustStream(e2e.StreamPath(telegramChannel, ""), "")
		s.Retry = 0
		open = append(open, s)
	}
	p.Stop()
	for _, s := range open {
		s.Ends("stopped")
		retries[s.Retry] = true
	}
	if retries[0] || len(retries) < 2 {
		t.Errorf("the clients come back after %v ms", retries)
	}
}
