package evolution

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"go.mau.fi/whatsmeow"

	"chatcast/channels/testwait"
	"chatcast/crm/whatsapp/whatsapptest"
)

// chats changes messages and chats.
func (n *n8n) chats(t *testing.T) {
	shop, me := n.phones.Shop, n.phones.Anna
	in := me.SendText(shop, "Please read")
	n.awaitMessage(in)
	n.gives("chat/read-messages", 201, form{"remoteJid": annaJID, "messageId": in}, `{"message":"Read messages","read":"success"}`)
	if err := me.AwaitReceipt(testwait.Context(t), in, "read"); err != nil {
		t.Error(err)
	}
	for _, chat := range []string{annaJID, anna} {
		for _, archive := range []bool{true, false} {
			n.gives("chat/manage-archive", 201, form{"chat": chat, "messageId": in, "archive": archive}, `{"chatId":"`+annaJID+`","archived":`+map[bool]string{true: "true", false: "false"}[archive]+`}`)
			if _, err := shop.AwaitChange(testwait.Context(t), "archive", annaJID); err != nil {
				t.Error(err)
			}
		}
	}
	n.gives("chat/mark-unread", 201, form{"chat": annaJID, "messageId": in}, `{"chatId":"`+annaJID+`","markedChatUnread":true}`)
	if _, err := shop.AwaitChange(testwait.Context(t), "markChatAsRead", annaJID); err != nil {
		t.Error(err)
	}

	sent := n.sends("messages/send-text", form{"messageText": "Wrogn"}, "conversation", "Wrogn")
	n.like("chat/update-message", 200, form{"remoteJid": annaJID, "messageId": sent.ID, "text": "Right"},
		`"protocolMessage":\{"key":\{"remoteJid":"`+annaJID+`","fromMe":true,"id":"`+sent.ID+`",.*\},"type":"MESSAGE_EDIT","editedMessage":\{"conversation":"Right"\}`)
	if _, err := me.Await(testwait.Context(t), func(r whatsapptest.Received) bool {
		edit := r.Message.GetProtocolMessage()
		return edit.GetKey().GetID() == sent.ID && edit.GetEditedMessage().GetConversation() == "Right"
	}); err != nil {
		t.Error(err)
	}
	n.refused("chat/update-message", 400, form{"remoteJid": annaJID, "messageId": "3EB0NONE", "text": "Right"}, "Message not found")
	n.like("chat/delete-message", 201, form{"remoteJid": anna, "messageId": sent.ID, "fromMe": true},
		`"protocolMessage":\{"key":\{"remoteJid":"`+annaJID+`","fromMe":true,"id":"`+sent.ID+`",.*\},"type":"REVOKE"\}`)
	if _, err := me.Await(testwait.Context(t), func(r whatsapptest.Received) bool {
		return r.Message.GetProtocolMessage().GetKey().GetID() == sent.ID && r.Message.GetProtocolMessage().GetType().String() == "REVOKE"
	}); err != nil {
		t.Error(err)
	}
	n.refused("chat/delete-message", 500, form{"remoteJid": anna, "messageId": in, "participant": anna}, "Error while deleting message for everyone")

	n.gives("chat/send-presence", 201, form{"remoteJid": anna, "presence": "recording", "delay": 50}, `{"presence":"recording"}`)
	if err := me.AwaitTyping(testwait.Context(t), "paused"); err != nil {
		t.Error(err)
	}
	recorded := false
	for _, typing := range me.Typings() {
		recorded = recorded || typing.State == "composing" && typing.Media == "audio"
	}
	if !recorded {
		t.Errorf("Anna saw %v", me.Typings())
	}

	photo := whatsapptest.Photo(64, 48)
	picture := me.Send(shop, n.phones.Upload(photo, whatsmeow.MediaImage).Image("look", "image/jpeg"))
	n.awaitMessage(picture)
	var file struct {
		MediaType, FileName, Caption, Mimetype, Base64 string
		Buffer                                         *string
	}
	(&client{t: t}).eventually("the picture is fetched", func() bool {
		ran := n.run("chat/get-media-base64", form{"messageId": picture})
		return ran.Error == nil
	})
	if err := json.Unmarshal([]byte(n.done("chat/get-media-base64", 201, form{"messageId": picture})), &file); err != nil {
		t.Fatal(err)
	}
	if file.MediaType != "imageMessage" || file.Caption != "look" || file.Mimetype != "image/jpeg" || file.FileName != picture+".jpeg" || file.Base64 != base64.StdEncoding.EncodeToString(photo) || file.Buffer != nil {
		t.Errorf("the file is %.300v", file)
	}
	n.refused("chat/get-media-base64", 400, form{"messageId": in}, "The message is not of the media type")
	n.refused("chat/get-media-base64", 400, form{"messageId": "3EB0NONE"}, "Message not found")
}

