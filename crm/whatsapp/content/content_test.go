package content

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm"
)

var update = flag.Bool("update", false, "write the golden files anew")

func str(s string) *string { return proto.String(s) }

// contents holds one message of every kind and the type and subtype that it must become.
// An empty want means that the message has no content for people.
var contents = []struct {
	name, want string
	message    *waE2E.Message
}{
	{"text", "text", &waE2E.Message{Conversation: str("Hello")}},
	{"text with a link's preview", "text", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: str("See https://example.com"), Title: str("Example"), ContextInfo: quoting}}},
	{"forwarded text", "text", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: str("Pass it on"), ContextInfo: &waE2E.ContextInfo{IsForwarded: proto.Bool(true), ForwardingScore: proto.Uint32(3)}}}},
	{"text from an advertisement", "text", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: str("I saw this"), ContextInfo: &waE2E.ContextInfo{
			Utm: &waE2E.ContextInfo_UTMInfo{UtmSource: str("newsletter"), UtmCampaign: str("may")},
			ExternalAdReply: &waE2E.ContextInfo_ExternalAdReplyInfo{
				SourceType: str("ad"), SourceID: str("120"), SourceURL: str("https://fb.me/x"), CtwaClid: str("clid"), Title: str("Offer")}}}}},
	{"text of spaces", "unknown/blank", &waE2E.Message{Conversation: str(" \n")}},
	{"image", "image", &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
		Caption: str("Look"), Mimetype: str("image/jpeg"), FileLength: proto.Uint64(1234), URL: str("https://mmg.whatsapp.net/v/1"),
		DirectPath: str("/v/1"), MediaKey: []byte("key"), FileSHA256: []byte("plain"), FileEncSHA256: []byte("sealed"), ContextInfo: quoting}}},
	{"text from other ways to advertise", "text", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: str("Hello, I am interested"), ContextInfo: &waE2E.ContextInfo{
			ConversionSource: str("FB_Ads"), EntryPointConversionSource: str("ctwa_ad"), EntryPointConversionApp: str("instagram"),
			EntryPointConversionExternalSource: str("google"), EntryPointConversionExternalMedium: str("cpc"),
			CtwaSignals: str("s1"), SmbClientCampaignID: str("c7"), SmbServerCampaignID: str("s7"),
			QuotedAd: &waE2E.ContextInfo_AdReplyInfo{AdvertiserName: str("Bakery"), Caption: str("Fresh bread")},
			ExternalAdReply: &waE2E.ContextInfo_ExternalAdReplyInfo{
				SourceURL: str("https://fb.me/y"), Title: str("Bread"), Body: str("Every morning"), MediaURL: str("https://example.com/a.mp4"),
				Ref: str("r1"), SourceApp: str("instagram"), CtaPayload: str("p"), WtwaWebsiteURL: str("https://example.com"), AdType: waE2E.ContextInfo_ExternalAdReplyInfo_CAWC.Enum()}}}}},
	{"text with the large preview of a link", "text", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: str("https://example.com"), ContextInfo: &waE2E.ContextInfo{ExternalAdReply: &waE2E.ContextInfo_ExternalAdReplyInfo{
			Title: str("Example"), SourceURL: str("https://example.com")}}}}},
	{"view-once image", "image", &waE2E.Message{ViewOnceMessageV2: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		ImageMessage: &waE2E.ImageMessage{Mimetype: str("image/png"), ViewOnce: proto.Bool(true)}}}}},
	{"video", "video", &waE2E.Message{VideoMessage: &waE2E.VideoMessage{Caption: str("Film"), Mimetype: str("video/mp4")}}},
	{"gif", "video/gif", &waE2E.Message{VideoMessage: &waE2E.VideoMessage{Mimetype: str("video/mp4"), GifPlayback: proto.Bool(true)}}},
	{"round video", "video/videoNote", &waE2E.Message{PtvMessage: &waE2E.VideoMessage{Mimetype: str("video/mp4")}}},
	{"audio", "audio", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{Mimetype: str("audio/mpeg")}}},
	{"voice", "voice", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{Mimetype: str("audio/ogg; codecs=opus"), PTT: proto.Bool(true)}}},
	{"document", "document", &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{
		FileName: str("Contract.pdf"), Title: str("Contract"), Mimetype: str("application/pdf")}}},
	{"document with a caption", "document", &waE2E.Message{DocumentWithCaptionMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		DocumentMessage: &waE2E.DocumentMessage{Title: str("List"), Caption: str("For you"), Mimetype: str("text/csv")}}}}},
	{"sticker", "sticker", &waE2E.Message{StickerMessage: &waE2E.StickerMessage{Mimetype: str("image/webp")}}},
	{"animated sticker", "sticker", &waE2E.Message{LottieStickerMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		StickerMessage: &waE2E.StickerMessage{Mimetype: str("application/was")}}}}},
	{"picture of an album", "image", &waE2E.Message{AssociatedChildMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		ImageMessage: &waE2E.ImageMessage{Mimetype: str("image/jpeg")}}}}},
	{"album", "", &waE2E.Message{AlbumMessage: &waE2E.AlbumMessage{ExpectedImageCount: proto.Uint32(3)}}},
	{"location", "location", &waE2E.Message{LocationMessage: &waE2E.LocationMessage{
		DegreesLatitude: proto.Float64(52.52), DegreesLongitude: proto.Float64(13.405), Name: str("Berlin"), Address: str("Alexanderplatz")}}},
	{"live location", "location/liveLocation", &waE2E.Message{LiveLocationMessage: &waE2E.LiveLocationMessage{
		DegreesLatitude: proto.Float64(-91), DegreesLongitude: proto.Float64(13), Caption: str("On my way")}}},
	{"contact", "contact", &waE2E.Message{ContactMessage: card("Ann", "Ann", "+49 30 1234567", "49301234567")}},
	{"contacts", "contact", &waE2E.Message{ContactsArrayMessage: &waE2E.ContactsArrayMessage{Contacts: []*waE2E.ContactMessage{
		card("", "Ann", "+49 30 1234567", ""), card("Bob", "", "", "")}}}},
	{"no contacts", "unknown/contactsArrayMessage", &waE2E.Message{ContactsArrayMessage: &waE2E.ContactsArrayMessage{}}},
	{"poll", "poll", &waE2E.Message{PollCreationMessage: poll("Tea?", 1, "yes", "no")}},
	{"poll with several answers", "poll", &waE2E.Message{PollCreationMessageV3: poll("Which?", 0, "a", "b", "b", "c")}},
	{"poll with two answers", "poll", &waE2E.Message{PollCreationMessage: poll("Which two?", 2, "a", "b", "c")}},
	{"poll with more answers than options", "poll", &waE2E.Message{PollCreationMessage: poll("Which?", 3, "a", "b", "b")}},
	{"poll in an envelope", "poll", &waE2E.Message{PollCreationMessageV4: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		PollCreationMessageV5: poll("When?", 1, "now", "later")}}}},
	{"poll without answers", "unknown/poll", &waE2E.Message{PollCreationMessageV2: poll("Why?", 1)}},
	{"vote", "poll/pollVote", &waE2E.Message{PollUpdateMessage: &waE2E.PollUpdateMessage{PollCreationMessageKey: key("POLL")}}},
	{"reaction", "reaction", &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Key: key("M1"), Text: str("👍")}}},
	{"reaction taken off", "reaction", &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Key: key("M1"), Text: str("")}}},
	{"button chosen", "text/buttonReply", &waE2E.Message{ButtonsResponseMessage: &waE2E.ButtonsResponseMessage{
		SelectedButtonID: str("b1"), Response: &waE2E.ButtonsResponseMessage_SelectedDisplayText{SelectedDisplayText: "Yes, please"}, ContextInfo: quoting}}},
	{"row of a list chosen", "text/listReply", &waE2E.Message{ListResponseMessage: &waE2E.ListResponseMessage{
		Title: str("Large"), SingleSelectReply: &waE2E.ListResponseMessage_SingleSelectReply{SelectedRowID: str("l")}}}},
	{"template's button chosen", "text/templateReply", &waE2E.Message{TemplateButtonReplyMessage: &waE2E.TemplateButtonReplyMessage{
		SelectedID: str("t1")}}},
	{"interactive reply", "text/interactiveReply", &waE2E.Message{InteractiveResponseMessage: &waE2E.InteractiveResponseMessage{
		Body: &waE2E.InteractiveResponseMessage_Body{Text: str("Monday")}}}},
	{"button of a flow", "text/interactiveReply", &waE2E.Message{InteractiveResponseMessage: &waE2E.InteractiveResponseMessage{
		Body: &waE2E.InteractiveResponseMessage_Body{Text: str("Monday")}, InteractiveResponseMessage: flow("quick_reply", `{"id":"day-1","title":"Monday"}`)}}},
	{"flow of another form", "text/interactiveReply", &waE2E.Message{InteractiveResponseMessage: &waE2E.InteractiveResponseMessage{
		Body: &waE2E.InteractiveResponseMessage_Body{Text: str("Sent")}, InteractiveResponseMessage: flow("galaxy_message", `{"id":7,"flow_token":"x"}`)}}},
	{"buttons", "text/interactive", &waE2E.Message{ButtonsMessage: &waE2E.ButtonsMessage{
		ContentText: str("Shall we call?"), FooterText: str("Your shop"), Buttons: []*waE2E.ButtonsMessage_Button{
			{ButtonText: &waE2E.ButtonsMessage_Button_ButtonText{DisplayText: str("Yes")}},
			{ButtonText: &waE2E.ButtonsMessage_Button_ButtonText{DisplayText: str("No")}}}}}},
	{"list", "text/interactive", &waE2E.Message{ListMessage: &waE2E.ListMessage{Title: str("Sizes"), Description: str("Choose"),
		Sections: []*waE2E.ListMessage_Section{{Rows: []*waE2E.ListMessage_Row{{Title: str("Small")}, {Title: str("Large")}}}}}}},
	{"template", "text/interactive", &waE2E.Message{TemplateMessage: &waE2E.TemplateMessage{
		HydratedTemplate: &waE2E.TemplateMessage_HydratedFourRowTemplate{HydratedContentText: str("Your parcel is here")}}}},
	{"native flow", "text/interactive", &waE2E.Message{InteractiveMessage: &waE2E.InteractiveMessage{
		Body: &waE2E.InteractiveMessage_Body{Text: str("Pay here")}}}},
	{"buttons without a text", "unknown/interactive", &waE2E.Message{ButtonsMessage: &waE2E.ButtonsMessage{}}},
	{"group invitation", "text/groupInvite", &waE2E.Message{GroupInviteMessage: &waE2E.GroupInviteMessage{
		GroupName: str("Neighbours"), InviteCode: str("Abc"), Caption: str("Come in")}}},
	{"order", "text/order", &waE2E.Message{OrderMessage: &waE2E.OrderMessage{OrderTitle: str("Order 7"), Message: str("Two cups")}}},
	{"product", "text/product", &waE2E.Message{ProductMessage: &waE2E.ProductMessage{
		Product: &waE2E.ProductMessage_ProductSnapshot{Title: str("Cup"), Description: str("Blue")}}}},
	{"event", "text/event", &waE2E.Message{EventMessage: &waE2E.EventMessage{Name: str("Party"), Description: str("On Friday")}}},
	{"comment", "text/comment", &waE2E.Message{CommentMessage: &waE2E.CommentMessage{
		Message: &waE2E.Message{Conversation: str("Agreed")}, TargetMessageKey: key("M1")}}},
	{"ephemeral text", "text", &waE2E.Message{EphemeralMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: str("For a day"), ContextInfo: &waE2E.ContextInfo{Expiration: proto.Uint32(86400)}}}}}},
	{"text that another device of ours sent", "text", &waE2E.Message{DeviceSentMessage: &waE2E.DeviceSentMessage{
		DestinationJID: str("79990001122@s.whatsapp.net"), Message: &waE2E.Message{Conversation: str("From the phone")}}}},
	{"group's key with a text", "text", &waE2E.Message{
		SenderKeyDistributionMessage: &waE2E.SenderKeyDistributionMessage{GroupID: str("1@g.us")}, Conversation: str("Hi all")}},
	{"group's key alone", "", &waE2E.Message{SenderKeyDistributionMessage: &waE2E.SenderKeyDistributionMessage{GroupID: str("1@g.us")}}},
	{"protocol message", "", &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{}}},
	{"pinned message", "", &waE2E.Message{PinInChatMessage: &waE2E.PinInChatMessage{Key: key("M1"), Type: waE2E.PinInChatMessage_PIN_FOR_ALL.Enum()}}},
	{"kept message", "", &waE2E.Message{KeepInChatMessage: &waE2E.KeepInChatMessage{Key: key("M1"), KeepType: waE2E.KeepType_KEEP_FOR_ALL.Enum()}}},
	{"nothing", "", &waE2E.Message{}},
	{"payment", "unknown/sendPaymentMessage", &waE2E.Message{SendPaymentMessage: &waE2E.SendPaymentMessage{}}},
	{"message for the phone alone", "unknown/placeholderMessage", &waE2E.Message{PlaceholderMessage: &waE2E.PlaceholderMessage{}}},
	{"kind of the future", "unknown/field999", future()},
}

