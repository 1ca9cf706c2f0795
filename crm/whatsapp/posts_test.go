package whatsapp

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
)

// receive sets what the line keeps.
func (h *harness) receive(t *testing.T, status, channels bool) {
	t.Helper()
	settings, err := h.ChangeLineSettings(t.Context(), h.Owner, testLine, crm.LineSettingsChanges{ReceiveStatus: crm.Value(status), ReceiveChannels: crm.Value(channels)})
	if err != nil || settings.ReceiveStatus != status || settings.ReceiveChannels != channels {
		t.Fatalf("the settings are %+v, %v", settings, err)
	}
}

// said lets Anna say something, and waits until all that came before is handled.
func (h *harness) said(t *testing.T, text string) {
	t.Helper()
	h.anna.SendText(h.shop, text)
	h.awaitItem(t, crm.EventMessage, `"`+text+`"`)
}

func (h *harness) chatData(t *testing.T, id string) crm.ChatData {
	t.Helper()
	data, err := h.Chat(t.Context(), h.Owner, crm.ChatAddress{Line: testLine, ChatID: id})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// restart serves the line with another process.
func (h *harness) restart(t *testing.T) {
	t.Helper()
	h.stop()
	h.m, h.stop = h.node(t, h.Service)
	h.Service.Messengers[Type] = h.m
	eventually(t, "the account does not come back", h.shop.Online)
}

// TestPostsAreLeftOut checks that without the settings nothing of status posts and channels
// is stored, and all of it is acknowledged.
func TestPostsAreLeftOut(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.said(t, "hello")
		news := h.wa.NewChannel("News")
		h.shop.Follow(news, true)
		id := h.anna.PostStatus(h.shop, whatsapptest.Text("at the sea"))
		h.anna.PostStatus(h.shop, whatsapptest.Revoke(whatsapptest.StatusKey(id)))
		h.shop.PostStatus(whatsapptest.Text("we are open"))
		post := news.Post(h.shop, whatsapptest.Text("extra, extra"))
		news.Edit(h.shop, post, whatsapptest.Text("extra"))
		news.Revoke(h.shop, post)
		h.said(t, "after it")
		if err := h.shop.AwaitSettled(testwait.Context(t)); err != nil {
			t.Error(err)
		}
		if got := h.texts(t); len(got) != 2 {
			t.Errorf("the events say %q", got)
		}
		page, err := h.Chats(t.Context(), h.Owner, testLine, crm.ChatQuery{})
		if err != nil || len(page.Items) != 1 {
			t.Errorf("there are %d chats, %v", len(page.Items), err)
		}
		if n := len(h.Events(t, crm.EventMessageDelete, crm.EventMessageEdit)); n > 0 {
			t.Errorf("%d events tell of posts", n)
		}
	})
}