// lists reads what is kept.
func (n *n8n) lists(t *testing.T) {
	me := n.phones.Anna
	in := me.SendText(n.phones.Shop, "Find me")
	n.awaitMessage(in)
	sent := n.sends("messages/send-text", form{"messageText": "Found"}, "conversation", "Found")
	me.Read(n.phones.Shop, sent.ID)

	type record struct {
		Key              struct{ ID, RemoteJid string }
		MessageType      string
		MessageTimestamp int64
		PushName         string
		Message          struct{ Conversation string }
	}
	var list struct {
		Messages struct {
			Total, Pages, CurrentPage int
			Records                   []record
		}
	}
	if err := json.Unmarshal([]byte(n.done("chat/find-messages", 200, form{"remoteJid": annaJID, "page": 2, "offset": 1})), &list); err != nil {
		t.Fatal(err)
	}
	m := list.Messages
	if len(m.Records) != 1 || m.Total < 10 || m.Pages != m.Total || m.CurrentPage != 2 || m.Records[0].Key.ID != in || m.Records[0].Message.Conversation != "Find me" ||
		m.Records[0].MessageType != "conversation" || m.Records[0].PushName != "Anna" || m.Records[0].MessageTimestamp == 0 {
		t.Errorf("the second message of Anna is %+v", m)
	}
	read := `^\[\{"id":"` + sent.ID + `","keyId":"` + sent.ID + `","remoteJid":"` + annaJID + `","fromMe":true,"participant":null,"pollUpdates":null,"status":"READ","messageId":"` + sent.ID + `","instanceId":"[0-9a-f-]{36}"\}\]$`
	n.becomes("chat/find-status-messages", form{"remoteJid": anna, "messageId": sent.ID}, read)
	for _, entered := range []form{{"remoteJid": anna}, {"remoteJid": annaJID, "messageId": sent.ID, "page": 1, "offset": 5}} {
		n.like("chat/find-chats", 200, entered, `^\[\{"id":"[^"]+","remoteJid":"`+annaJID+`","pushName":"Anna",.*"windowActive":true,"lastMessage":\{"key":\{"remoteJid":"`+annaJID+`","fromMe":true,"id":"`+sent.ID+`",.*\},.*"unreadCount":\d+,"isSaved":true\}\]$`)
	}
	n.gives("chat/find-chats", 200, form{"remoteJid": "351912000009"}, `[]`)
	n.like("chat/find-contacts", 200, nil, `^\[\{.*"remoteJid":"`+annaJID+`","pushName":"Anna"`)
	n.like("chat/find-contacts", 200, form{"listAll": false, "remoteJid": anna}, `^\[\{"id":"[^"]+","remoteJid":"`+annaJID+`","pushName":"Anna","profilePicUrl":(null|"[^"]*"),[^{]*"isGroup":false,"isSaved":(true|false),"type":"contact"\}\]$`)
}

// people asks about people, and blocks one.
func (n *n8n) people(t *testing.T) {
	me := n.phones.Anna
	me.SetAbout("Hey")
	me.SetPicture(whatsapptest.Photo(64, 64))
	bia := n.phones.NewContact("351912000003", "100200779", "Bia")
	bia.SetBusiness("Bia's")
	bia.DescribeBusiness("Bia's", whatsapptest.Business{Description: "Bread", Email: "bia@example.org", Address: "Street 1", Websites: []string{"https://bia.example"}})

	n.gives("chat/check-number", 200, form{"numbers": anna + ", 351912000009"},
		`[{"jid":"`+annaJID+`","exists":true,"number":"`+anna+`","name":"Anna","lid":"100200301@lid"},{"jid":"351912000009@s.whatsapp.net","exists":false,"number":"351912000009"}]`)
	n.like("chat/fetch-profile-picture", 200, form{"number": anna}, `^\{"wuid":"`+annaJID+`","profilePictureUrl":"http[^"]+"\}$`)
	n.like("profile/fetch-profile", 200, form{"remoteJid": anna}, `^\{"wuid":"`+annaJID+`","name":"Anna","numberExists":true,"picture":"http[^"]+","status":\{"status":"Hey".*\},"isBusiness":false,"email":null,"description":null,"website":null\}$`)
	n.refused("profile/fetch-profile", 400, form{"remoteJid": "351912000009"}, `"exists":false`)
	n.gives("profile/fetch-business-profile", 200, form{"remoteJid": anna}, `{"isBusiness":false,"message":"Not is business profile","jid":"`+annaJID+`","exists":true,"number":"`+annaJID+`"}`)
	n.like("profile/fetch-business-profile", 200, form{"remoteJid": "351912000003@s.whatsapp.net"}, `^\{"isBusiness":true,"wid":"351912000003@s.whatsapp.net","description":"Bread","email":"bia@example.org","website":\["https://bia.example"\]`)
	for _, status := range []string{"block", "unblock"} {
		n.gives("chat/block-contact", 201, form{"remoteJid": anna, "status": status}, `{"block":"success"}`)
		if blocked := n.phones.Shop.Blocks(me); blocked != (status == "block") {
			t.Errorf("after %s: %v", status, blocked)
		}
	}
}