var quoting = &waE2E.ContextInfo{StanzaID: str("M0"), Participant: str("79990001122@s.whatsapp.net")}

func key(id string) *waCommon.MessageKey { return &waCommon.MessageKey{ID: str(id)} }

func card(display, name, phone, waid string) *waE2E.ContactMessage {
	if waid != "" {
		waid = ";waid=" + waid
	}
	return &waE2E.ContactMessage{DisplayName: str(display),
		Vcard: str("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:" + name + "\r\nitem1.TEL;type=CELL" + waid + ":" + phone + "\r\nEND:VCARD")}
}

func flow(name, parameters string) *waE2E.InteractiveResponseMessage_NativeFlowResponseMessage_ {
	return &waE2E.InteractiveResponseMessage_NativeFlowResponseMessage_{
		NativeFlowResponseMessage: &waE2E.InteractiveResponseMessage_NativeFlowResponseMessage{Name: &name, ParamsJSON: &parameters},
	}
}

func poll(question string, most uint32, options ...string) *waE2E.PollCreationMessage {
	p := &waE2E.PollCreationMessage{Name: &question, SelectableOptionsCount: &most}
	for _, o := range options {
		p.Options = append(p.Options, &waE2E.PollCreationMessage_Option{OptionName: str(o)})
	}
	return p
}

