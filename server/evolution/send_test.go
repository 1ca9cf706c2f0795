package evolution_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

// object returns a message object to Anna with a content.
func object(messageType, content, more string) string {
	return `{"key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":true,"id":"ID"},"pushName":"Você","status":"PENDING","message":{` + content + `},` + more +
		`"messageType":"` + messageType + `","messageTimestamp":1637319300,"instanceId":"UUID","source":"web"}`
}

const anna = `"number":"79990001122"`

func TestSendText(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const send = "POST /message/sendText/shop"
		hello := object("conversation", `"conversation":"Hello"`, "")
		w.want(w.company, send, `{`+anna+`,"text":"Hello"}`, 201, hello)
		for _, body := range []string{
			`{` + anna + `,"textMessage":{"text":"Hello"},"options":{"delay":0,"presence":"composing","linkPreview":false}}`,
			`{"number":"+7 (999) 000-11-22","textMessage":{"text":"Hello"},"delay":1,"linkPreview":true,"mentioned":[],"encoding":true,"quoted":null}`,
			`{"number":"79990001122@c.us","text":"Hello","quoted":{"key":{"id":"NOTHERE"}}}`,
			`{"number":"79990001122:4@s.whatsapp.net","text":"Hello","textMessage":{"text":"not this"},"mentionsEveryOne":false,"delay":""}`,
		} {
			w.want(w.company, send, body, 201, hello)
		}
		w.want(w.company, send, `number=79990001122&text=Hello&delay=1&mentionsEveryOne=false`, 201, hello, "Content-Type: application/x-www-form-urlencoded")
		w.want(w.line, "POST /whatsapp/message/sendText/shop/", `{`+anna+`,"text":"Hello"}`, 201, hello)
		w.want(w.company, send, `{`+anna+`,"text":"Hello"}`, 201, strings.Replace(strings.Replace(hello, `1637319300`, `"1637319300"`, 1), `"instanceId":"UUID"`, `"owner":"shop"`, 1), "X-Evolution-Shape: v1")
		w.want(w.company, send, `{`+anna+`,"text":"Hello"}`, 201, strings.Replace(hello, `1637319300`, `"1637319300"`, 1), "X-Evolution-Shape: l2msg")

		w.want(w.company, send, `{}`, 400, invalid("The numbers must be strings/only numeric", `instance requires property "text"`))
		w.want(w.company, send, `{`+anna+`}`, 400, invalid(`instance requires property "text"`))
		w.want(w.company, send, `{`+anna+`,"textMessage":{}}`, 400, invalid(`instance requires property "text"`))
		w.want(w.company, send, `{`+anna+`,"text":" "}`, 400, badText("Text is required"))
		w.want(w.company, send, `{`+anna+`,"text":"a","delay":"soon"}`, 400, invalid("Enter a value in milliseconds"))
		w.want(w.company, send, `{`+anna+`,"text":"a","delay":60001}`, 400, invalid("Enter a value in milliseconds"))
		w.want(w.company, send, `{`+anna+`,"text":"a","mentioned":["x"]}`, 400, invalid("The numbers must be strings/only numeric"))
		for _, number := range []string{`7`, `"x"`, `""`, `"79990001122@evil.example"`, `"@s.whatsapp.net"`, `"` + strings.Repeat("7", 1000) + `"`, `null`, `["79990001122"]`} {
			if status, answer, _ := w.request(w.company, send, `{"number":`+number+`,"text":"a"}`); status != 400 || !strings.Contains(answer, "only numeric") {
				t.Errorf("the number %s: %d %s", number, status, answer)
			}
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	w := onSQLite(t)
	body := `{` + anna + `,"text":"Hello"}`
	_, first, _ := w.request(w.company, "POST /message/sendText/shop", body, "Idempotency-Key: one")
	if status, again, _ := w.request(w.company, "POST /message/sendText/shop", body, "Idempotency-Key: one"); status != 201 || again != first {
		t.Errorf("the repeat answers %d %s, the first %s", status, again, first)
	}
	if status, answer, _ := w.request(w.company, "POST /message/sendText/shop", `{`+anna+`,"text":"Other"}`, "Idempotency-Key: one"); status != 400 {
		t.Errorf("another request with the key: %d %s", status, answer)
	}
}

// TestQuote answers a message of the customer, and mentions people.
func TestQuote(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.Ingest(t.Context(), crm.Line{LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"}, crm.InboundBatch{Messages: []crm.InboundMessage{{
			ID: crm.MakeID("grWhatsApp", "3EB0A1"), Chat: crm.InboundChat{ID: crm.MakeID("grWhatsApp", "79990001122")}, Type: crm.MessageText,
			FromUser: &crm.InboundUser{ID: crm.MakeID("grWhatsApp", "79990001122")}, Message: crm.Content{Text: "Hi"},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		context := `"contextInfo":{"stanzaId":"3EB0A1","participant":"79990001122@s.whatsapp.net","quotedMessage":{"conversation":"Hi"}},`
		w.want(w.company, "POST /message/sendText/shop", `{`+anna+`,"text":"Hello","quoted":{"key":{"id":"3EB0A1"}}}`, 201, object("conversation", `"conversation":"Hello"`, context))
		told := `"contextInfo":{"stanzaId":"3EB0FF","participant":"79990001122@s.whatsapp.net","quotedMessage":{"conversation":"Long ago"}},`
		for _, said := range []string{`{"conversation":"Long ago"}`, `{"extendedTextMessage":{"text":"Long ago"}}`} {
			w.want(w.company, "POST /message/sendText/shop", `{`+anna+`,"text":"Hello","quoted":{"key":{"id":"3EB0FF","remoteJid":"79990001122@s.whatsapp.net","fromMe":false},"message":`+said+`}}`, 201,
				object("conversation", `"conversation":"Hello"`, told))
		}
		w.want(w.company, "POST /message/sendText/shop", `{`+anna+`,"text":"Hello","quoted":{"key":{"id":"3EB0FF"},"message":{"imageMessage":{}}}}`, 201, object("conversation", `"conversation":"Hello"`, ""))
		mentioned := `"contextInfo":{"mentionedJid":["79995554433@s.whatsapp.net","79995554434@s.whatsapp.net"]},`
		w.want(w.company, "POST /message/sendText/shop", `{`+anna+`,"text":"Hello","options":{"mentions":{"mentioned":["79995554433","79995554434@s.whatsapp.net"]}}}`, 201,
			object("conversation", `"conversation":"Hello"`, mentioned))
		reaction := `"reactionMessage":{"key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"3EB0A1"},"text":"👍","senderTimestampMs":"1637319300000"}`
		key := `"key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"3EB0A1"}`
		w.want(w.company, "POST /message/sendReaction/shop", `{`+key+`,"reaction":"👍"}`, 201, object("reactionMessage", reaction, ""))
		w.want(w.company, "POST /message/sendReaction/shop", `{"reactionMessage":{`+key+`,"reaction":""}}`, 201, object("reactionMessage", strings.Replace(reaction, "👍", "", 1), ""))
		w.want(w.company, "POST /message/sendReaction/shop", `{"key":{"remoteJid":"79990001122@s.whatsapp.net","fromMe":false,"id":"NO"},"reaction":"👍"}`, 400, badText("Message not found"))
		for _, emoji := range []string{"ok", "👍👍", "👍 ", "1", "🇵", "a👍"} {
			w.want(w.company, "POST /message/sendReaction/shop", `{`+key+`,"reaction":"`+emoji+`"}`, 400, badText("Reaction must be a single emoji or empty string"))
		}
		for _, emoji := range []string{"❤️", "👨‍👩‍👧", "🇵🇹", "1️⃣", "👍🏽", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"} {
			if status, answer, _ := w.request(w.company, "POST /message/sendReaction/shop", `{`+key+`,"reaction":"`+emoji+`"}`); status != 201 {
				t.Errorf("the emoji %s: %d %s", emoji, status, answer)
			}
		}
		w.want(w.company, "POST /message/sendReaction/shop", `{"key":{"id":"x","fromMe":"no"}}`, 400, invalid(`instance requires property "reaction"`,
			`instance.key requires property "remoteJid"`, "instance.key.fromMe is not of a type(s) boolean"))
	})
}

func TestSendContents(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const to = "POST /message/"
		w.want(w.company, to+"sendLocation/shop", `{`+anna+`,"latitude":38.7,"longitude":-9.1,"name":"Here","address":"Street 1"}`, 201,
			object("locationMessage", `"locationMessage":{"degreesLatitude":38.7,"degreesLongitude":-9.1,"name":"Here","address":"Street 1"}`, ""))
		w.want(w.company, to+"sendLocation/shop", `{`+anna+`,"locationMessage":{"latitude":1,"longitude":2}}`, 201,
			object("locationMessage", `"locationMessage":{"degreesLatitude":1,"degreesLongitude":2}`, ""))
		w.want(w.company, to+"sendLocation/shop", `{`+anna+`,"latitude":"1","longitude":181}`, 400,
			invalid("instance.latitude is not of a type(s) number", "instance.longitude must be less than or equal to 180"))

		card := func(name, phone, more string) string {
			return `{"displayName":"` + name + `","vcard":"BEGIN:VCARD\nVERSION:3.0\nN:` + name + `\nFN:` + name + `\n` + more + `item1.TEL;waid=351912000001:` + phone + `\nitem1.X-ABLabel:Celular\nEND:VCARD"}`
		}
		first := `{"fullName":"Ana","phoneNumber":"+351 912 000 001","organization":"Shop","email":"a@b.example","url":"https://b.example"}`
		w.want(w.company, to+"sendContact/shop", `{`+anna+`,"contact":[`+first+`]}`, 201,
			object("contactMessage", `"contactMessage":`+card("Ana", "+351 912 000 001", `ORG:Shop\nEMAIL:a@b.example\nURL:https://b.example\n`), ""))
		w.want(w.company, to+"sendContact/shop", `{`+anna+`,"contactMessage":[{"fullName":"Ana","phoneNumber":"1","wuid":"351912000001"},{"fullName":"Bob","phoneNumber":"2","wuid":"351912000001@s.whatsapp.net"}]}`, 201,
			object("contactsArrayMessage", `"contactsArrayMessage":{"displayName":"2 contacts","contacts":[`+card("Ana", "1", "")+`,`+card("Bob", "2", "")+`]}`, ""))
		w.want(w.company, to+"sendContact/shop", `{`+anna+`,"contact":[{"fullName":""}]}`, 400,
			invalid(`instance.contact[0] requires property "phoneNumber"`, "instance.contact[0].fullName does not meet minimum length of 1"))
		w.want(w.company, to+"sendContact/shop", `{`+anna+`,"contact":[]}`, 400, invalid("instance.contact does not meet minimum length of 1"))

		w.want(w.company, to+"sendPoll/shop", `{`+anna+`,"name":"Colour?","selectableCount":1,"values":["Red","Blue"]}`, 201,
			object("pollCreationMessageV3", `"pollCreationMessageV3":{"name":"Colour?","options":[{"optionName":"Red"},{"optionName":"Blue"}],"selectableOptionsCount":1}`, ""))
		w.want(w.company, to+"sendPoll/shop", `{`+anna+`,"pollMessage":{"name":"Colour?","selectableCount":0,"values":["Red","Blue"]}}`, 201,
			object("pollCreationMessage", `"pollCreationMessage":{"name":"Colour?","options":[{"optionName":"Red"},{"optionName":"Blue"}],"selectableOptionsCount":0}`, ""))
		for asked, most := range map[int]int{2: 2, 3: 3, 4: 0, 10: 0} { // more than there are is any number
			w.want(w.company, to+"sendPoll/shop", fmt.Sprintf(`{%s,"name":"Colours?","selectableCount":%d,"values":["Red","Blue","Green"]}`, anna, asked), 201, object("pollCreationMessage",
				fmt.Sprintf(`"pollCreationMessage":{"name":"Colours?","options":[{"optionName":"Red"},{"optionName":"Blue"},{"optionName":"Green"}],"selectableOptionsCount":%d}`, most), ""))
		}
		w.want(w.company, to+"sendPoll/shop", `{`+anna+`,"name":"","selectableCount":11,"values":["a","a"]}`, 400, invalid("instance.name does not meet minimum length of 1",
			"instance.selectableCount must be less than or equal to 10", "instance.values contains duplicate item"))
		w.want(w.company, to+"sendPoll/shop", `{`+anna+`,"name":"a","selectableCount":1.5,"values":["a"]}`, 400,
			invalid("instance.selectableCount is not of a type(s) integer", "instance.values does not meet minimum length of 2"))
	})
}