// profile changes the account's own profile.
func (n *n8n) profile(t *testing.T) {
	shop := n.phones.Shop
	done := `{"update":"success"}`
	n.gives("profile/update-profile-name", 200, form{"name": "The Shop"}, done)
	if _, err := shop.AwaitChange(testwait.Context(t), "setting_pushName"); err != nil {
		t.Error(err)
	}
	n.gives("profile/update-profile-status", 200, form{"status": "Open"}, done)
	if got := shop.About(); got != "Open" {
		t.Errorf("the text is %q", got)
	}
	photo := whatsapptest.Photo(640, 640)
	n.gives("profile/update-profile-picture", 200, form{"picture": base64.StdEncoding.EncodeToString(photo)}, done)
	if got := n.phones.Picture(shop.Number()); len(got) == 0 {
		t.Error("there is no picture")
	}
	n.gives("profile/remove-profile-picture", 200, nil, done)
	if got := n.phones.Picture(shop.Number()); len(got) != 0 {
		t.Errorf("there is a picture of %d bytes", len(got))
	}
	n.like("profile/fetch-privacy-settings", 200, nil, `^\{"readreceipts":"\w+","profile":"\w+","status":"\w+","online":"\w+","last":"\w+","groupadd":"\w+"\}$`)
	const six = `{"readreceipts":"none","profile":"contacts","status":"none","online":"match_last_seen","last":"none","groupadd":"contacts"}`
	var entered form
	if err := json.Unmarshal([]byte(six), &entered); err != nil {
		t.Fatal(err)
	}
	n.gives("profile/update-privacy-settings", 201, entered, `{"update":"success","data":`+six+`}`)
	n.gives("profile/fetch-privacy-settings", 200, nil, six)
	if got := shop.Privacy("last"); got != "none" {
		t.Errorf("who sees the last visit: %s", got)
	}
	// The form's own values are back.
	n.like("profile/update-privacy-settings", 201, nil, `"readreceipts":"all","profile":"all","status":"contacts","online":"all","last":"contacts","groupadd":"all"`)
}

