package evolution_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

const (
	annChat = "79990001122@c.us"
	hiID    = "3A6C1F0E2B4D5A7C9E10"
	photoID = "3A6C1F0E2B4D5A7C9E11"
	ownID   = "3EB0C2D4E6F8091A2B3C4D"
)

var onShop = crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}

func idOf(text string) crm.ID { return crm.MakeID("grWhatsApp", text) }

func (w *world) ingest(in ...crm.InboundMessage) {
	w.t.Helper()
	if _, err := w.Ingest(w.t.Context(), onShop, crm.InboundBatch{Messages: in}); err != nil {
		w.t.Fatal(err)
	}
}

// says returns a text of Ann.
func says(id, text string, at int64) crm.InboundMessage {
	return crm.InboundMessage{ID: idOf(id), Chat: crm.InboundChat{ID: idOf(annChat)}, FromUser: &crm.InboundUser{ID: idOf(annChat), Name: "Ann"}, Time: &at, Message: crm.Content{Text: text}}
}

// talk brings a text and a picture of Ann, and a text of the account's phone that was read.
func (w *world) talk() {
	w.t.Helper()
	file, err := w.StoreFile(w.t.Context(), onShop, "cat.jpg", "image/jpeg", strings.NewReader("\xff\xd8\xffcat"))
	if err != nil {
		w.t.Fatal(err)
	}
	photo := says(photoID, "", crmtest.Start-50)
	photo.Type, photo.Message, photo.Attachment = crm.MessageImage, crm.Content{Caption: "hi"}, file
	own := says(ownID, "Hello", crmtest.Start-40)
	own.FromMe, own.FromUser = true, &crm.InboundUser{ID: idOf("79990000000@c.us")}
	w.ingest(says(hiID, "Hi", crmtest.Start-60), photo, own)
	status := crm.InboundStatus{ID: idOf(ownID), Chat: crm.InboundChat{ID: idOf(annChat)}, Type: "viewed"}
	if _, err := w.Ingest(w.t.Context(), onShop, crm.InboundBatch{Statuses: []crm.InboundStatus{status}}); err != nil {
		w.t.Fatal(err)
	}
}

const (
	hiRecord = `{"id":"` + hiID + `","key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"` + hiID + `"},"pushName":"Ann","message":{"conversation":"Hi"},` +
		`"messageType":"conversation","messageTimestamp":1637319240,"instanceId":"UUID","source":"ios","MessageUpdate":[]}`
	photoRecord = `{"id":"` + photoID + `","key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"` + photoID + `"},"pushName":"Ann",` +
		`"message":{"imageMessage":{"url":"LINK","mimetype":"image/jpeg","fileLength":"6","caption":"hi"},"mediaUrl":"LINK"},` +
		`"messageType":"imageMessage","messageTimestamp":1637319250,"instanceId":"UUID","source":"ios","MessageUpdate":[]}`
	ownRecord = `{"id":"ID","key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":true,"id":"ID"},"pushName":"Você","message":{"conversation":"Hello"},` +
		`"messageType":"conversation","messageTimestamp":1637319260,"instanceId":"UUID","source":"web","MessageUpdate":[{"status":"READ"}]}`
)

// found returns an answer of findMessages.
func found(total, pages, page int, records ...string) string {
	return fmt.Sprintf(`{"messages":{"total":%d,"pages":%d,"currentPage":%d,"records":[%s]}}`, total, pages, page, strings.Join(records, ","))
}