// TestStatusPosts checks that a customer's status posts are in the chat with them, once, and
// count as no message there.
func TestStatusPosts(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.receive(t, true, false)
		h.said(t, "hello")
		if _, err := h.SetChatStatus(t.Context(), h.Operator, h.chat(), "close"); err != nil {
			t.Fatal(err)
		}
		before, mark := h.chatData(t, anna), h.Mark(t)
		bob := h.wa.NewContact("79991112233", "555666777", "Bob")
		bob.PostStatus(h.shop, whatsapptest.Text("you do not know me"))
		photo := whatsapptest.Photo(40, 30)
		text := h.anna.PostStatus(h.shop, whatsapptest.RichText("at the sea", &waE2E.ContextInfo{Expiration: proto.Uint32(86400)}), whatsapptest.SendOpts{Copies: 1})
		h.awaitItem(t, crm.EventMessage, `"id":"`+text+`"`, `"subtype":"status"`, `"type":"text"`, `"at the sea"`, `"id":"79995554433@c.us"`, `"side":"in"`)
		hard := h.anna.PostStatus(h.shop, whatsapptest.Text("hard to read"), whatsapptest.SendOpts{Garbled: 1})
		h.awaitItem(t, crm.EventMessage, `"id":"`+hard+`"`, `"subtype":"status"`, "hard to read")
		picture := h.anna.PostStatus(h.shop, h.wa.Upload(photo, whatsmeow.MediaImage).Image("look", "image/jpeg"))
		item := h.awaitEvent(t, crm.EventMessageEdit, func(item string) bool { return strings.Contains(item, picture) && !strings.Contains(item, `"state"`) })
		if b := h.stored(t, item); string(b) != string(photo) {
			t.Errorf("%d bytes are kept, want %d", len(b), len(photo))
		}
		h.restart(t)
		h.shop.PostStatus(whatsapptest.Text("we are open"))
		late := h.anna.PostStatus(h.shop, whatsapptest.Text("home again"))
		h.awaitItem(t, crm.EventMessage, `"id":"`+late+`"`, `"subtype":"status"`)
		h.anna.PostStatus(h.shop, whatsapptest.Reaction(whatsapptest.StatusKey(late), "👍"))
		h.anna.PostStatus(h.shop, whatsapptest.Revoke(whatsapptest.StatusKey(text)))
		h.awaitItem(t, crm.EventMessageDelete, `"id":"`+text+`"`)
		after := h.chatData(t, anna)
		if after.Unread != before.Unread || after.Status != "close" || after.LastTime != before.LastTime || after.LastMessage == nil || after.LastMessage.Message.Text != "hello" {
			t.Errorf("the chat is %+v after the posts, and was %+v", after, before)
		}
		if n := len(h.EventsAfter(t, mark, crm.EventMessage)); n != 4 {
			t.Errorf("there are %d messages, want 4", n)
		}
		page, err := h.Chats(t.Context(), h.Owner, testLine, crm.ChatQuery{})
		if err != nil || len(page.Items) != 1 {
			t.Errorf("there are %d chats, %v", len(page.Items), err)
		}

		// Switched off again, the deletion of what is here still counts.
		h.receive(t, false, false)
		h.anna.PostStatus(h.shop, whatsapptest.Text("nobody reads this"))
		h.anna.PostStatus(h.shop, whatsapptest.Revoke(whatsapptest.StatusKey(late)))
		h.awaitItem(t, crm.EventMessageDelete, `"id":"`+late+`"`)
		h.said(t, "the end")
		if got := h.texts(t); strings.Contains(strings.Join(got, "|"), "nobody reads") {
			t.Errorf("the events say %q", got)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// TestStatusIsAnswered checks that an answer to a customer's status names it as phones do,
// that a reaction to it is refused, and that a customer's answer to a post of ours shows it.
func TestStatusIsAnswered(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		h.pair(t)
		h.receive(t, true, false)
		h.said(t, "hello")
		id := h.anna.PostStatus(h.shop, whatsapptest.Text("at the sea"))
		h.awaitItem(t, crm.EventMessage, `"id":"`+id+`"`)
		quoted := crm.MakeID(Type, id)
		out := h.send(t, crm.Outgoing{Type: crm.MessageText, Content: crm.Content{Text: "Enjoy it"}, Quoted: &quoted})
		got, err := h.anna.AwaitID(testwait.Context(t), out)
		if err != nil {
			t.Fatal(err)
		}
		info := got.Message.GetExtendedTextMessage().GetContextInfo()
		if info.GetStanzaID() != id || info.GetRemoteJID() != "status@broadcast" || info.GetQuotedMessage().GetConversation() != "at the sea" || !strings.HasPrefix(info.GetParticipant(), h.anna.Number().User) {
			t.Errorf("the answer is %v", info)
		}
		_, err = h.Send(t.Context(), h.Operator, h.chat(), crm.Outgoing{Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{MessageID: quoted, Emoji: "👍"}}})
		if code(err) != crm.CodeConflict {
			t.Errorf("a reaction: %v", err)
		}
		ours := h.shop.PostStatus(whatsapptest.Text("we are open"))
		about := whatsapptest.Quoting(ours, h.shop.Number(), whatsapptest.Text("we are open"))
		about.RemoteJID = proto.String("status@broadcast")
		h.anna.Send(h.shop, whatsapptest.RichText("until when?", about))
		item := h.awaitItem(t, crm.EventMessage, `"until when?"`)
		var m struct {
			QuotedMessage struct {
				ID      string
				FromMe  bool
				Message struct{ Text string }
			}
		}
		if err := json.Unmarshal([]byte(item), &m); err != nil || m.QuotedMessage.ID != ours || !m.QuotedMessage.FromMe || m.QuotedMessage.Message.Text != "we are open" {
			t.Errorf("the answer quotes %+v, %v", m, err)
		}
	})
}