func TestMenus(t *testing.T) {
	w := onSQLite(t)
	const to = "POST /message/"
	text := object("conversation", `"conversation":"*Menu*\nChoose\n\n*Food*\n1. Soup - hot\n2. Bread\n*Drinks*\n3. Tea\n\n_The shop_"`, "")
	sections := `[{"title":"Food","rows":[{"title":"Soup","description":"hot","rowId":"1"},{"title":"Bread","rowId":"2"}]},{"title":"Drinks","rows":[{"title":"Tea","rowId":"3"}]}]`
	list := `"title":"Menu","description":"Choose","footerText":"The shop","buttonText":"Open","sections":` + sections
	w.want(w.company, to+"sendList/shop", `{`+anna+`,`+list+`}`, 201, text)
	w.want(w.company, to+"sendList/shop", `{`+anna+`,"listMessage":{`+list+`}}`, 201, text)
	if _, _, h := w.request(w.company, to+"sendList/shop", `{`+anna+`,`+list+`}`); h.Get("X-Chatcast-Fallback") != "text" {
		t.Errorf("the headers are %v", h)
	}
	w.want(w.company, to+"sendList/shop", `{`+anna+`,"title":"a","footerText":"","buttonText":"b","sections":[{"title":"c","rows":[]}]}`, 400,
		invalid("instance.sections[0].rows does not meet minimum length of 1"))
	w.want(w.company, to+"sendButtons/shop", `{`+anna+`,"title":"Pay","footer":"x","buttons":[{"type":"url","displayText":"Page","url":"https://a.example"},{"type":"call","phoneNumber":"+1"}]}`, 201,
		object("conversation", `"conversation":"*Pay*\n\n1. Page: https://a.example\n2. +1\n\n_x_"`, ""))
	w.want(w.company, to+"sendButtons/shop", `{`+anna+`,"buttonMessage":{"title":"A","description":"B","footerText":"C","buttons":[{"buttonText":"Yes","buttonId":"1"}]}}`, 201,
		object("conversation", `"conversation":"*A*\nB\n\n1. Yes\n\n_C_"`, ""))
	w.want(w.company, to+"sendButtons/shop", `{`+anna+`,"buttons":[{"type":"pix","currency":"BRL","name":"Shop","keyType":"email","key":"a@shop.example"}]}`, 201,
		object("conversation", `"conversation":"1. PIX Shop: a@shop.example"`, ""))
	reply := `{"type":"reply","displayText":"a","id":"1"}`
	w.want(w.company, to+"sendButtons/shop", `{`+anna+`,"buttons":[`+reply+`]}`, 400, invalid(`instance requires property "title"`))
	for buttons, text := range map[string]string{
		``: "At least one button is required", reply + `,` + reply + `,` + reply + `,` + reply: "Maximum of 3 reply buttons allowed",
		reply + `,{"type":"url"}`: "Reply buttons cannot be mixed with other button types", `{"type":"pix"},{"type":"pix"}`: "Only one PIX button is allowed",
		`{"type":"pix"},{"type":"url"}`: "PIX button cannot be mixed with other button types",
	} {
		w.want(w.company, to+"sendButtons/shop", `{`+anna+`,"title":"a","buttons":[`+buttons+`]}`, 400, badText(text))
	}
}

