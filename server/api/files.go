package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
	"chatcast/server"
)

// registerFiles adds its routes to the group that is open to everybody: a signed link
// needs no token.
func (a *API) registerFiles(v1 gin.IRouter) {
	const path = "/licenses/:licenseId/messengers/:messengerType/files/:fileId"
	v1.GET(path, a.file)
	v1.HEAD(path, a.file)
}

const (
	maxFormField = 64 << 10 // bytes of a form field besides the file
	maxFormParts = 16
	answerTime   = 5 * time.Minute // to store an upload and answer
)

// inertTypes are types that browsers neither run nor render as a page. An attachment of
// any other type is sent without it: Content-Disposition keeps a script from being shown,
// but not from being loaded by a page of ours.
var inertTypes = map[string]bool{
	"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "image/avif": true, "image/bmp": true, "image/heic": true,
	"application/pdf": true, "application/zip": true, "application/msword": true, "application/vnd.ms-excel": true,
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   true,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         true,
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": true, "application/vnd.ms-powerpoint": true,
	"application/vnd.oasis.opendocument.text": true, "application/vnd.oasis.opendocument.spreadsheet": true,
	"text/plain": true, "text/csv": true,
}

// servedType returns the Content-Type that an attachment of this type is sent with.
func servedType(mimeType string) string {
	typ, _, err := mime.ParseMediaType(mimeType)
	if err == nil && (inertTypes[typ] || strings.HasPrefix(typ, "audio/") || strings.HasPrefix(typ, "video/")) {
		return typ
	}
	return "application/octet-stream"
}

// file answers with an attachment if the request has a signed link or a token. It is
// never shown in a page: content from customers must not run under our address. Clients
// ask again before they use a copy, because the message may have been deleted.
func (a *API) file(c *gin.Context) {
	f, err := a.openFile(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	defer f.Content.Close()
	h := c.Writer.Header()
	h.Set("Content-Type", servedType(f.MimeType))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-cache")
	if f.Picture {
		h.Set("Cache-Control", "private, max-age=3600")
	}
	http.ServeContent(c.Writer, c.Request, "", f.ModTime, f.Content)
}

func (a *API) openFile(c *gin.Context) (*crm.Attachment, error) {
	line, err := pathLine(c)
	if err != nil {
		return nil, err
	}
	if signature, given := c.GetQuery("signature"); given {
		return a.CRM.OpenSigned(c.Request.Context(), line, c.Param("fileId"), c.Query("expires"), signature)
	}
	who, err := a.CRM.Authenticate(c.Request.Context(), server.AccessToken(c.Request))
	if err != nil {
		return nil, err
	}
	return a.CRM.OpenFile(c.Request.Context(), who, line, c.Param("fileId"))
}

// fileInput describes a file to send, without its bytes. File is a link.
type fileInput struct {
	File     string `json:"file"`
	FileName string `json:"fileName"`
	Caption  string `json:"caption"`
	Type     string `json:"type"` // sticker, voice or videoNote; empty: by what the file is
}

func (a *API) sendFile(c *gin.Context, at crm.ChatAddress) (any, error) {
	var in fileInput
	var more common
	var upload *crm.Upload
	var err error
	if kind, _, _ := mime.ParseMediaType(c.GetHeader("Content-Type")); kind == "multipart/form-data" {
		upload, err = a.form(c, fileFields, func(name string, part *multipart.Part) (*crm.Upload, error) {
			return a.CRM.StoreUpload(c.Request.Context(), actor(c), at, name, part.Header.Get("Content-Type"), part)
		}, func(name, text string) { in.read(name, text, &more) })
	} else {
		err = bodies(c, &in, &more)
	}
	if err != nil {
		upload.Discard()
		return nil, err
	}
	m := more.outgoing(c)
	m.Content.Caption, m.Type = in.Caption, in.Type
	if upload != nil {
		return a.CRM.SendFile(c.Request.Context(), actor(c), at, upload, in.FileName, m)
	}
	return a.CRM.SendLink(c.Request.Context(), actor(c), at, in.File, in.FileName, m)
}

// fileFields are the fields of a form with a file. Each may be given once.
var fileFields = []string{"file", "fileName", "caption", "type", "tracking", "quotedMessageId"}

// form reads a multipart body. It streams the file to the file store with store, and reads
// the other fields, as text. It returns the Upload with an error too.
func (a *API) form(c *gin.Context, fields []string, store func(name string, part *multipart.Part) (*crm.Upload, error), read func(name, text string)) (upload *crm.Upload, err error) {
	session, err := a.CRM.SessionOfToken(c.Request.Context(), server.AccessToken(c.Request))
	if err != nil {
		return nil, err
	}
	if upload, err = a.parts(c, fields, store, read); err == nil { // it may have taken hours, in which the session may have ended
		_, err = a.CRM.TokenSession(c.Request.Context(), session.ID)
	}
	return upload, err
}

func (a *API) parts(c *gin.Context, fields []string, store func(name string, part *multipart.Part) (*crm.Upload, error), read func(name, text string)) (upload *crm.Upload, err error) {
	server.BoundUpload(c.Writer, c.Request, answerTime)
	limit := a.CRM.FileLimit() + maxBody
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
	r, err := c.Request.MultipartReader()
	if err != nil {
		return nil, crm.Invalid("body", "must be multipart/form-data: %v", err)
	}
	seen := map[string]bool{}
	for range maxFormParts {
		part, err := r.NextPart()
		if err == io.EOF {
			return upload, nil
		}
		if err != nil {
			return upload, formViolation(err)
		}
		name := part.FormName()
		if seen[name] && slices.Contains(fields, name) {
			return upload, once(name)
		}
		seen[name] = true
		if name == "file" && part.FileName() != "" {
			upload, err = store(part.FileName(), part)
		} else {
			var text string
			if text, err = fieldOf(part); err == nil {
				read(name, text)
			}
		}
		if err != nil {
			return upload, err
		}
	}
	return upload, crm.Invalid("body", "has more than %d parts", maxFormParts)
}

// fieldOf returns the text of a field of a form.
func fieldOf(part *multipart.Part) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(part, maxFormField+1))
	if err != nil {
		return "", formViolation(err)
	}
	switch {
	case len(raw) > maxFormField:
		return "", crm.Invalid(part.FormName(), "is longer than %d bytes", maxFormField)
	case !utf8.Valid(raw):
		return "", crm.Invalid(part.FormName(), "must be valid UTF-8")
	}
	return string(raw), nil
}

// read takes one field of the form.
func (in *fileInput) read(name, text string, more *common) {
	switch name {
	case "file":
		in.File = text
	case "fileName":
		in.FileName = text
	case "caption":
		in.Caption = text
	case "type":
		in.Type = text
	case "tracking":
		more.Tracking = &text
	case "quotedMessageId":
		id := crm.MakeID("", text)
		more.QuotedMessageID = &id
	}
}

func formViolation(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &crm.Error{Code: crm.CodeTooLarge, Message: fmt.Sprintf("the request is over %d bytes", tooLarge.Limit)}
	}
	return crm.Invalid("body", "must be multipart/form-data: %v", err)
}