func TestFindMessages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.talk()
		const find = "POST /chat/findMessages/shop"
		all := found(3, 1, 1, ownRecord, photoRecord, hiRecord)
		for _, body := range []string{`{}`, `{"where":{}}`, `{"where":{"key":{"remoteJid":"79990001122@s.whatsapp.net"}}}`, `{"where":{"remoteJid":"79990001122@c.us"}}`} {
			w.want(w.line, find, body, 200, all)
		}
		w.want(w.line, find, `{"page":2,"offset":2}`, 200, found(3, 2, 2, hiRecord))
		w.want(w.line, find, `{"page":9,"offset":500}`, 200, found(3, 1, 9))
		w.want(w.line, find, `{"page":1000000}`, 200, found(0, 0, 4500))
		w.want(w.line, find, `{"where":{"key":{"id":"`+hiID+`"}}}`, 200, found(1, 1, 1, hiRecord))
		w.want(w.line, find, `{"where":{"id":"`+hiID+`","key":{"remoteJid":"79990009999@s.whatsapp.net"}}}`, 200, found(0, 0, 1))
		w.want(w.line, find, `{"where":{"key":{"fromMe":true}}}`, 200, found(1, 1, 1, ownRecord))
		w.want(w.line, find, `{"where":{"messageType":"imageMessage"}}`, 200, found(1, 1, 1, photoRecord))
		w.want(w.line, find, `{"where":{"source":"web"}}`, 200, found(1, 1, 1, ownRecord))
		w.want(w.line, find, `{"where":{"messageTimestamp":{"gte":"2021-11-19T10:54:10.000Z","lte":"2021-11-19T10:54:10.000Z"}}}`, 200, found(1, 1, 1, photoRecord))
		w.want(w.line, find, `{"where":{"key":{"remoteJid":"nobody"}}}`, 200, found(0, 0, 1))
		w.want(w.line, find, `{"where":{"key":{"id":"`+hiID+`"}}}`, 200,
			`[{"key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"`+hiID+`"},"pushName":"Ann","message":{"conversation":"Hi"},`+
				`"messageType":"conversation","messageTimestamp":1637319240,"owner":"shop","source":"ios"}]`, "X-Evolution-Shape: v1")
		w.want("", find, `{}`, 401, unauthorizedText)
		w.want(w.strange, find, `{}`, 404, `{"status":404,"error":"Not Found","response":{"message":["The \"shop\" instance does not exist"]}}`)
		w.want(w.line, find, `{"where":1}`, 400, invalid("instance.where is not of a type(s) object"))
	})
}

func TestFindStatusMessage(t *testing.T) {
	w := onSQLite(t)
	w.talk()
	row := `[{"id":"ID","keyId":"` + ownID + `","remoteJid":"79990001122@s.whatsapp.net","fromMe":true,"participant":null,"pollUpdates":null,"status":"READ","messageId":"` + ownID + `","instanceId":"UUID"}]`
	const find = "POST /chat/findStatusMessage/shop"
	w.want(w.line, find, `{}`, 200, row)
	w.want(w.line, find, `{"where":{"keyId":"`+ownID+`","instanceId":"shop"}}`, 200, row)
	w.want(w.line, find, `{"where":{"status":"READ","remoteJid":"79990001122@s.whatsapp.net","fromMe":true}}`, 200, row)
	w.want(w.line, find, `{"where":{"status":"SERVER_ACK"}}`, 200, `[]`)
	w.want(w.line, find, `{"where":{"fromMe":false}}`, 200, `[]`)
}

func TestFindChatsAndContacts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.talk()
		row := `{"id":"h3586871567451087661","remoteJid":"79990001122@s.whatsapp.net","pushName":"Ann","profilePicUrl":null,"updatedAt":"2021-11-19T10:54:20.000Z",` +
			`"windowStart":"2021-11-19T10:54:00.000Z","windowExpires":"2021-11-20T10:54:00.000Z","windowActive":true,"lastMessage":` +
			`{"key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":true,"id":"ID"},"pushName":"Você","status":"READ","message":{"conversation":"Hello"},"messageType":"conversation","messageTimestamp":1637319260,"instanceId":"UUID","source":"web"},` +
			`"unreadCount":2,"isSaved":true}`
		for _, body := range []string{`{}`, `{"where":{"remoteJid":"79990001122@s.whatsapp.net"}}`, `{"page":1,"offset":10}`, `{"take":1,"skip":0}`, `{"where":{"id":"` + hiID + `"}}`} {
			w.want(w.line, "POST /chat/findChats/shop", body, 200, `[`+row+`]`)
		}
		w.want(w.line, "GET /chat/findChats/shop", ``, 200, `[`+row+`]`)
		w.want(w.line, "POST /chat/findChats/shop", `{"take":5,"skip":1}`, 200, `[]`)
		w.want(w.line, "POST /chat/findChats/shop", `{"where":{"remoteJid":"79990009999@s.whatsapp.net"}}`, 200, `[]`)
		w.want(w.line, "POST /chat/findChats/shop", `{}`, 200, `[{"_id":"h3586871567451087661","id":"79990001122@s.whatsapp.net","owner":"shop","labels":[]}]`, "X-Evolution-Shape: v1")

		w.want(w.line, "GET /chat/findChatByRemoteJid/shop?remoteJid=79990001122@s.whatsapp.net", ``, 200,
			`{"id":"h3586871567451087661","remoteJid":"79990001122@s.whatsapp.net","name":"Ann","labels":[],"createdAt":"2021-11-19T10:55:00.000Z","updatedAt":"2021-11-19T10:54:20.000Z","instanceId":"UUID","unreadMessages":2}`)
		w.want(w.line, "GET /chat/findChatByRemoteJid/shop?remoteJid=79990009999@s.whatsapp.net", ``, 200, `null`)
		w.want(w.line, "GET /chat/findChatByRemoteJid/shop", ``, 400, `{"error":"remoteJid is a required query parameter"}`)

		contact := `[{"id":"79990001122@s.whatsapp.net","remoteJid":"79990001122@s.whatsapp.net","pushName":"Ann","profilePicUrl":null,"createdAt":"2021-11-19T10:55:00.000Z",` +
			`"updatedAt":"2021-11-19T10:55:00.000Z","instanceId":"UUID","isGroup":false,"isSaved":true,"type":"contact"}]`
		for _, body := range []string{`{}`, `{"where":{"id":"79990001122@s.whatsapp.net"}}`, `{"where":{"remoteJid":"79990001122@c.us"}}`, `{"where":{"pushName":"Ann"}}`, `{"where":{"id":""},"page":1,"offset":5}`} {
			w.want(w.line, "POST /chat/findContacts/shop", body, 200, contact)
		}
		w.want(w.line, "POST /chat/findContacts/shop", `{"where":{"pushName":"An"}}`, 200, `[]`)
		w.want(w.line, "POST /chat/findContacts/shop", `{"where":{"id":"79990009999@s.whatsapp.net"}}`, 200, `[]`)
	})
}

