package shape_test

import (
	"testing"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"chatcast/crm"
)

const answered = "3EB0A1B2C3D4E5F6071829" // a message of Ann's chat, which others answer

var jpeg = []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00")

func quotes(more ...func(*waE2E.ContextInfo)) *waE2E.ContextInfo {
	x := &waE2E.ContextInfo{
		StanzaID: proto.String(answered), Participant: proto.String("79990001122@s.whatsapp.net"),
		QuotedMessage: &waE2E.Message{Conversation: proto.String("Hi")},
	}
	for _, f := range more {
		f(x)
	}
	return x
}

// kinds are messages of every kind, as WhatsApp has them.
var kinds = []struct {
	name string
	m    from
}{
	{"text", annWrites("3A6C1F0E2B4D5A7C9E10", &waE2E.Message{Conversation: proto.String("Hello <b>&\u2028\"Ann\"")})},
	{"text.quote", annWrites("3A6C1F0E2B4D5A7C9E11", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: proto.String("Yes"), ContextInfo: quotes()}})},
	{"text.mention", from{id: "3A6C1F0E2B4D5A7C9E12", chat: team, who: crm.InboundUser{ID: id(bob), Name: "Bob"},
		said:     &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("@79990001122 @555666777888 look")}},
		mentions: []crm.Mention{{ID: id(ann), LID: ptr(annLID)}, {ID: id(hidden)}}}},
	{"text.forwarded", annWrites("3A6C1F0E2B4D5A7C9E13", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: proto.String("Pass it on"), ContextInfo: &waE2E.ContextInfo{IsForwarded: proto.Bool(true), ForwardingScore: proto.Uint32(3)}}})},
	{"text.disappearing", annWrites("3A6C1F0E2B4D5A7C9E14", &waE2E.Message{EphemeralMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("For a day"), ContextInfo: &waE2E.ContextInfo{Expiration: proto.Uint32(86400)}}}}})},
	{"text.ad", annWrites("3A6C1F0E2B4D5A7C9E15", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: proto.String("I saw this"), ContextInfo: &waE2E.ContextInfo{
			ConversionSource: proto.String("FB_Ads"), EntryPointConversionSource: proto.String("ctwa_ad"),
			ExternalAdReply: &waE2E.ContextInfo_ExternalAdReplyInfo{
				SourceType: proto.String("ad"), SourceID: proto.String("120"), SourceURL: proto.String("https://fb.me/x"), CtwaClid: proto.String("clid"),
				Title: proto.String("Offer"), Body: proto.String("Ten per cent"), MediaType: waE2E.ContextInfo_ExternalAdReplyInfo_IMAGE.Enum(),
				ThumbnailURL: proto.String("https://example.com/t.jpg")}}}})},
	{"image", annWrites("3A6C1F0E2B4D5A7C9E16", &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
		Caption: proto.String("order 7"), Mimetype: proto.String("image/jpeg"), FileLength: proto.Uint64(48211), Height: proto.Uint32(640), Width: proto.Uint32(480),
		JPEGThumbnail: jpeg, URL: proto.String("https://mmg.whatsapp.net/v/1"), DirectPath: proto.String("/v/1"), MediaKey: []byte("key"), ContextInfo: quotes()}})},
	{"image.viewOnce", once(annWrites("3A6C1F0E2B4D5A7C9E17", &waE2E.Message{ViewOnceMessageV2: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		ImageMessage: &waE2E.ImageMessage{Mimetype: proto.String("image/png"), ViewOnce: proto.Bool(true)}}}}))},
	{"video", annWrites("3A6C1F0E2B4D5A7C9E18", &waE2E.Message{VideoMessage: &waE2E.VideoMessage{
		Caption: proto.String("Film"), Mimetype: proto.String("video/mp4"), Seconds: proto.Uint32(7), Height: proto.Uint32(720), Width: proto.Uint32(1280), JPEGThumbnail: jpeg}})},
	{"video.gif", annWrites("3A6C1F0E2B4D5A7C9E19", &waE2E.Message{VideoMessage: &waE2E.VideoMessage{Mimetype: proto.String("video/mp4"), GifPlayback: proto.Bool(true)}})},
	{"video.round", annWrites("3A6C1F0E2B4D5A7C9E1A", &waE2E.Message{PtvMessage: &waE2E.VideoMessage{Mimetype: proto.String("video/mp4"), Seconds: proto.Uint32(3)}})},
	{"audio", annWrites("3A6C1F0E2B4D5A7C9E1B", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{Mimetype: proto.String("audio/mpeg"), Seconds: proto.Uint32(180)}})},
	{"voice", annWrites("3A6C1F0E2B4D5A7C9E1C", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{
		Mimetype: proto.String("audio/ogg; codecs=opus"), PTT: proto.Bool(true), Seconds: proto.Uint32(7), Waveform: []byte{0, 10, 99, 10}}})},
	{"document", annWrites("3A6C1F0E2B4D5A7C9E1D", &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{
		FileName: proto.String("a.pdf"), Title: proto.String("Contract"), Mimetype: proto.String("application/pdf"), PageCount: proto.Uint32(3), FileLength: proto.Uint64(9)}})},
	{"document.caption", annWrites("3A6C1F0E2B4D5A7C9E1E", &waE2E.Message{DocumentWithCaptionMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		DocumentMessage: &waE2E.DocumentMessage{FileName: proto.String("list.csv"), Caption: proto.String("For you"), Mimetype: proto.String("text/csv")}}}})},
	{"sticker", annWrites("3A6C1F0E2B4D5A7C9E1F", &waE2E.Message{StickerMessage: &waE2E.StickerMessage{
		Mimetype: proto.String("image/webp"), IsAnimated: proto.Bool(true), Height: proto.Uint32(512), Width: proto.Uint32(512)}})},
	{"location", annWrites("3A6C1F0E2B4D5A7C9E20", &waE2E.Message{LocationMessage: &waE2E.LocationMessage{
		DegreesLatitude: proto.Float64(38.7), DegreesLongitude: proto.Float64(-9.1), Name: proto.String("Lisbon"), Address: proto.String("Praça")}})},
	{"location.live", annWrites("3A6C1F0E2B4D5A7C9E21", &waE2E.Message{LiveLocationMessage: &waE2E.LiveLocationMessage{
		DegreesLatitude: proto.Float64(38.7), DegreesLongitude: proto.Float64(-9.1), AccuracyInMeters: proto.Uint32(12), SpeedInMps: proto.Float32(1.5),
		SequenceNumber: proto.Int64(1), Caption: proto.String("On my way")}})},
	{"contact", annWrites("3A6C1F0E2B4D5A7C9E22", &waE2E.Message{ContactMessage: &waE2E.ContactMessage{
		DisplayName: proto.String("Bob"), Vcard: proto.String("BEGIN:VCARD\nVERSION:3.0\nFN:Bob\nEMAIL:bob@example.com\nitem1.TEL;waid=79990003344:+7 999 000-33-44\nEND:VCARD")}})},
	{"contacts", annWrites("3A6C1F0E2B4D5A7C9E23", &waE2E.Message{ContactsArrayMessage: &waE2E.ContactsArrayMessage{Contacts: []*waE2E.ContactMessage{
		{DisplayName: proto.String("Bob"), Vcard: proto.String("BEGIN:VCARD\nVERSION:3.0\nFN:Bob\nTEL;waid=79990003344:+79990003344\nEND:VCARD")},
		{DisplayName: proto.String("Ann; the baker")}}}})},
	{"poll", annWrites("3A6C1F0E2B4D5A7C9E24", &waE2E.Message{PollCreationMessageV3: poll("Colour?", 1, "Red", "Blue")})},
	{"poll.several", annWrites("3A6C1F0E2B4D5A7C9E25", &waE2E.Message{PollCreationMessage: poll("Colours?", 0, "Red", "Blue")})},
	{"poll.vote", voting(annWrites("3A6C1F0E2B4D5A7C9E26", &waE2E.Message{PollUpdateMessage: &waE2E.PollUpdateMessage{
		PollCreationMessageKey: &waCommon.MessageKey{ID: proto.String("3A6C1F0E2B4D5A7C9E24")}}}), "Red")},
	{"reaction", annWrites("3A6C1F0E2B4D5A7C9E27", reaction(answered, "👍"))},
	{"reaction.removed", annWrites("3A6C1F0E2B4D5A7C9E28", reaction(answered, ""))},
	{"reaction.group", from{id: "3A6C1F0E2B4D5A7C9E29", chat: team, who: crm.InboundUser{ID: id(ann), Name: "Ann", LID: ptr(annLID)}, said: reaction("3A6C1F0E2B4D5A7C9E12", "👍")}},
	{"reply.list", annWrites("3A6C1F0E2B4D5A7C9E2A", &waE2E.Message{ListResponseMessage: &waE2E.ListResponseMessage{
		Title: proto.String("Large"), SingleSelectReply: &waE2E.ListResponseMessage_SingleSelectReply{SelectedRowID: proto.String("row-l")}}})},
	{"reply.button", annWrites("3A6C1F0E2B4D5A7C9E2B", &waE2E.Message{ButtonsResponseMessage: &waE2E.ButtonsResponseMessage{
		SelectedButtonID: proto.String("b1"), Response: &waE2E.ButtonsResponseMessage_SelectedDisplayText{SelectedDisplayText: "Yes, please"}, ContextInfo: quotes()}})},
	{"reply.template", annWrites("3A6C1F0E2B4D5A7C9E2C", &waE2E.Message{TemplateButtonReplyMessage: &waE2E.TemplateButtonReplyMessage{
		SelectedID: proto.String("t1"), SelectedDisplayText: proto.String("Call me")}})},
	{"invite", annWrites("3A6C1F0E2B4D5A7C9E2D", &waE2E.Message{GroupInviteMessage: &waE2E.GroupInviteMessage{
		GroupJID: proto.String(team), InviteCode: proto.String("AbCdEfGhIjKlMnOpQrStUv"), InviteExpiration: proto.Int64(1772400000), GroupName: proto.String("Team"), Caption: proto.String("Come in")}})},
	{"interactive", annWrites("3A6C1F0E2B4D5A7C9E2E", &waE2E.Message{ButtonsMessage: &waE2E.ButtonsMessage{
		ContentText: proto.String("Shall we call?"), Buttons: []*waE2E.ButtonsMessage_Button{{ButtonText: &waE2E.ButtonsMessage_Button_ButtonText{DisplayText: proto.String("Yes")}}}}})},
	{"unknown", annWrites("3A6C1F0E2B4D5A7C9E2F", &waE2E.Message{RequestPaymentMessage: &waE2E.RequestPaymentMessage{
		CurrencyCodeIso4217: proto.String("BRL"), Amount1000: proto.Uint64(12000), ExpiryTimestamp: proto.Int64(1772400000), RequestFrom: proto.String("79990001122@s.whatsapp.net"),
		NoteMessage: &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("Lunch"), JPEGThumbnail: jpeg}}}})},
	{"hidden", from{id: "3A6C1F0E2B4D5A7C9E30", chat: hidden, who: crm.InboundUser{ID: id(hidden), Name: "Nobody knows"}, said: &waE2E.Message{Conversation: proto.String("Hello")}}},
	{"phone", from{id: "3EB0C2D4E6F8091A2B3C4D", chat: ann, mine: true, who: crm.InboundUser{ID: id(account + "@c.us"), Name: "Our phone"}, said: &waE2E.Message{Conversation: proto.String("From the phone")}}},
	{"phone.group", from{id: "3EB0C2D4E6F8091A2B3C4E", chat: team, mine: true, who: crm.InboundUser{ID: id(account + "@c.us"), Name: "Our phone"}, said: &waE2E.Message{Conversation: proto.String("From the phone")}}},
	{"addressing.number", from{id: "3A6C1F0E2B4D5A7C9E32", chat: ann, who: crm.InboundUser{ID: id(ann), Name: "Ann", LID: ptr(annLID)}, mode: crm.AddressingPhone, said: &waE2E.Message{Conversation: proto.String("By number")}}},
	{"addressing.hidden", from{id: "3A6C1F0E2B4D5A7C9E33", chat: team, who: crm.InboundUser{ID: id(ann), Name: "Ann", LID: ptr(annLID)}, mode: crm.AddressingHidden, said: &waE2E.Message{Conversation: proto.String("By hidden id")}}},
	{"poll.two", annWrites("3A6C1F0E2B4D5A7C9E30", &waE2E.Message{PollCreationMessage: poll("Two colours?", 2, "Red", "Blue", "Green")})},
	{"reply.flow", annWrites("3A6C1F0E2B4D5A7C9E31", &waE2E.Message{InteractiveResponseMessage: &waE2E.InteractiveResponseMessage{
		Body: &waE2E.InteractiveResponseMessage_Body{Text: proto.String("Monday")}, InteractiveResponseMessage: &waE2E.InteractiveResponseMessage_NativeFlowResponseMessage_{
			NativeFlowResponseMessage: &waE2E.InteractiveResponseMessage_NativeFlowResponseMessage{Name: proto.String("quick_reply"), ParamsJSON: proto.String(`{"id":"day-1"}`)}}}})},
}

func once(m from) from {
	m.once = true
	return m
}

func voting(m from, options ...string) from {
	m.vote = options
	return m
}

func poll(question string, most uint32, options ...string) *waE2E.PollCreationMessage {
	p := &waE2E.PollCreationMessage{Name: &question, SelectableOptionsCount: &most}
	for _, o := range options {
		p.Options = append(p.Options, &waE2E.PollCreationMessage_Option{OptionName: &o})
	}
	return p
}

func reaction(to, emoji string) *waE2E.Message {
	return &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Key: &waCommon.MessageKey{ID: &to}, Text: &emoji}}
}

// TestContentKinds compares each kind of message in each shape with its golden file.
func TestContentKinds(t *testing.T) {
	sqlite(t, func(w *world) {
		w.connect()
		w.arrive(annWrites(answered, &waE2E.Message{Conversation: proto.String("Hi")}))
		w.golden("content/first")
		for _, kind := range kinds {
			w.arrive(kind.m)
			w.golden("content/" + kind.name)
		}
	})
}
