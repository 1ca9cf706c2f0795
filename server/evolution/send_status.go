package evolution

import (
	"io"
	"net/url"
	"path"
	"regexp"
	"strings"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

func statusRoutes() []route {
	return []route{{
		methods: "POST", path: "/message/sendStatus/:instance", media: true, status: true, do: sendStatus,
		lifts: sendLifts(same("statusMessage", "type", "content", "caption", "backgroundColor", "font", "statusJidList", "allContacts")...),
		body: schema{
			str("type").one("text", "image", "audio", "video"), str("content"), str("caption"), str("backgroundColor").like(colorForm), integer("font").between(0, 5),
			list("statusJidList", str("")), flag("allContacts"),
		},
	}}
}

var colorForm = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// sendStatus posts a story, now or not at all: stories are in no chat, so no event tells of one.
func sendStatus(q *request) (answer, error) {
	kind, content := text(q.body, "type"), text(q.body, "content")
	post, err := q.statusPost(kind, content)
	if err != nil {
		return answer{}, err
	}
	var u *crm.Upload
	m := crm.MessageItem{Type: crm.MessageText, Message: crm.Content{Text: post.Text}}
	if kind != "text" {
		if u, err = q.statusFile(kind, content); err != nil {
			u.Discard()
			return answer{}, err
		}
		mimeType, size := u.MimeType(), u.Size()
		m.Type, m.Message = statusTypes[kind], crm.Content{Caption: post.Caption, File: &crm.FileData{MimeType: &mimeType, Size: &size}}
	}
	posted, err := q.e.CRM.PostStatus(q.ctx, q.actor, q.line(), post, u)
	if blames(err, "receivers") && len(post.Receivers) == 0 {
		err = bad("Contacts not found")
	}
	if err != nil {
		return answer{}, err
	}
	m.ID, m.Time, m.FromMe, m.FromAPI = crm.MakeID(q.line().Messenger, posted.ID), posted.Time, true, true
	subtype := crm.SubtypeStatus
	m.Subtype = &subtype
	return made(shape.SentObject(&m, q.rendered(), shape.Shape(q.shape))), nil
}

// statusTypes are the types of messages that stories are.
var statusTypes = map[string]string{"image": crm.MessageImage, "video": crm.MessageVideo, "audio": crm.MessageVoice}

// statusPost returns the story that the body describes, without its file.
func (q *request) statusPost(kind, content string) (post crm.StatusPost, err error) {
	b := q.body
	post = crm.StatusPost{Background: text(b, "backgroundColor"), Font: whole(b, "font")}
	if !isTrue(b, "allContacts") {
		for _, number := range texts(b, "statusJidList") {
			if number == "" {
				continue
			}
			post.Receivers = append(post.Receivers, number)
		}
	}
	switch {
	case kind == "":
		return post, bad("Type is required")
	case content == "" && q.upload == nil:
		return post, bad("Content is required")
	case !isTrue(b, "allContacts") && len(post.Receivers) == 0:
		return post, bad("StatusJidList is required")
	case kind == "text" && post.Background == "":
		return post, bad("Background color is required")
	case kind == "text" && post.Font == 0:
		return post, bad("Font is required")
	case kind == "text" && q.upload != nil:
		return post, bad("a text has no file")
	case kind == "text":
		post.Text = content
	default:
		post.Font, post.Caption = 0, text(b, "caption")
	}
	post.Receivers, err = q.people(post.Receivers)
	return post, err
}

// statusFile returns the file of a story: that of the body, of an address, or in base64. The caller
// discards it, also with an error.
func (q *request) statusFile(kind, content string) (u *crm.Upload, err error) {
	switch {
	case q.upload != nil:
		u = q.described("", "", kind)
	case isLink(content):
		err = q.fetch(content, textMedia, fileTime, func(r io.Reader) error {
			u, err = q.store(linkName(content, kind), "", r)
			return err
		})
	default:
		u, err = q.storeText(content, "", "", kind, textMedia)
	}
	if err == nil && !strings.HasPrefix(u.MimeType(), kind+"/") {
		err = bad("type can be " + kind + " only of a file that is one")
	}
	return u, err
}

// linkName returns the name of the file at an address.
func linkName(address, kind string) string {
	if u, err := url.Parse(address); err == nil && path.Ext(u.Path) != "" {
		return path.Base(u.Path)
	}
	return kind
}
