package whatsapp

import (
	"context"
	"io"
	"strings"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
	"chatcast/crm/whatsapp/media"
)

// uploaded is an attachment that was uploaded to WhatsApp.
type uploaded struct {
	whatsmeow.UploadResponse
	media.Info
	name, mime string
}

// withFile returns a message with the uploaded file, as the item's type.
func (o outgoing) withFile(from *waE2E.ContextInfo) *waE2E.Message {
	f, caption := o.file, given(o.item.Content.Caption)
	switch o.item.Type {
	case crm.MessageImage:
		return &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
			URL: &f.URL, DirectPath: &f.DirectPath, MediaKey: f.MediaKey, FileEncSHA256: f.FileEncSHA256, FileSHA256: f.FileSHA256,
			FileLength: &f.FileLength, Mimetype: &f.mime, Caption: caption, ContextInfo: from,
			Width: known(f.Width), Height: known(f.Height), JPEGThumbnail: f.Thumbnail,
		}}
	case content.TypeSticker:
		return &waE2E.Message{StickerMessage: &waE2E.StickerMessage{
			URL: &f.URL, DirectPath: &f.DirectPath, MediaKey: f.MediaKey, FileEncSHA256: f.FileEncSHA256, FileSHA256: f.FileSHA256,
			FileLength: &f.FileLength, Mimetype: &f.mime, ContextInfo: from,
			Width: known(f.Width), Height: known(f.Height), IsAnimated: &f.Animated,
		}}
	case crm.MessageVideo:
		video := &waE2E.VideoMessage{
			URL: &f.URL, DirectPath: &f.DirectPath, MediaKey: f.MediaKey, FileEncSHA256: f.FileEncSHA256, FileSHA256: f.FileSHA256,
			FileLength: &f.FileLength, Mimetype: &f.mime, Caption: caption, ContextInfo: from,
			Width: known(f.Width), Height: known(f.Height), Seconds: known(f.Seconds), JPEGThumbnail: f.Thumbnail,
		}
		if o.item.Subtype == crm.SubtypeVideoNote {
			video.Caption = nil // a round video has none
			return &waE2E.Message{PtvMessage: video}
		}
		return &waE2E.Message{VideoMessage: video}
	case crm.MessageAudio, content.TypeVoice:
		return &waE2E.Message{AudioMessage: &waE2E.AudioMessage{
			URL: &f.URL, DirectPath: &f.DirectPath, MediaKey: f.MediaKey, FileEncSHA256: f.FileEncSHA256, FileSHA256: f.FileSHA256,
			FileLength: &f.FileLength, Mimetype: &f.mime, ContextInfo: from,
			PTT: proto.Bool(o.item.Type == content.TypeVoice), Seconds: known(f.Seconds), Waveform: f.Waveform,
		}}
	}
	d := &waE2E.DocumentMessage{
		URL: &f.URL, DirectPath: &f.DirectPath, MediaKey: f.MediaKey, FileEncSHA256: f.FileEncSHA256, FileSHA256: f.FileSHA256,
		FileLength: &f.FileLength, Mimetype: &f.mime, FileName: &f.name, Title: &f.name, Caption: caption, ContextInfo: from,
		JPEGThumbnail: f.Thumbnail,
	}
	if caption == nil {
		return &waE2E.Message{DocumentMessage: d}
	}
	return &waE2E.Message{DocumentWithCaptionMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{DocumentMessage: d}}}
}

// known returns a pointer to n, or nil when n is 0.
func known(n uint32) *uint32 {
	if n == 0 {
		return nil
	}
	return &n
}

// mediaKind returns WhatsApp's kind of media for an attachment.
func mediaKind(messageType string) whatsmeow.MediaType {
	switch messageType {
	case crm.MessageImage, content.TypeSticker:
		return whatsmeow.MediaImage
	case crm.MessageVideo:
		return whatsmeow.MediaVideo
	case crm.MessageAudio, content.TypeVoice:
		return whatsmeow.MediaAudio
	}
	return whatsmeow.MediaDocument
}

// What WhatsApp shows as a sticker.
const (
	stickerSide  = 1024    // pixels
	stickerBytes = 1 << 20 // bytes
)

