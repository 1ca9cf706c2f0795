package api

import (
	"mime"
	"mime/multipart"
	"strings"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// statusFields are the fields of a form with the file of a status post.
var statusFields = []string{"file", "caption", "background", "receivers"}

// postStatus serves a status post: a text as JSON, or a file as a form.
func (a *API) postStatus(c *gin.Context, line crm.Line) (any, error) {
	var in crm.StatusPost
	if kind, _, _ := mime.ParseMediaType(c.GetHeader("Content-Type")); kind != "multipart/form-data" {
		if err := body(c, &in); err != nil {
			return nil, err
		}
		return a.CRM.PostStatus(c.Request.Context(), actor(c), line, in, nil)
	}
	upload, err := a.form(c, statusFields, func(name string, part *multipart.Part) (*crm.Upload, error) {
		return a.CRM.StoreStatusFile(c.Request.Context(), actor(c), line, name, part.Header.Get("Content-Type"), part)
	}, func(name, text string) {
		switch name {
		case "caption":
			in.Caption = text
		case "background":
			in.Background = text
		case "receivers":
			in.Receivers = strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
		}
	})
	if err == nil && upload == nil {
		err = crm.Invalid("file", "is required in a form")
	}
	if err != nil {
		upload.Discard()
		return nil, err
	}
	return a.CRM.PostStatus(c.Request.Context(), actor(c), line, in, upload)
}