func TestGetBase64(t *testing.T) {
	w := onSQLite(t)
	w.talk()
	const get = "POST /chat/getBase64FromMediaMessage/shop"
	w.want(w.line, get, `{"message":{"key":{"id":"`+photoID+`"}},"convertToMp4":false}`, 201,
		`{"mediaType":"imageMessage","fileName":"`+photoID+`.jpeg","caption":"hi","size":{"fileLength":"6"},"mimetype":"image/jpeg","base64":"/9j/Y2F0","buffer":null}`)
	w.want(w.line, get, `{"message":{"key":{"id":"NOTHERE"}}}`, 400, badText("Message not found"))
	w.want(w.line, get, `{"message":{"key":{"id":"a/b"}}}`, 400, badText("Message not found"))
	w.want(w.line, get, `{"message":{"key":{"id":"`+hiID+`"}}}`, 400, badText("The message is not of the media type"))
	w.want(w.line, get, `{}`, 400, invalid(`instance requires property "message"`))
	w.want(w.line, get, `{"message":{"key":{}}}`, 400, invalid(`instance.message.key requires property "id"`))
}

func TestReadEditDelete(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.talk()
		key := `{"id":"` + hiID + `","fromMe":false,"remoteJid":"79990001122@s.whatsapp.net"}`
		for _, body := range []string{`{"readMessages":[` + key + `]}`, `{"read_messages":[{"id":"` + hiID + `"}]}`} {
			w.want(w.line, "PUT /chat/markMessageAsRead/shop", body, 201, `{"message":"Read messages","read":"success"}`)
		}
		if chat, err := w.Chat(t.Context(), w.Owner, crm.ChatAddress{Line: onShop, ChatID: annChat}); err != nil || chat.Unread != 0 {
			t.Errorf("afterwards %d are unread, %v", chat.Unread, err)
		}
		w.want(w.line, "POST /chat/markMessageAsRead/shop", `{"readMessages":[{"id":"NOTHERE"}]}`, 500,
			`{"status":500,"error":"Internal Server Error","response":{"message":["Read messages fail","message not found"]}}`)

		own := `{"remoteJid":"79990001122@s.whatsapp.net","fromMe":true,"id":"ID"}`
		edit := func(id, number string) string {
			return `{"number":"` + number + `","key":{"id":"` + id + `","fromMe":true,"remoteJid":"79990001122@s.whatsapp.net"},"text":"Hello!"}`
		}
		status, answer, _ := w.request(w.line, "POST /chat/updateMessage/shop", edit(ownID, "79990001122"))
		want := `{"key":` + own + `,"message":{"protocolMessage":{"key":` + own + `,"type":"MESSAGE_EDIT","editedMessage":{"conversation":"Hello!"}}},"messageTimestamp":"`
		if status != 200 || !strings.HasPrefix(settled(answer), want) || !strings.HasSuffix(answer, `","status":"PENDING"}`) {
			t.Errorf("an edit: %d %s", status, answer)
		}
		w.want(w.line, "PUT /chat/updateMessage/shop", edit("NOTHERE", "79990001122"), 400, badText("Message not found"))
		w.want(w.line, "PUT /chat/updateMessage/shop", edit(hiID, "79990001122"), 400, badText("Message not compatible"))
		w.want(w.line, "PUT /chat/updateMessage/shop", edit(ownID, "79990009999@s.whatsapp.net"), 400, badText("RemoteJid does not match"))
		w.Clock.Advance(16 * time.Minute)
		w.want(w.line, "PUT /chat/updateMessage/shop", edit(ownID, "79990001122"), 400, badText("Message is older than 15 minutes"))

		const del = "DELETE /chat/deleteMessageForEveryone/shop"
		status, answer, _ = w.request(w.line, del, `{"id":"`+ownID+`","fromMe":true,"remoteJid":"79990001122@s.whatsapp.net","participant":""}`)
		want = `{"key":` + own + `,"message":{"protocolMessage":{"key":` + own + `,"type":"REVOKE"}},"messageTimestamp":"`
		if status != 201 || !strings.HasPrefix(settled(answer), want) {
			t.Errorf("a deletion: %d %s", status, answer)
		}
		w.want(w.line, del, `{"id":"NOTHERE","fromMe":true,"remoteJid":"79990001122@s.whatsapp.net"}`, 500,
			`{"status":500,"error":"Internal Server Error","response":{"message":["Error while deleting message for everyone","Message not found"]}}`)
		w.want(w.line, del, `{}`, 400, invalid(`instance requires property "id"`, `instance requires property "fromMe"`, `instance requires property "remoteJid"`))
	})
}