// pixel is a PNG of one dot.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func media(kind, mime, name, more string) string {
	size := base64.StdEncoding.DecodedLen(len(pixel)) - 2
	return fmt.Sprintf(`"%s":{"url":"LINK","mimetype":"%s","fileLength":"%d"%s}`, kind, mime, size, more)
}

func TestSendMedia(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const send = "POST /message/sendMedia/shop"
		image := object("imageMessage", media("imageMessage", "image/png", "", `,"caption":"x"`)+`,"mediaUrl":"LINK"`, "")
		w.want(w.company, send, `{`+anna+`,"mediatype":"image","media":"`+pixel+`","caption":"x"}`, 201, image)
		w.want(w.company, send, `{`+anna+`,"mediaMessage":{"mediaType":"image","media":"data:image/png;base64,`+pixel+`","caption":"x","fileName":"a.png"}}`, 201, image)
		w.want(w.company, send, `{`+anna+`,"mediatype":"document","media":"`+pixel+`","fileName":"a.png"}`, 201,
			object("documentMessage", media("documentMessage", "image/png", "", `,"title":"a.png","fileName":"a.png"`)+`,"mediaUrl":"LINK"`, ""))
		w.want(w.company, send, `{`+anna+`,"mediatype":"image","media":"https://files.example/a.png"}`, 201,
			object("imageMessage", `"imageMessage":{"url":"https://files.example/a.png","mimetype":"image/png"},"mediaUrl":"https://files.example/a.png"`, ""))
		w.want(w.company, send, `{`+anna+`,"mediatype":"document","media":"`+pixel+`"}`, 400, badText("For base64 the file name must be informed."))
		w.want(w.company, send, `{`+anna+`,"mediatype":"video","media":"`+pixel+`"}`, 400, badText("type can be video only of a file that is one"))
		for _, wrong := range []string{"x", "not base64!", "http://", pixel + "!"} {
			w.want(w.company, send, `{`+anna+`,"mediatype":"image","media":"`+wrong+`"}`, 400, badText("Owned media must be a url or base64"))
		}
		w.want(w.company, send, `{`+anna+`,"mediatype":"gif","media":1}`, 400,
			invalid("instance.mediatype is not one of enum values: image,document,video,audio", "instance.media is not of a type(s) string"))
		w.want(w.company, "POST /message/sendWhatsAppAudio/shop", `{`+anna+`,"audio":"x"}`, 400, badText("Owned media must be a url, base64, or valid file with buffer"))
		w.want(w.company, "POST /message/sendWhatsAppAudio/shop", `{`+anna+`}`, 400, invalid(`instance requires property "audio"`))
		w.want(w.company, "POST /message/sendSticker/shop", `{`+anna+`,"stickerMessage":{"image":"`+pixel+`"}}`, 400, badText("type can be sticker only of a file of type image/webp"))
		w.want(w.company, "POST /message/sendPtv/shop", `{`+anna+`,"video":"https://files.example/a.mp4"}`, 201,
			object("ptvMessage", `"ptvMessage":{"url":"https://files.example/a.mp4","mimetype":"video/mp4"},"mediaUrl":"https://files.example/a.mp4"`, ""))
		w.want(w.company, "POST /message/sendWhatsAppAudio/shop", `{`+anna+`,"options":{"encoding":false},"audioMessage":{"audio":"https://files.example/a.ogg"}}`, 201,
			object("audioMessage", `"audioMessage":{"url":"https://files.example/a.ogg","mimetype":"audio/ogg","ptt":true},"mediaUrl":"https://files.example/a.ogg"`, ""))
		w.want(w.company, "POST /message/sendSticker/shop", `{`+anna+`,"sticker":"https://files.example/a.webp"}`, 201,
			object("stickerMessage", `"stickerMessage":{"url":"https://files.example/a.webp","mimetype":"image/webp","isAnimated":false},"mediaUrl":"https://files.example/a.webp"`, ""))
	})
}