func future() *waE2E.Message {
	m := &waE2E.Message{}
	raw := protowire.AppendTag(nil, 999, protowire.BytesType)
	m.ProtoReflect().SetUnknown(protowire.AppendString(raw, "?"))
	return m
}

// shown is the part of a translation that the golden file holds.
type shown struct {
	Type, Subtype string
	Content       crm.Content
	Media         *Media          `json:",omitempty"`
	Quoted        string          `json:",omitempty"`
	Forwarded     bool            `json:",omitempty"`
	UTM           json.RawMessage `json:",omitempty"`
}

func TestKindsOfContent(t *testing.T) {
	got := map[string]*shown{}
	for _, c := range contents {
		// As it comes over the wire: fields that are not set are nil, unknown ones stay.
		raw, err := proto.Marshal(c.message)
		if err != nil {
			t.Fatal(err)
		}
		m := &waE2E.Message{}
		if err := proto.Unmarshal(raw, m); err != nil {
			t.Fatal(err)
		}
		s := Translate(m)
		kind := ""
		if s != nil {
			kind = strings.TrimSuffix(s.Type+"/"+s.Subtype, "/")
			got[c.name] = &shown{s.Type, s.Subtype, s.Content, s.Media, s.Quoted(), s.Forwarded(), s.UTM()}
		}
		if kind != c.want {
			t.Errorf("%s is %q, want %q", c.name, kind, c.want)
		}
	}
	golden(t, "contents.json", got)
}