func TestNumbersAndPresence(t *testing.T) {
	w := onSQLite(t)
	w.talk()
	const ask = "POST /chat/whatsappNumbers/shop"
	w.want(w.line, ask, `{"numbers":["+7 999 000-11-22","120363000000000001@g.us","1@lid"]}`, 200,
		`[{"jid":"79990001122@s.whatsapp.net","exists":true,"number":"+7 999 000-11-22","name":"Ann"},{"jid":"120363000000000001@g.us","exists":true,"number":"120363000000000001@g.us"},{"jid":"1@lid","exists":true,"number":"1@lid","lid":"lid"}]`)
	w.want(w.line, ask, `{}`, 400, `{"status":400,"error":"Bad Request","message":["instance requires property \"numbers\""]}`)

	w.want(w.line, "POST /chat/sendPresence/shop", `{"number":"79990001122","presence":"composing","delay":1}`, 201, `{"presence":"composing"}`)
	w.want(w.line, "POST /chat/sendPresence/shop", `{"number":"79990001122","options":{"presence":"paused","delay":1}}`, 201, `{"presence":"paused"}`)
	w.want(w.line, "POST /chat/sendPresence/shop", `{"number":"79990001122","presence":"asleep","delay":1}`, 400,
		invalid("instance.presence is not one of enum values: unavailable,available,composing,recording,paused"))
	w.want(w.line, "POST /chat/fetchProfilePictureUrl/shop", `{"number":"79990001122"}`, 200, `{"wuid":"79990001122@s.whatsapp.net","profilePictureUrl":null}`)
	for _, route := range []string{"PUT /chat/archiveChat/shop", "POST /chat/archiveChat/shop"} { // of a bridge
		w.want(w.line, route, `{"lastMessage":{"key":{"id":"`+hiID+`"}},"archive":true}`, 500, `{"status":500,"error":"Internal Server Error","response":{"message":[{"archived":false,`+
			`"message":["An error occurred while archiving the chat. Open a calling.","lines of this type have no phone that could arrange chats"]}]}}`)
	}
	w.want(w.line, "POST /chat/markChatUnread/shop", `{"chat":"79990001122@s.whatsapp.net"}`, 500,
		`{"status":500,"error":"Internal Server Error","response":{"message":["An error occurred while marking the chat as unread.","lines of this type have no phone that could arrange chats"]}}`)
	w.want(w.line, "PUT /chat/updateBlockStatus/shop", `{"number":"79990001122","status":"block"}`, 500,
		`{"status":500,"error":"Internal Server Error","response":{"message":["Error blocking user","lines of this type have no account that could block people"]}}`)
	w.want(w.line, "POST /chat/updateBlockStatus/shop", `{"number":"79990001122","status":"ban"}`, 400, invalid("instance.status is not one of enum values: block,unblock"))
}
