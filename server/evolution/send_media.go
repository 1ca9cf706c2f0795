package evolution

import (
	"cmp"
	"encoding/base64"
	"io"
	"mime"
	"net/url"
	"path"
	"strings"

	"chatcast/crm"
)

// Texts of refused files.
const (
	textMedia = "Owned media must be a url or base64"
	textAudio = "Owned media must be a url, base64, or valid file with buffer"
	textName  = "For base64 the file name must be informed."
)

func mediaRoutes() []route {
	media := func(path string, do func(q *request) (answer, error), lifts []lift, own ...field) route {
		return route{methods: "POST", path: path, media: true, body: sendBody(own...), lifts: sendLifts(lifts...), do: do}
	}
	return []route{
		media("/message/sendMedia/:instance", sendMedia,
			append(same("mediaMessage", "mediatype", "mimetype", "caption", "fileName", "media"), lift{"mediaMessage.mediaType", "mediatype"}, lift{"mediaType", "mediatype"}),
			str("mediatype").must().one("image", "document", "video", "audio"), str("media").must(), str("mimetype"), str("caption"), str("fileName")),
		media("/message/sendPtv/:instance", sendPtv, nil, str("video").must()),
		media("/message/sendWhatsAppAudio/:instance", sendAudio, []lift{{"audioMessage.audio", "audio"}}, str("audio").must(), str("mimetype"), str("fileName")),
		media("/message/sendSticker/:instance", sendSticker, []lift{{"stickerMessage.image", "sticker"}, {"stickerMessage.sticker", "sticker"}}, str("sticker").must(), flag("notConvertSticker")),
	}
}

// file adds the file of a field, or that of the form, to a message. refused is the text for a
// value that is none.
func (q *request) file(m *outgoing, value, mimeType, name, kind, refused string) error {
	m.name = name
	if q.upload != nil {
		m.upload = q.described(name, mimeType, kind)
		return nil
	}
	if isLink(value) {
		u, err := url.Parse(value)
		if err != nil || u.Hostname() == "" {
			return bad(refused)
		}
		m.link = value
		if base := path.Base(u.Path); m.name == "" && path.Ext(base) == "" {
			m.name = kind + extension(mimeType)
		}
		return nil
	}
	var err error
	m.upload, err = q.storeText(value, mimeType, name, kind, refused)
	return err
}

// described returns the file of the body. One that was a text gets the name and the type that the
// body says.
func (q *request) described(name, mimeType, kind string) *crm.Upload {
	u := q.takeUpload()
	if q.uploadText {
		mimeType = cmp.Or(mimeType, q.uploadType)
		u.Describe(cmp.Or(name, kind+extension(mimeType)), mimeType)
	}
	return u
}

// storeText stores the file that a text is in base64.
func (q *request) storeText(value, mimeType, name, kind, refused string) (*crm.Upload, error) {
	told, value, _ := cutDataURL(value)
	if mimeType = cmp.Or(mimeType, told); len(value) < 4 {
		return nil, bad(refused)
	}
	data := &base64Reader{from: base64.NewDecoder(base64Form(value), strings.NewReader(value))}
	u, err := q.store(cmp.Or(name, kind+extension(mimeType)), mimeType, data)
	if data.wrong {
		u.Discard()
		return nil, bad(refused)
	}
	return u, err
}

// base64Form returns the form of base64 that a text has: with padding or without.
func base64Form(text string) *base64.Encoding {
	if strings.HasSuffix(text, "=") || len(text)%4 == 0 || strings.ContainsAny(text, "\r\n") {
		return base64.StdEncoding
	}
	return base64.RawStdEncoding
}

// base64Reader notes that what it reads is no base64.
type base64Reader struct {
	from  io.Reader
	wrong bool
}

func (b *base64Reader) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if err != nil && err != io.EOF {
		b.wrong = true
	}
	return n, err
}

// extension returns the ending of a file's name for its type, "" when the type is not known.
func extension(mimeType string) string {
	typ, _, err := mime.ParseMediaType(mimeType)
	if err != nil {
		return ""
	}
	return crm.ExtensionOf(typ)
}

func sendMedia(q *request) (answer, error) {
	kind, media, name := text(q.body, "mediatype"), text(q.body, "media"), text(q.body, "fileName")
	if kind == "document" && name == "" && (q.uploadText || q.upload == nil && media != "" && !strings.HasPrefix(media, "http")) {
		return answer{}, bad(textName)
	}
	m, err := q.toNumber(kind, crm.Content{Caption: text(q.body, "caption")})
	if err == nil {
		err = q.file(&m, media, text(q.body, "mimetype"), name, kind, textMedia)
	}
	if err != nil {
		return answer{}, err
	}
	return q.send(m)
}

func sendPtv(q *request) (answer, error) {
	m, err := q.toNumber(crm.MessageVideo, crm.Content{})
	if err == nil {
		m.message.Subtype = crm.SubtypeVideoNote
		err = q.file(&m, text(q.body, "video"), "", "", "video", textMedia)
	}
	if err != nil {
		return answer{}, err
	}
	return q.send(m)
}

func sendAudio(q *request) (answer, error) {
	m, err := q.toNumber(crm.MessageVoice, crm.Content{})
	if err == nil {
		m.voice = true
		err = q.file(&m, text(q.body, "audio"), text(q.body, "mimetype"), text(q.body, "fileName"), "audio", textAudio)
	}
	if err != nil {
		return answer{}, err
	}
	return q.send(m)
}

func sendSticker(q *request) (answer, error) {
	m, err := q.toNumber(crm.MessageSticker, crm.Content{})
	if err == nil {
		err = q.file(&m, text(q.body, "sticker"), "", "", "sticker", textMedia)
	}
	if err != nil {
		return answer{}, err
	}
	return q.send(m)
}
