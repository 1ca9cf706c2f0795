package crm_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestStreamEvents checks that a stream shows what Events shows, in pages, and goes on where
// Events refuses to.
func TestStreamEvents(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for range crm.MaxPage/2 + 1 {
			workday(t, w, "start")
			workday(t, w, "end")
		}
		if _, err := w.Journal.Number(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
		session, err := w.SessionOfToken(t.Context(), w.Token(w.Reader))
		if err != nil {
			t.Fatal(err)
		}
		stream := func(after int64) *crm.StreamPage {
			t.Helper()
			page, err := w.StreamEvents(t.Context(), w.Reader, crm.StreamQuery{Channel: journalChannel, After: after, Session: session.ID})
			if err != nil {
				t.Fatal(err)
			}
			return page
		}
		const last = crm.MaxPage + 2
		first := stream(0)
		listed, err := w.Service.Events(t.Context(), w.Reader, crm.EventsQuery{Channel: journalChannel, Limit: crm.MaxPage})
		if err != nil || !reflect.DeepEqual(first.Items, listed.Items) || !first.More || first.Next != crm.MaxPage {
			t.Errorf("the first page ends at %d, more: %v; %v", first.Next, first.More, err)
		}
		if rest := stream(first.Next); len(rest.Items) != 2 || rest.More || rest.Next != last {
			t.Errorf("the second page is %+v", rest)
		}
		for _, after := range []int64{crm.FromNow, last} {
			if now := stream(after); len(now.Items) != 0 || now.More || now.Lost || now.Next != last {
				t.Errorf("after %d: %+v", after, now)
			}
		}
		if err := w.Journal.MarkPublished(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		if n, err := w.Journal.Prune(t.Context(), time.Unix(crmtest.Start+1, 0), 10); n != 10 || err != nil {
			t.Fatalf("pruned %d, %v", n, err)
		}
		for after, want := range map[int64]bool{9: true, 10: false, last: false, last + 1: true} {
			page := stream(after)
			if page.Lost != want || want && (page.Oldest != 11 || page.Next != last || len(page.Items) > 0) {
				t.Errorf("after %d: %+v", after, page)
			}
		}
		for what, c := range map[string]struct {
			who     crm.Actor
			channel string
			want    crm.Code
		}{
			"another company's": {w.Reader, "private-v1.companies.3000", crm.CodeDenied},
			"another person's":  {w.Reader, "private-v1.users.685", crm.CodeDenied},
			"no channel":        {w.Reader, "", crm.CodeInvalid},
			"presence":          {w.Reader, "presence-v1.companies.2224", crm.CodeInvalid},
		} {
			_, err := w.StreamEvents(t.Context(), c.who, crm.StreamQuery{Channel: c.channel, Session: session.ID})
			expectCode(t, what, err, c.want)
		}
		w.Tx(t, func(tx *models.Tx) error { return tx.RevokeToken(session.ID, crmtest.Start) })
		_, err = w.StreamEvents(t.Context(), w.Reader, crm.StreamQuery{Channel: journalChannel, Session: session.ID})
		expectCode(t, "signed out", err, crm.CodeBadToken)
	})
}

// TestStreamPagesAreBounded checks that large events make the pages of a stream short, and
// that none is left out.
func TestStreamPagesAreBounded(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		line := crm.Line{LicenseID: crmtest.LicenseID, Messenger: "telegram"}
		channel := channels.LineName(line.LicenseID, line.Messenger)
		for i := range 8 {
			said := crm.InboundMessage{
				ID: crm.MakeID("telegram", strconv.Itoa(i)), Chat: crm.InboundChat{ID: crm.MakeID("telegram", "12345")},
				Message: crm.Content{Text: strings.Repeat("<", 20_000)}, // six bytes each in JSON
			}
			if _, err := w.IngestAs(t.Context(), w.Owner, line, crm.InboundRequest{Messages: []crm.InboundMessage{said}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Journal.Number(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
		session, err := w.SessionOfToken(t.Context(), w.Token(w.Owner))
		if err != nil {
			t.Fatal(err)
		}
		var seen []crm.PublishedEvent
		for query := (crm.StreamQuery{Channel: channel, Session: session.ID}); ; {
			page, err := w.StreamEvents(t.Context(), w.Owner, query)
			if err != nil {
				t.Fatal(err)
			}
			size := 0
			for _, e := range page.Items {
				size += len(e.Data)
			}
			if size > 400<<10 { // 256 KiB and the event with which it has them
				t.Errorf("a page has %d events of %d bytes", len(page.Items), size)
			}
			seen, query.After = append(seen, page.Items...), page.Next
			if !page.More {
				break
			}
		}
		listed, err := w.Service.Events(t.Context(), w.Owner, crm.EventsQuery{Channel: channel, Limit: crm.MaxPage})
		if err != nil || len(listed.Items) < 8 || !reflect.DeepEqual(seen, listed.Items) {
			t.Errorf("the stream has %d events, the journal %d, %v", len(seen), len(listed.Items), err)
		}
	})
}
