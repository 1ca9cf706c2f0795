package evolution_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chatcast/crm"
)

// poster is a connector whose account posts stories.
type poster struct {
	crm.Messenger
	posts   []string
	refusal error
}

var _ crm.StatusMessenger = (*poster)(nil)

func (p *poster) PostStatus(_ context.Context, _ crm.Line, _ string, s crm.StatusPost, file *crm.StatusFile) (int64, error) {
	kind := ""
	if file != nil {
		kind = file.MimeType
	}
	p.posts = append(p.posts, fmt.Sprintf("%s|%s|%s|%d|%s|%s", s.Text, s.Caption, s.Background, s.Font, strings.Join(s.Receivers, ","), kind))
	return 1772355600, p.refusal
}

// withPoster gives the instance shop an account that posts.
func (w *world) withPoster() *poster {
	p := &poster{Messenger: w.Connect("grWhatsApp")}
	w.Messengers["grWhatsApp"] = p
	return p
}

// story returns the answer to a story.
func story(messageType, content string) string {
	return `{"key":{"remoteJid":"status@broadcast","fromMe":true,"id":"ID"},"pushName":"Você","status":"PENDING","message":{` + content + `},` +
		`"messageType":"` + messageType + `","messageTimestamp":1772355600,"instanceId":"UUID","source":"unknown"}`
}

// TestSendStatus posts every kind of story, for all contacts and for some.
func TestSendStatus(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.withPoster()
		image, err := base64.StdEncoding.DecodeString(pixel)
		if err != nil {
			t.Fatal(err)
		}
		files := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/a.png" {
				http.Redirect(rw, r, "/a.png", http.StatusFound)
				return
			}
			_, _ = rw.Write(image)
		}))
		defer files.Close()
		const send = "POST /message/sendStatus/shop"
		hello := story("conversation", `"conversation":"Hello"`)
		posted := func(what string) {
			t.Helper()
			if n := len(p.posts); n == 0 || p.posts[n-1] != what {
				t.Errorf("posted are %q, the last should be %q", p.posts, what)
			}
		}
		w.want(w.line, send, `{"type":"text","content":"Hello","allContacts":true,"backgroundColor":"#12aa55","font":2}`, 201, hello)
		posted("Hello||#12aa55|2||")
		w.want(w.line, send, `{"statusMessage":{"type":"text","content":"Hello","statusJidList":["+7 999 000-11-22","79990003344@s.whatsapp.net"],"backgroundColor":"#000000","font":1}}`, 201, hello)
		posted("Hello||#000000|1|79990001122@c.us,79990003344@c.us|")
		w.want(w.line, "POST /whatsapp/message/sendStatus/shop", `{"type":"text","content":"Hello","caption":"","allContacts":true,"backgroundColor":"#000000","font":1}`, 201,
			strings.Replace(strings.Replace(hello, `1772355600`, `"1772355600"`, 1), `"instanceId":"UUID"`, `"owner":"shop"`, 1), "X-Evolution-Shape: v1")
		picture := story("imageMessage", strings.Replace(media("imageMessage", "image/png", "", `,"caption":"x"`), `"url":"LINK",`, "", 1))
		w.want(w.line, send, `{"type":"image","content":"`+pixel+`","caption":"x","allContacts":true,"backgroundColor":"#000000","font":1}`, 201, picture)
		posted("|x|#000000|0||image/png")
		w.want(w.line, send, `{"type":"image","content":"data:image/png;base64,`+pixel+`","caption":"x","statusJidList":["79990001122"]}`, 201, picture)
		posted("|x||0|79990001122@c.us|image/png")
		body, kind := form(t, image, "type=image", "caption=x", "allContacts=true", "file=a.png")
		w.want(w.line, send, body, 201, picture, kind)
		posted("|x||0||image/png")
		const form = "Content-Type: application/x-www-form-urlencoded"
		w.want(w.line, send, "type=text&content=One+and%2Bone&allContacts=true&backgroundColor=%23000000&font=1", 201, story("conversation", `"conversation":"One and+one"`), form)
		posted("One and+one||#000000|1||")
		w.want(w.line, send, "type=image&content="+pixel+"&caption=x&allContacts=true", 201, picture, form) // its + are not encoded
		posted("|x||0||image/png")
		w.want(w.line, send, "type=text&content=%ff&allContacts=true&backgroundColor=%23000000&font=1", 400, badText("the body must be valid UTF-8"), form)
		w.want(w.line, send, `{"type":"image","content":"`+files.URL+`/a.png","allContacts":true}`, 400, badText("the file could not be fetched from its address"))
		w.api.AllowPrivateLinks()
		w.want(w.line, send, `{"type":"image","content":"`+files.URL+`/a.png","caption":"x","allContacts":true}`, 201, picture)
		w.want(w.line, send, `{"type":"image","content":"`+files.URL+`/elsewhere","allContacts":true}`, 400, badText("the file could not be fetched from its address"))
		w.want(w.line, send, `{"type":"video","content":"`+pixel+`","allContacts":true}`, 400, badText("type can be video only of a file that is one"))
		for _, wrong := range []string{"x", "not base64!", "http://", "https://a:b@c.example/d.png"} {
			w.want(w.line, send, `{"type":"audio","content":"`+wrong+`","allContacts":true}`, 400, badText("Owned media must be a url or base64"))
		}
		for body, text := range map[string]string{
			`{}`: "Type is required", `{"type":"text"}`: "Content is required", `{"type":"text","content":"a"}`: "StatusJidList is required",
			`{"type":"text","content":"a","statusJidList":[""]}`:                                             "StatusJidList is required",
			`{"type":"text","content":"a","allContacts":true}`:                                               "Background color is required",
			`{"statusMessage":{"type":"text","content":"a","allContacts":true,"backgroundColor":"#000000"}}`: "Font is required",
		} {
			w.want(w.line, send, body, 400, badText(text))
		}
		w.want(w.line, send, `{"type":"gif","backgroundColor":"red","font":6}`, 400, invalid("instance.type is not one of enum values: text,image,audio,video",
			`instance.backgroundColor does not match pattern "^#[0-9A-Fa-f]{6}$"`, "instance.font must be less than or equal to 5"))
		w.want(w.line, send, `{"type":"image","content":"`+pixel+`","statusJidList":["x"]}`, 400, invalid("The numbers must be strings/only numeric"))
		reader := w.key(w.Owner, crm.KeyInput{Name: "sender", Rights: []string{crm.KeyRead, crm.KeySend}})
		w.want(reader, send, `{"type":"text","content":"Hello","allContacts":true,"backgroundColor":"#12aa55","font":2}`, 403,
			`{"status":403,"error":"Forbidden","response":{"message":["this key does not have the right manage"]}}`)
		p.refusal = crm.Invalid("receivers", "are required: the phone has no contacts")
		w.want(w.line, send, `{"type":"image","content":"`+pixel+`","allContacts":true}`, 400, badText("Contacts not found"))
		p.refusal = crm.Unavailable("WhatsApp does not answer")
		w.want(w.line, send, `{"type":"image","content":"`+pixel+`","allContacts":true}`, 400, badText("Error: WhatsApp does not answer"))
	})
}

// TestSendStatusOfABridge: an instance without an account posts nothing.
func TestSendStatusOfABridge(t *testing.T) {
	w := onSQLite(t)
	w.want(w.line, "POST /message/sendStatus/shop", `{"type":"image","content":"`+pixel+`","allContacts":true}`, 400,
		badText("lines of this type have no account that could post a status"))
}
