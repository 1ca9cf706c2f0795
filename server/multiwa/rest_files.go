package multiwa

import (
	"bytes"
	"encoding/base64"
	"mime"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// slowPaths are the routes that may take long: those whose bodies may have a file, and typing.
var slowPaths = func() map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, prefix := range prefixes {
		for _, kind := range fileKinds {
			all[prefix+"/messages/"+kind] = fileTime
		}
		all[prefix+"/messages/typing"] = typingTime
	}
	return all
}()

// fileKinds are the types of messages with a file, which their routes are named after.
var fileKinds = [...]string{crm.MessageImage, crm.MessageVideo, crm.MessageAudio, crm.MessageDocument}

// fileInput describes a file to send, by its address or as base64.
type fileInput struct {
	target
	URL      string `json:"url"`
	Base64   string `json:"base64"`
	Caption  string `json:"caption"`
	MimeType string `json:"mimetype"`
	FileName string `json:"filename"`
	PTT      bool   `json:"ptt"`
}

// file returns what sends a file of a type.
func (a *API) file(typ string) func(c *gin.Context) (sending, error) {
	return func(c *gin.Context) (out sending, err error) {
		var in fileInput
		release, err := a.fileBody(c, &in)
		defer release()
		if err != nil {
			return out, err
		}
		if typ == crm.MessageDocument && in.FileName == "" {
			return out, crm.Invalid("filename", "is required")
		}
		if (in.URL == "") == (in.Base64 == "") {
			return out, crm.Invalid("url", "is required, or base64, and not both")
		}
		m := outgoing(c, typ)
		if typ == crm.MessageAudio && in.PTT {
			m.Type = crm.MessageVoice
		}
		m.Content.Caption = in.Caption
		var at crm.ChatAddress
		if out.of, at, err = a.place(c, in.target, &m); err != nil {
			return out, err
		}
		if in.URL != "" {
			out.sent, err = a.CRM.SendLink(c.Request.Context(), actor(c), at, in.URL, in.name(typ, false), m)
		} else {
			out.sent, err = a.sendBytes(c, at, typ, in, m)
		}
		return out, in.ofFile(err, m.Type)
	}
}

// fileKind is what a file must be to be sent as a message of a type. Every file can be a document.
var fileKind = map[string]string{
	crm.MessageImage: "a picture", crm.MessageVideo: "a film", crm.MessageAudio: "a sound", crm.MessageVoice: "a sound",
}

// ofFile says of an error of the rules about a file which field of the request it is about.
func (in *fileInput) ofFile(err error, typ string) error {
	from := "url"
	if in.URL == "" {
		from = "base64"
	}
	if fieldOf(err) == "type" {
		return crm.Invalid(from, "must be %s: /messages/document sends every file", fileKind[typ])
	}
	return inWords(err, map[string]string{"file": from, "fileName": "filename"})
}

// sendBytes sends a file that is in the request.
func (a *API) sendBytes(c *gin.Context, at crm.ChatAddress, typ string, in fileInput, m crm.Outgoing) (crm.Sent, error) {
	text := in.Base64
	if rest, ok := strings.CutPrefix(text, "data:"); ok {
		var head string
		head, text, _ = strings.Cut(rest, ",")
		if kind, ok := strings.CutSuffix(head, ";base64"); ok && in.MimeType == "" {
			in.MimeType = kind
		}
	}
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(data) == 0 {
		return crm.Sent{}, crm.Invalid("base64", "must be a file as base64, or as a data URL")
	}
	ctx := c.Request.Context()
	u, err := a.CRM.StoreUpload(ctx, actor(c), at, in.name(typ, true), in.MimeType, bytes.NewReader(data))
	if err != nil {
		return crm.Sent{}, err
	}
	return a.CRM.SendFile(ctx, actor(c), at, u, "", m)
}

// name returns the name of the file, with an extension if there is none: it decides what the
// file is sent as. A file that is only linked may have a name in its address.
func (in fileInput) name(typ string, must bool) string {
	kind, _, _ := mime.ParseMediaType(in.MimeType)
	switch {
	case in.FileName != "":
		return in.FileName
	case kind != "":
		return typ + crm.ExtensionOf(kind)
	case must:
		return typ
	}
	return ""
}
