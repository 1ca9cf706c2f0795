package evolution

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

const (
	anna    = "79995554433"
	annaJID = anna + "@s.whatsapp.net"
)

// sends runs an operation that sends, and returns the message that Anna's phone gets. What the
// operation gives must be a message object with this content.
func (n *n8n) sends(operation string, entered form, kind, message string) whatsapptest.Received {
	n.t.Helper()
	with := form{}
	if operation != "messages/send-reaction" {
		with["remoteJid"] = anna
	}
	for name, value := range entered {
		with[name] = value
	}
	return n.sent(n.done(operation, 201, with), operation, kind, message)
}

func (n *n8n) sent(answer, operation, kind, message string) whatsapptest.Received {
	n.t.Helper()
	var sent struct {
		Key struct {
			RemoteJid, ID string
			FromMe        bool
		}
		PushName, Status, MessageType, InstanceID, Source string
		MessageTimestamp                                  int64
		Message                                           json.RawMessage
	}
	if err := json.Unmarshal([]byte(answer), &sent); err != nil {
		n.t.Fatalf("%s gives %s: %v", operation, answer, err)
	}
	if sent.Key.RemoteJid != annaJID || !sent.Key.FromMe || sent.PushName == "" || sent.Status != "PENDING" || sent.MessageType != kind || len(sent.InstanceID) != 36 ||
		sent.Source == "" || sent.MessageTimestamp == 0 || !strings.Contains(string(sent.Message), message) {
		n.t.Errorf("%s gives %s, want %s with %s", operation, answer, kind, message)
	}
	got, err := n.phones.Anna.AwaitID(testwait.Context(n.t), sent.Key.ID)
	if err != nil {
		n.t.Fatalf("%s: %v", operation, err)
	}
	return got
}

// messages sends what has no file.
func (n *n8n) messages(t *testing.T) {
	in := n.phones.Anna.SendText(n.phones.Shop, "Hi")
	n.awaitMessage(in)
	text := n.sends("messages/send-text", form{"messageText": "Hello Anna", "options_message": form{
		"delay": 30, "linkPreview": false, "quoted": form{"messageQuoted": form{"messageId": in}}, "mentions": form{"mentionsSettings": form{"mentionsEveryOne": false, "mentioned": anna + ", 79990001122"}},
	}}, "conversation", `{"conversation":"Hello Anna"}`)
	about := text.Message.GetExtendedTextMessage().GetContextInfo()
	if text.Text() != "Hello Anna" || about.GetStanzaID() != in || len(about.GetMentionedJID()) != 2 {
		t.Errorf("%v arrived", text.Message)
	}
	n.sends("messages/send-text", form{"messageText": "to the address", "remoteJid": annaJID}, "conversation", "to the address")
	n.refused("messages/send-text", 400, form{"remoteJid": "351912000009", "messageText": "Hello"}, `"exists":false`)
	n.refused("messages/send-text", 400, form{"remoteJid": anna}, "text")

	poll := n.sends("messages/send-poll", form{"caption": "Colour?", "options_display": form{"metadataValues": []form{{"optionValue": "Red"}, {"optionValue": "Blue"}}}},
		"pollCreationMessageV3", `"selectableOptionsCount":1`)
	if text := fmt.Sprint(poll.Message); !strings.Contains(text, "Colour?") || !strings.Contains(text, "Blue") {
		t.Errorf("the poll arrived as %s", text)
	}
	contact := form{"fullName": "Bia", "wuid": "351912000001", "phoneNumber": "+351 912 000 001", "organization": "Shop", "email": "bia@example.org", "url": "https://bia.example"}
	card := n.sends("messages/send-contact", form{"contacts": form{"contactValues": []form{contact}}}, "contactMessage", `"displayName":"Bia"`)
	if vcard := card.Message.GetContactMessage().GetVcard(); !strings.Contains(vcard, "waid=351912000001:") || !strings.Contains(vcard, "bia@example.org") || !strings.Contains(vcard, "ORG:Shop") {
		t.Errorf("the contact arrived as %q", vcard)
	}
	n.sends("messages/send-contact", form{"contacts": form{"contactValues": []form{contact, {"fullName": "Caio", "wuid": "351912000002", "phoneNumber": "351912000002"}}}},
		"contactsArrayMessage", `"displayName":"2 contacts"`)
	reaction := n.sends("messages/send-reaction", form{"remoteJid": annaJID, "messageId": in, "fromMe": false}, "reactionMessage", `"text":"👍"`)
	if r := reaction.Message.GetReactionMessage(); r.GetText() != "👍" || r.GetKey().GetID() != in {
		t.Errorf("the reaction is %v", r)
	}
}

// awaitMessage waits until a message that Anna sent can be found.
func (n *n8n) awaitMessage(id string) {
	n.t.Helper()
	n.becomes("chat/find-messages", form{"remoteJid": anna}, id)
}