// kindToSend returns the type to send a file as, by the type of its message and what is in
// it. WhatsApp shows only some formats; other files are sent as documents, and so are
// sounds with a caption, which would be lost.
func kindToSend(m *crm.MessageRef, size int64, in media.Info) string {
	asked, kind := mediaKind(m.Type), ""
	if asked != whatsmeow.MediaDocument {
		kind, _, _ = strings.Cut(in.Type, "/")
	}
	bare := strings.TrimSpace(m.Content.Caption) == ""
	switch {
	case kind == "image" && asked == whatsmeow.MediaImage:
		if m.Type == content.TypeSticker && bare && in.Type == media.WebP && max(in.Width, in.Height) <= stickerSide && size <= stickerBytes {
			return content.TypeSticker
		}
		return crm.MessageImage
	case kind == "video" && asked == whatsmeow.MediaVideo:
		return crm.MessageVideo
	case kind == "audio" && asked != whatsmeow.MediaImage && bare:
		if in.Waveform != nil || m.Type == content.TypeVoice {
			return content.TypeVoice
		}
		return crm.MessageAudio
	}
	return crm.MessageDocument
}

// inspect sets the type of a message to the one that its file is sent as, and returns what
// is in the file. It leaves the file at its beginning.
func inspect(ctx context.Context, ref *crm.MessageRef, a *crm.Attachment) (in media.Info, err error) {
	if mediaKind(ref.Type) == whatsmeow.MediaDocument {
		return in, nil
	}
	if in, err = media.Inspect(ctx, a.Content); err != nil {
		return in, err
	}
	ref.Type = kindToSend(ref, a.Size, in)
	_, err = a.Content.Seek(0, io.SeekStart)
	return in, err
}

// upload uploads an attachment of ours to WhatsApp as a stream.
func (s *session) upload(ctx context.Context, cli *whatsmeow.Client, ref *crm.MessageRef) (*uploaded, error) {
	a, err := s.m.rules.OpenStored(ctx, s.on, ref.FileID)
	if err != nil {
		return nil, err
	}
	defer a.Content.Close()
	return s.uploadFrom(ctx, cli, ref, a)
}

// uploadFrom uploads an open attachment, and sets the type of its message to the one that
// it is sent as.
func (s *session) uploadFrom(ctx context.Context, cli *whatsmeow.Client, ref *crm.MessageRef, a *crm.Attachment) (*uploaded, error) {
	in, err := inspect(ctx, ref, a)
	if err != nil {
		return nil, err
	}
	up := &uploaded{Info: in, name: a.Name, mime: a.MimeType}
	from := io.Reader(a.Content)
	if ref.Type != crm.MessageDocument {
		up.mime = in.Type
		if in.Type == media.WebM { // what browsers record
			ogg, err := remuxed(a.Content)
			if err != nil {
				return nil, err
			}
			defer ogg.remove()
			from, up.mime = ogg.File, media.Opus
		}
	}
	file, err := newTemporary()
	if err != nil {
		return nil, err
	}
	defer file.remove()
	up.UploadResponse, err = cli.UploadReader(ctx, from, file.File, mediaKind(ref.Type))
	return up, err
}

// remuxed returns a recording of a browser as Ogg.
func remuxed(webm io.Reader) (*temporary, error) {
	ogg, err := newTemporary()
	if err != nil {
		return nil, err
	}
	if err = media.Remux(ogg, webm); err == nil {
		_, err = ogg.Seek(0, io.SeekStart)
	}
	if err != nil {
		ogg.remove()
		return nil, err
	}
	return ogg, nil
}

// typeSent sets the type of a message of ours to the one that its file was sent as.
func (s *session) typeSent(ctx context.Context, ref *crm.MessageRef) error {
	if ref.FileID == "" || ref.Content.File != nil && ref.Content.File.State != "" {
		return nil
	}
	a, err := s.m.rules.OpenStored(ctx, s.on, ref.FileID)
	if err != nil {
		return err
	}
	defer a.Content.Close()
	_, err = inspect(ctx, ref, a)
	return err
}