// groups makes a group and changes it.
func (n *n8n) groups(t *testing.T) {
	bia := n.phones.NewContact("351912000004", "100200780", "Bia")
	var made struct {
		ID, Subject, Desc string
		Size              int
		Participants      []struct {
			ID    string
			Admin *string
		}
	}
	if err := json.Unmarshal([]byte(n.done("groups/create-group", 201, form{"subject": "Team", "description": "We", "participants": anna + ", 351912000004"})), &made); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(made.ID, "@g.us") || made.Subject != "Team" || made.Desc != "We" || made.Size != 3 || len(made.Participants) != 3 {
		t.Fatalf("the group is %+v", made)
	}
	group := n.phones.Group(jid(t, made.ID))
	at := func(entered form) form {
		if entered == nil {
			entered = form{}
		}
		entered["groupJid"] = made.ID
		return entered
	}
	done := `{"update":"success"}`
	n.gives("groups/update-group-name", 201, at(form{"subject": "Crew"}), done)
	if group.Name() != "Crew" {
		t.Errorf("it is called %s", group.Name())
	}
	n.gives("groups/update-group-description", 201, at(form{"description": "All of us"}), done)
	n.gives("groups/update-group-picture", 201, at(form{"image": base64.StdEncoding.EncodeToString(whatsapptest.Photo(640, 640))}), done)
	if got := n.phones.Picture(group.JID()); len(got) == 0 {
		t.Error("the group has no picture")
	}
	for _, action := range []string{"announcement", "not_announcement", "locked", "unlocked"} {
		n.gives("groups/update-settings", 201, at(form{"action": action}), `{"updateSetting":"`+action+`"}`)
	}
	n.gives("groups/toggle-ephemeral", 201, at(form{"expiration": 86400}), `{"success":true}`)
	for _, change := range []struct{ action, rank string }{{"promote", "admin"}, {"demote", ""}, {"remove", ""}, {"add", ""}} {
		n.gives("groups/update-participants", 201, at(form{"action": change.action, "participants": "351912000004"}),
			`{"updateParticipants":[{"status":"200","jid":"351912000004@s.whatsapp.net","content":{}}]}`)
		if got := group.Rank(bia); change.rank != "" && got != change.rank {
			t.Errorf("after %s she is %q", change.action, got)
		}
	}
	n.like("groups/find-participants", 200, at(nil), `"id":"`+annaJID+`","lid":"100200301@lid","admin":null,"name":"Anna","imgUrl":null,"phoneNumber":"`+annaJID+`"`)
	const found = `"subject":"Crew",.*"desc":"All of us",.*"restrict":false,"announce":false`
	n.like("groups/fetch-groups/groupJid", 200, at(nil), `^\{"id":"`+made.ID+`",`+found+`,"participants":\[\{.*\{.*\{`)
	n.like("groups/fetch-groups/fetchAll", 200, form{"getParticipants": true}, `^\[\{"id":"`+made.ID+`",`+found+`,"participants":\[\{`)
	if got := n.like("groups/fetch-groups/fetchAll", 200, nil, `^\[\{"id":"`+made.ID+`",`+found); strings.Contains(got, `"participants"`) {
		t.Errorf("without members: %s", got)
	}
	n.gives("groups/fetch-invite-code", 200, at(nil), `{"inviteUrl":"https://chat.whatsapp.com/`+group.Invite()+`","inviteCode":"`+group.Invite()+`"}`)
	before := group.Invite()
	n.like("groups/revoke-invite-code", 201, at(nil), `^\{"revoked":true,"inviteCode":"[A-Za-z0-9]{22}"\}$`)
	if group.Invite() == before {
		t.Error("the code is the same")
	}
	link := "https://chat.whatsapp.com/" + group.Invite()
	n.gives("groups/send-invite-link", 200, at(form{"numbers": anna + ", 351912000004"}), `{"send":true,"inviteUrl":"`+link+`"}`)
	for _, who := range []*whatsapptest.Contact{n.phones.Anna, bia} {
		if _, err := who.AwaitText(testwait.Context(t), "Segue o link do grupo\n\n"+link); err != nil {
			t.Error(err)
		}
	}
	n.like("groups/fetch-groups/inviteCode", 200, form{"inviteCode": group.Invite()}, `^\{"id":"`+made.ID+`","subject":"Crew",.*"size":3,`)
	text := n.done("messages/send-text", 201, form{"remoteJid": made.ID, "messageText": "Hello all", "options_message": form{"mentions": form{"mentionsSettings": form{"mentionsEveryOne": true}}}})
	if !strings.Contains(text, `"remoteJid":"`+made.ID+`"`) {
		t.Errorf("a message to the group gives %s", text)
	}
	got, err := bia.AwaitText(testwait.Context(t), "Hello all")
	if err != nil || len(got.Message.GetExtendedTextMessage().GetContextInfo().GetMentionedJID()) < 2 {
		t.Errorf("%v arrived, %v", got.Message, err)
	}
	n.gives("groups/leave-group", 200, at(nil), `{"groupJid":"`+made.ID+`","leave":true}`)
	if group.Members() != 2 {
		t.Errorf("%d are in the group", group.Members())
	}
	n.refused("groups/fetch-groups/groupJid", 404, form{"groupJid": "120363999@g.us"}, "Error fetching group")
}

// joining joins a group of somebody else by its link.
func (n *n8n) joining(t *testing.T) {
	group := n.phones.NewGroup("Street", false, n.phones.Anna)
	n.gives("groups/join-group", 200, form{"inviteCode": group.Invite()}, `{"accepted":true,"groupJid":"`+group.JID().String()+`"}`)
	if group.Members() != 2 {
		t.Errorf("%d are in the group", group.Members())
	}
	n.refused("groups/join-group", 404, form{"inviteCode": "F1EX5QZxO181L3TMVP31gY"}, "Accept invite error")
}