// TestChannels checks that the posts of a channel are in a chat of its own, which can only be
// read, and which has the channel's name.
func TestChannels(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		news, told := h.wa.NewChannel("News"), h.wa.NewChannel("Told")
		h.shop.Follow(news, false)
		h.pair(t)
		h.receive(t, false, true)
		at := crm.ChatAddress{Line: testLine, ChatID: news.JID().String()}
		photo := whatsapptest.Photo(40, 30)
		id := news.Post(h.shop, whatsapptest.Text("extra, extra"), whatsapptest.SendOpts{Copies: 1})
		h.awaitItem(t, crm.EventMessage, `"id":"`+id+`"`, `"type":"channel"`, `"id":"`+at.ChatID+`"`, `"extra, extra"`, `"side":"in"`)
		eventually(t, "the channel has no name", func() bool { return h.chatData(t, at.ChatID).Name == "News" })
		picture := news.Post(h.shop, h.wa.UploadPlain(photo).Image("look", "image/jpeg"))
		h.awaitItem(t, crm.EventMessage, picture, `"name":"News"`)
		item := h.awaitEvent(t, crm.EventMessageEdit, func(item string) bool { return strings.Contains(item, picture) && !strings.Contains(item, `"state"`) })
		if b := h.stored(t, item); string(b) != string(photo) {
			t.Errorf("%d bytes are kept, want %d", len(b), len(photo))
		}
		if data := h.chatData(t, at.ChatID); data.Type != "channel" || data.Unread != 0 || data.Conversation != nil || data.LastMessage == nil || data.LastMessage.Message.Caption != "look" || data.Phone != nil {
			t.Errorf("the chat is %+v", data)
		}
		news.Edit(h.shop, id, whatsapptest.Text("extra"))
		h.awaitItem(t, crm.EventMessageEdit, `"id":"`+id+`"`, `"text":"extra"`)
		news.Edit(h.shop, "OLD", whatsapptest.Text("from before"))
		h.awaitItem(t, crm.EventMessage, `"id":"OLD"`, "from before")
		news.Revoke(h.shop, id)
		h.awaitItem(t, crm.EventMessageDelete, `"id":"`+id+`"`)

		if _, err := h.SetChatStatus(t.Context(), h.Operator, at, "close"); err != nil {
			t.Fatal(err)
		}
		h.restart(t)
		h.shop.Follow(told, true)
		first := told.Post(h.shop, whatsapptest.Text("told"))
		h.awaitItem(t, crm.EventMessage, `"id":"`+first+`"`, `"name":"Told"`)
		last := news.Post(h.shop, whatsapptest.Text("later"), whatsapptest.SendOpts{Time: time.Now().Add(time.Second)})
		h.awaitItem(t, crm.EventMessage, `"id":"`+last+`"`)
		if data := h.chatData(t, at.ChatID); data.Status != "close" || data.Unread != 0 {
			t.Errorf("the chat is %+v", data)
		}
		h.writesNowhere(t, at, last)
		contacts, err := h.Contacts(t.Context(), h.Owner, testLine, crm.PageQuery{}, "")
		if err != nil || len(contacts.Items) != 0 {
			t.Errorf("there are contacts %+v, %v", contacts.Items, err)
		}
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

// writesNowhere checks that nothing can be sent to a channel.
func (h *harness) writesNowhere(t *testing.T, at crm.ChatAddress, post string) {
	t.Helper()
	id := crm.MakeID(Type, post)
	for _, m := range []crm.Outgoing{
		{Type: crm.MessageText, Content: crm.Content{Text: "hello"}},
		{Type: crm.MessageText, Content: crm.Content{Text: "hello"}, Quoted: &id},
		{Type: crm.MessageReaction, Content: crm.Content{Reaction: &crm.Reaction{MessageID: id, Emoji: "👍"}}},
		{Type: crm.MessagePoll, Content: crm.Content{Poll: &crm.Poll{Question: "Tea?", Options: []string{"yes", "no"}}}},
	} {
		if _, err := h.Send(t.Context(), h.Operator, at, m); code(err) != crm.CodeConflict || !strings.Contains(err.Error(), "channel") {
			t.Errorf("sending %s: %v", m.Type, err)
		}
	}
	if _, err := h.SendLink(t.Context(), h.Operator, at, "https://files.example/cat.png", "cat.png", crm.Outgoing{}); code(err) != crm.CodeConflict {
		t.Errorf("sending a file: %v", err)
	}
	if err := h.Typing(t.Context(), h.Operator, at, crm.TypingText); code(err) != crm.CodeConflict {
		t.Errorf("typing: %v", err)
	}
	if err := h.DeleteMessage(t.Context(), h.Operator, at, post); code(err) != crm.CodeConflict {
		t.Errorf("deleting: %v", err)
	}
	if _, err := h.MarkRead(t.Context(), h.Operator, at); err != nil {
		t.Errorf("marking as read: %v", err)
	}
}