func golden(t *testing.T, file string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs; now it would be\n%s", file, got)
	}
}

func TestWhatIsTooLongIsCut(t *testing.T) {
	for name, m := range map[string]*waE2E.Message{
		"text":    {Conversation: str(strings.Repeat("ж", 1<<20))},
		"broken":  {Conversation: str("a\x00b\xff")},
		"caption": {ImageMessage: &waE2E.ImageMessage{Caption: str(strings.Repeat("x", 1<<20)), Mimetype: str("image/" + strings.Repeat("y", 1000))}},
		"name":    {DocumentMessage: &waE2E.DocumentMessage{FileName: str(strings.Repeat("n", 5000))}},
		"place":   {LocationMessage: &waE2E.LocationMessage{Name: str(strings.Repeat("n", 5000)), DegreesLatitude: proto.Float64(1e300)}},
		"card":    {ContactMessage: card(strings.Repeat("n", 5000), "", strings.Repeat("9", 1<<20), "")},
		"poll":    {PollCreationMessage: poll(strings.Repeat("?", 5000), 1, strings.Repeat("a", 500), "b")},
		"emoji":   {ReactionMessage: &waE2E.ReactionMessage{Key: key("M1"), Text: str(strings.Repeat("👍", 100) + "\n")}},
		"many options": {PollCreationMessage: poll("?", 1,
			"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14")},
	} {
		s := Translate(m)
		if s == nil {
			t.Errorf("%s: vanished", name)
			continue
		}
		c := s.Content
		if n := utf8.RuneCountInString(c.Text); n > crm.MaxText || !utf8.ValidString(c.Text) || strings.Contains(c.Text, "\x00") {
			t.Errorf("%s: a text of %d characters", name, n)
		}
		if len(c.Caption) > crm.MaxCaption || s.Media != nil && len(s.Media.Name) > MaxName {
			t.Errorf("%s: %d in the caption, %+v", name, len(c.Caption), s.Media)
		}
		if l := c.Location; l != nil && (len(l.Name) > MaxName || l.Latitude > 90) {
			t.Errorf("%s: %+v", name, l)
		}
		if k := c.Contact; k != nil && (len(k.Name) > MaxName || len(k.Phone) > maxPhone) {
			t.Errorf("%s: %d and %d", name, len(k.Name), len(k.Phone))
		}
		if p := c.Poll; p != nil && (len(p.Question) > MaxName || len(p.Options[0]) > maxOption || len(p.Options) > maxPoll) {
			t.Errorf("%s: %+v", name, p)
		}
		if r := c.Reaction; r != nil && (utf8.RuneCountInString(r.Emoji) > maxEmoji || strings.Contains(r.Emoji, "\n")) {
			t.Errorf("%s: %q", name, r.Emoji)
		}
	}
}

// TestEnvelopesInEnvelopes checks that the unwrapping of nested envelopes is bounded.
func TestEnvelopesInEnvelopes(t *testing.T) {
	m := &waE2E.Message{Conversation: str("deep")}
	for range 3 {
		m = &waE2E.Message{EphemeralMessage: &waE2E.FutureProofMessage{Message: m}}
	}
	if s := Translate(m); s == nil || s.Content.Text != "deep" {
		t.Errorf("three envelopes: %+v", s)
	}
	for range 1000 {
		m = &waE2E.Message{EphemeralMessage: &waE2E.FutureProofMessage{Message: m}}
	}
	if s := Translate(m); s == nil || s.Type != TypeUnknown {
		t.Errorf("a thousand envelopes: %+v", s)
	}
}

// FuzzTranslate checks that no bytes that parse as a message make Translate panic.
func FuzzTranslate(f *testing.F) {
	for _, c := range contents {
		raw, err := proto.Marshal(c.message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := &waE2E.Message{}
		if proto.Unmarshal(raw, m) != nil {
			return
		}
		if s := Translate(m); s != nil && s.Type == "" {
			t.Errorf("no type: %+v", s)
		}
	})
}
