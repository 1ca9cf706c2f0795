package content

import (
	"mime"
	"net/url"
	"path"
	"strings"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm"
)

// Media is an attachment at WhatsApp: its location and the key that decrypts it. Its JSON
// is stored with the message until the attachment is fetched.
type Media struct {
	Kind       whatsmeow.MediaType `json:"kind"`
	URL        string              `json:"url,omitempty"`
	DirectPath string              `json:"path,omitempty"`
	Key        []byte              `json:"key"`
	SHA256     []byte              `json:"sha256"`
	EncSHA256  []byte              `json:"encSha256"`
	Size       int64               `json:"size"` // as announced
	Name       string              `json:"name"`
	Mime       string              `json:"mime"`
	Preview    crm.FilePreview     `json:"-"` // as announced; the thumbnail may be anything
}

var _ whatsmeow.DownloadableMessage = (*Media)(nil)

// The methods below are those that whatsmeow calls on a protobuf of an attachment.
func (m *Media) GetMediaType() whatsmeow.MediaType { return m.Kind }
func (m *Media) GetMediaKey() []byte               { return m.Key }
func (m *Media) GetFileSHA256() []byte             { return m.SHA256 }
func (m *Media) GetFileEncSHA256() []byte          { return m.EncSHA256 }
func (m *Media) GetFileLength() uint64             { return uint64(m.Size) }

// GetURL returns the attachment's address, or "" when it does not lead to WhatsApp. The
// sender of a message chooses it, and could name what only this machine reaches:
// whatsmeow stores the answer as it is when the message has no key.
func (m *Media) GetURL() string {
	u, err := url.Parse(m.URL)
	if err != nil || u.Scheme != "https" || u.User != nil || !strings.HasSuffix("."+u.Host, mediaDomain) {
		return ""
	}
	return m.URL
}

// mediaDomain is the end of the names of all of WhatsApp's hosts of media, with a dot
// before the name.
const mediaDomain = ".whatsapp.net"

// GetDirectPath returns the attachment's path on WhatsApp's hosts, or "" when it is none.
// whatsmeow appends it to the name of a host, so another beginning would make another
// host of that.
func (m *Media) GetDirectPath() string {
	if !strings.HasPrefix(m.DirectPath, "/") {
		return ""
	}
	return m.DirectPath
}

// attached is the interface of all protobufs of attachments.
type attached interface {
	whatsmeow.DownloadableMessage
	GetURL() string
	GetFileLength() uint64
	GetMimetype() string
	GetContextInfo() *waE2E.ContextInfo
}

func mediaContent(m *waE2E.Message) *Content {
	if i := m.GetImageMessage(); i != nil {
		return newMedia(crm.MessageImage, whatsmeow.MediaImage, i, "", i.GetCaption())
	}
	if v := m.GetVideoMessage(); v != nil {
		s := newMedia(crm.MessageVideo, whatsmeow.MediaVideo, v, "", v.GetCaption())
		if v.GetGifPlayback() {
			s.Subtype = "gif"
		}
		return s
	}
	if v := m.GetPtvMessage(); v != nil {
		s := newMedia(crm.MessageVideo, whatsmeow.MediaVideo, v, "", v.GetCaption())
		s.Subtype = "videoNote"
		return s
	}
	if a := m.GetAudioMessage(); a != nil {
		typ := crm.MessageAudio
		if a.GetPTT() {
			typ = TypeVoice
		}
		return newMedia(typ, whatsmeow.MediaAudio, a, "", "")
	}
	if d := m.GetDocumentMessage(); d != nil {
		return newMedia(crm.MessageDocument, whatsmeow.MediaDocument, d, FirstNonBlank(d.GetFileName(), d.GetTitle()), d.GetCaption())
	}
	if s := m.GetStickerMessage(); s != nil {
		return newMedia(TypeSticker, whatsmeow.MediaImage, s, "", "")
	}
	return nil
}

func newMedia(typ string, kind whatsmeow.MediaType, a attached, name, caption string) *Content {
	typeOf, _, err := mime.ParseMediaType(a.GetMimetype())
	if err != nil {
		typeOf = ""
	}
	if name == "" {
		name = typ + extensionOf(typeOf)
	}
	size := int64(min(a.GetFileLength(), 1<<52)) // JSON represents it exactly; the announced size may be wrong
	m := &Media{
		Kind: kind, URL: a.GetURL(), DirectPath: a.GetDirectPath(), Key: a.GetMediaKey(),
		SHA256: a.GetFileSHA256(), EncSHA256: a.GetFileEncSHA256(), Size: size, Name: name, Mime: typeOf,
	}
	m.Preview = previewOf(a)
	return &Content{Type: typ, Content: crm.Content{Caption: caption}, Media: m, Context: a.GetContextInfo()}
}

// previewOf returns what the sender's phone tells of an attachment.
func previewOf(a attached) (p crm.FilePreview) {
	if x, ok := a.(interface {
		GetWidth() uint32
		GetHeight() uint32
	}); ok && x.GetWidth() <= maxPixels && x.GetHeight() <= maxPixels {
		p.Width, p.Height = int64(x.GetWidth()), int64(x.GetHeight())
	}
	if x, ok := a.(interface{ GetSeconds() uint32 }); ok && x.GetSeconds() <= maxSeconds {
		p.Duration = int64(x.GetSeconds())
	}
	if x, ok := a.(interface{ GetWaveform() []byte }); ok && len(x.GetWaveform()) <= maxWaveform {
		p.Waveform = x.GetWaveform()
	}
	if x, ok := a.(interface{ GetPageCount() uint32 }); ok && x.GetPageCount() <= maxPages {
		p.Pages = int64(x.GetPageCount())
	}
	if x, ok := a.(interface{ GetIsAnimated() bool }); ok {
		p.Animated = x.GetIsAnimated()
	}
	if x, ok := a.(interface{ GetJPEGThumbnail() []byte }); ok {
		p.Thumbnail = x.GetJPEGThumbnail()
	}
	return p
}

// Beyond these a sender's phone is not believed.
const (
	maxPixels   = 1 << 16
	maxSeconds  = 7 * 24 * 60 * 60
	maxPages    = 1 << 20
	maxWaveform = 256 // bytes
)

// extensionOf returns the file name extension for a MIME type, or "". WhatsApp gives names
// only to documents.
func extensionOf(mimeType string) string {
	if e, ok := extensions[mimeType]; ok {
		return e
	}
	if e := crm.ExtensionOf(mimeType); e != "" {
		return e
	}
	_, sub, _ := strings.Cut(mimeType, "/")
	if sub == "" || strings.ContainsAny(sub, "+.") || path.Base(sub) != sub || len(sub) > 8 {
		return ""
	}
	return "." + sub
}

var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/webp": ".webp", "video/mp4": ".mp4", "video/3gpp": ".3gp", "video/quicktime": ".mov",
	"audio/ogg": ".ogg", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/aac": ".aac", "audio/amr": ".amr", "text/plain": ".txt",
	"application/octet-stream": "",
}
