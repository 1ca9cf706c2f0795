package shape

import "chatcast/crm"

// file writes the members that all files have. The link is our own: what it leads to is not
// encrypted, so there is no key.
func (c *content) file(w *writer) *crm.FileData {
	f := c.m.File
	if f == nil {
		return &crm.FileData{}
	}
	w.optional("url", c.r.link(f))
	w.optional("mimetype", value(f.MimeType))
	if f.Size != nil {
		w.long("fileLength", *f.Size)
	}
	return f
}

// picture writes what is known of a picture without its bytes.
func picture(w *writer, f *crm.FileData) {
	w.positive("height", f.Height)
	w.positive("width", f.Width)
	w.bytes("jpegThumbnail", f.Thumbnail)
}

func (c *content) image(w *writer) {
	f := c.file(w)
	w.optional("caption", c.m.Caption)
	picture(w, f)
}

func (c *content) video(w *writer) {
	f := c.file(w)
	w.optional("caption", c.m.Caption)
	w.positive("seconds", f.Duration)
	w.yes("gifPlayback", c.subtype == "gif")
	picture(w, f)
}

func (c *content) audio(w *writer) { c.sound(w, false) }
func (c *content) voice(w *writer) { c.sound(w, true) }

func (c *content) sound(w *writer, voice bool) {
	f := c.file(w)
	w.positive("seconds", f.Duration)
	w.bool("ptt", voice)
	w.bytes("waveform", f.Waveform)
}

func (c *content) document(w *writer) {
	f := c.file(w)
	w.str("title", f.Name)
	w.str("fileName", f.Name)
	w.positive("pageCount", f.Pages)
	w.optional("caption", c.m.Caption)
	w.bytes("jpegThumbnail", f.Thumbnail)
}

func (c *content) sticker(w *writer) {
	f := c.file(w)
	w.bool("isAnimated", f.Animated)
	w.positive("height", f.Height)
	w.positive("width", f.Width)
}
