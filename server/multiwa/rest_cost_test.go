package multiwa_test

import (
	"fmt"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/models/testdb"
	"chatcast/server/multiwa"
)

// TestListsCost counts the statements of lists of a line with many conversations: they must not
// be asked for one by one.
func TestListsCost(t *testing.T) {
	url, executed := testdb.CountStatements(t, testdb.PostgresURL(t))
	r := newRest(t, testdb.Open(t, url), onGr)
	profile := r.profileOf(t, onGr)
	const chats = 60
	var in crm.InboundBatch
	for i := range chats {
		chat, when := crm.MakeID(onGr.Messenger, fmt.Sprintf("3519120001%02d@c.us", i)), int64(1637319000+i)
		in.Messages = append(in.Messages, crm.InboundMessage{
			ID: crm.MakeID("", fmt.Sprint("3A", i)), Time: &when, Chat: crm.InboundChat{ID: chat}, FromUser: &crm.InboundUser{ID: chat, Name: "Ana"}, Message: crm.Content{Text: "Hi"},
		})
	}
	if _, err := r.Ingest(t.Context(), onGr, in); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		most int // statements; those that a request costs anyway are about 10
	}{
		{"/conversations?limit=60", 30},
		{"/messages/profile/" + profile + "?limit=1", 20 + 2},
		{"/messages/profile/" + profile + "?limit=60", 20 + chats},
		{"/messages/profile/" + profile + "?type=sticker", 20 + chats},
		{"/contacts/351912000100", 20},
		{"/messages/conversation/" + multiwa.ConversationUUID(1), 20},
	} {
		before := executed()
		status, body := r.call("GET", c.path, "")
		if n := executed() - before; n > c.most || status != 200 {
			t.Errorf("%s: %d statements, want at most %d; %d %.200s", c.path, n, c.most, status, strings.TrimSpace(body))
		}
	}
}