// media sends files in base64, bare and as a data URI.
func (n *n8n) media(t *testing.T) {
	photo, film, sound := whatsapptest.Photo(640, 480), whatsapptest.Film(320, 240, 5), whatsapptest.Recording(3)
	data := func(mime string, file []byte) string {
		return "data:" + mime + ";base64," + base64.StdEncoding.EncodeToString(file)
	}
	for _, m := range []struct {
		operation, kind, message string
		entered                  form
		file                     []byte
	}{
		{"messages/send-image", "imageMessage", `"caption":"order 7"`, form{"media": data("image/jpeg", photo), "caption": "order 7"}, photo},
		{"messages/send-image", "imageMessage", `"mimetype":"image/jpeg"`, form{"media": base64.StdEncoding.EncodeToString(photo)}, photo},
		{"messages/send-video", "videoMessage", `"caption":"the film"`, form{"media": data("video/mp4", film), "caption": "the film"}, film},
		{"messages/send-document", "documentMessage", `"fileName":"bill.pdf"`, form{"media": base64.StdEncoding.EncodeToString([]byte("%PDF-1.7 a bill.")), "fileName": "bill.pdf", "caption": "your bill"}, []byte("%PDF-1.7 a bill.")},
		{"messages/send-audio", "audioMessage", `"ptt":true`, form{"media": data("audio/ogg", sound), "options_message": form{"delay": 20}}, nil},
	} {
		got := n.sends(m.operation, m.entered, m.kind, m.message)
		file, err := n.phones.Open(got.Attachment())
		if err != nil || m.file != nil && string(file) != string(m.file) {
			t.Errorf("%s: %d bytes arrived, %v", m.operation, len(file), err)
		}
		if m.operation == "messages/send-audio" && !got.Message.GetAudioMessage().GetPTT() {
			t.Errorf("the voice message arrived as %v", got.Message)
		}
	}
	n.refused("messages/send-image", 400, form{"remoteJid": anna, "media": "no file!"}, "Owned media must be a url or base64")
	if ran := n.run("messages/send-document", form{"remoteJid": anna, "media": "no file!"}); ran.Error == nil || len(ran.Calls) != 0 {
		t.Errorf("the node itself refuses this: %+v", ran)
	}

	n.stories(t, data("image/jpeg", photo))
}

// menus sends lists and buttons, which become texts.
func (n *n8n) menus(t *testing.T) {
	for _, m := range []struct {
		operation, want string
		entered         form
	}{
		{"messages/send-list", "*Menu*\nFood of today\n\n*Food*\n1. Soup - hot\n2. Bread\n\n_Enjoy_", form{"title": "Menu", "description": "Food of today", "buttonText": "See",
			"sections":        form{"sectionValues": []form{{"title": "Food", "rows": form{"rowValues": []form{{"title": "Soup", "description": "hot", "rowId": "1"}, {"title": "Bread"}}}}}},
			"options_message": form{"footer": "Enjoy"}}},
		{"messages/send-buttons", "*Order 7*\nIs it right?\n\n1. Yes\n2. No\n\n_Shop_", form{"title": "Order 7", "description": "Is it right?", "footer": "Shop",
			"buttons": form{"buttonValues": []form{{"type": "reply", "displayText": "Yes", "id": "y"}, {"type": "reply", "displayText": "No", "id": "n"}}}}},
		{"messages/send-buttons", "*Order 7*\nAsk us\n\n1. Site: https://shop.example\n2. Call: +351912000001\n3. Code: XY", form{"title": "Order 7", "description": "Ask us",
			"buttons": form{"buttonValues": []form{{"type": "url", "displayText": "Site", "url": "https://shop.example"}, {"type": "call", "displayText": "Call", "phoneNumber": "+351912000001"}, {"type": "copy", "displayText": "Code", "copyCode": "XY"}}}}},
		{"messages/send-pix", "1. PIX Shop: pay@shop.example", form{"name": "Shop", "keyType": "email", "key": "pay@shop.example"}},
	} {
		quoted, _ := json.Marshal(m.want)
		if got := n.sends(m.operation, m.entered, "conversation", string(quoted)); got.Text() != m.want {
			t.Errorf("%s arrived as %q, want %q", m.operation, got.Text(), m.want)
		}
	}
	n.refused("messages/send-buttons", 400, form{"remoteJid": anna, "title": "t", "description": "d",
		"buttons": form{"buttonValues": []form{{"type": "reply", "displayText": "Yes", "id": "y"}, {"type": "url", "displayText": "Site", "url": "https://shop.example"}}}},
		"Reply buttons cannot be mixed with other button types")
}

// stories posts stories to all contacts, and to some people.
func (n *n8n) stories(t *testing.T, picture string) {
	n.phones.Shop.SaveContact(n.phones.Anna.Number(), "Anna", "Anna S.")
	(&client{t: t}).eventually("the address book is here", func() bool {
		return n.run("messages/send-stories", form{"type": "text", "content": "Test", "allContacts": true}).Error == nil
	})
	for _, story := range []struct {
		entered       form
		kind, message string
	}{
		{form{"type": "text", "content": "Open today", "allContacts": true, "backgroundColor": "#00ff00", "font": 2}, "conversation", "Open today"},
		{form{"type": "image", "content": picture, "caption": "new bread", "statusJidList": anna + ", 351912000009"}, "imageMessage", `"caption":"new bread"`},
	} {
		var posted struct {
			Key                 struct{ RemoteJid, ID string }
			Status, MessageType string
			Message             json.RawMessage
		}
		answer := n.done("messages/send-stories", 201, story.entered)
		if err := json.Unmarshal([]byte(answer), &posted); err != nil {
			t.Fatal(err)
		}
		if posted.Key.RemoteJid != "status@broadcast" || posted.Status != "PENDING" || posted.MessageType != story.kind || !strings.Contains(string(posted.Message), story.message) {
			t.Errorf("a story gives %s", answer)
		}
		if _, err := n.phones.Anna.AwaitID(testwait.Context(t), posted.Key.ID); err != nil {
			t.Errorf("%s: %v", story.kind, err)
		}
	}
	n.refused("messages/send-stories", 400, form{"type": "text", "content": "Open today"}, "StatusJidList is required")
}