// form returns a form with these fields, and the header that says so. The file has these bytes.
func form(t *testing.T, file []byte, fields ...string) (body, kind string) {
	t.Helper()
	var out bytes.Buffer
	m := multipart.NewWriter(&out)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		var part io.Writer
		var err error
		if name == "file" {
			part, err = m.CreateFormFile("file", value)
			value = string(file)
		} else {
			part, err = m.CreateFormField(name)
		}
		if err == nil {
			_, err = io.WriteString(part, value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String(), "Content-Type: " + m.FormDataContentType()
}

// TestSendForm sends a file in a form.
func TestSendForm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		file, err := base64.StdEncoding.DecodeString(pixel)
		if err != nil {
			t.Fatal(err)
		}
		const send = "POST /message/sendMedia/shop"
		body, kind := form(t, file, "number=79990001122", "mediatype=image", "caption=x", "delay=0", "mentioned=[]", "file=a.png")
		w.want(w.company, send, body, 201, object("imageMessage", media("imageMessage", "image/png", "", `,"caption":"x"`)+`,"mediaUrl":"LINK"`, ""), kind)
		body, kind = form(t, file, "file=a.png", "mediatype=image")
		w.want(w.company, send, body, 400, invalid("The numbers must be strings/only numeric"), kind)
		body, kind = form(t, file, "number=79990001122", "mediatype=image")
		w.want(w.company, send, body, 400, invalid(`instance requires property "media"`), kind)
		body, kind = form(t, file, "file=a.png", "file=b.png")
		w.want(w.company, send, body, 400, badText("the form has more than one file"), kind)
		body, kind = form(t, file, "number=79990001122", "text=a")
		w.want(w.company, "POST /message/sendText/shop", body, 400, badText("a form with a file is not accepted here"), kind)
		w.want(w.company, send, "--b\r\nbroken", 400, badText("the form could not be read whole"), "Content-Type: multipart/form-data; boundary=b")
		w.want(w.company, send, "x", 400, badText("the form has no boundary"), "Content-Type: multipart/form-data")
	})
}
