package evolution

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"chatcast/crm"
	"chatcast/server"
)

// Limits of bodies, in bytes. A file goes to the file store as it comes, whether it is in JSON or in a
// form. What is held in memory is bounded by server.Bodies.
const (
	maxBody      = 1 << 20
	pictureBody  = crm.MaxPicture*3/2 + maxBody
	maxFormParts = 40
	maxValues    = 50_000 // of JSON, not bytes

	uploadTime = 5 * time.Minute // to store an upload and answer
)

// readBody reads the body, lifts the words of version 1, and checks it.
func (q *request) readBody() error {
	kind, parameters, err := mime.ParseMediaType(q.c.GetHeader("Content-Type"))
	if err != nil {
		kind = ""
	}
	form := true
	switch {
	case kind == "multipart/form-data" && q.rt.media:
		err = q.readParts(parameters["boundary"])
	case kind == "multipart/form-data":
		err = bad("a form with a file is not accepted here")
	case kind == "application/x-www-form-urlencoded":
		err = q.readForm()
	default:
		form = false
		err = q.readJSON()
	}
	if err != nil {
		return err
	}
	q.body = lifted(q.raw, q.rt.lifts)
	if q.upload != nil {
		for _, name := range fileFields {
			delete(q.body, name)
		}
	}
	wrong := q.rt.body.check("instance", q.body, form)
	if q.upload != nil {
		wrong = withoutFile(wrong)
	}
	if len(wrong) > 0 {
		return q.violations(wrong)
	}
	return nil
}

// violations returns the error for what is wrong with the body.
func (q *request) violations(wrong []violation) error {
	if q.rt.groupErrors {
		list := make([]any, len(wrong))
		for i, v := range wrong {
			list[i] = struct {
				Property string `json:"property"`
				Message  string `json:"message"`
			}{v.property(), v.String()}
		}
		return &refusal{status: http.StatusBadRequest, message: list}
	}
	sentences := make([]string, len(wrong))
	for i, v := range wrong {
		sentences[i] = v.String()
	}
	if q.rt.flatErrors {
		return &refusal{status: http.StatusBadRequest, message: sentences, flat: true}
	}
	return &refusal{status: http.StatusBadRequest, message: [][]string{sentences}}
}

// errTooLarge answers a body that is over the limit.
func errTooLarge(limit int64) error {
	return &refusal{status: http.StatusRequestEntityTooLarge, message: []string{fmt.Sprintf("the body is over %d bytes: send large files by their address, or in a form", limit)}}
}

// errBodyMemory answers while others have all memory for large bodies.
var errBodyMemory = &refusal{status: http.StatusServiceUnavailable, message: []string{"too many large bodies at once: send files by their address, or in a form"}, retryAfter: 10}

func (q *request) readJSON() error {
	read := q.readAll
	if q.isLong() {
		read = q.readLongJSON
	}
	raw, err := read()
	if err != nil {
		return err
	}
	q.raw = object{}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	if server.JSONValues(raw) > maxValues {
		return bad(fmt.Sprintf("the body has more than %d values", maxValues))
	}
	value, err := parseJSON(raw)
	if err != nil {
		return bad("the body must be JSON: " + err.Error())
	}
	o, is := value.(object)
	if !is {
		return bad("the body must be a JSON object")
	}
	q.raw = o
	return nil
}

// isLong reports whether the body may have a file that is too long to be held in memory.
func (q *request) isLong() bool {
	size := q.c.Request.ContentLength
	return q.rt.media && (size < 0 || size > maxBody)
}

// readAll reads the whole body. A large one waits until others have released the memory.
func (q *request) readAll() ([]byte, error) {
	limit := int64(maxBody)
	if q.rt.picture {
		limit = pictureBody
	}
	raw, release, err := q.e.Bodies.Read(q.c.Writer, q.c.Request, q.key.CompanyID, limit)
	q.releases = append(q.releases, release)
	switch {
	case errors.Is(err, server.ErrTooLarge):
		return nil, errTooLarge(limit)
	case errors.Is(err, server.ErrBodyMemory):
		return nil, errBodyMemory
	case errors.Is(err, server.ErrSlowBody):
		return nil, bad("the body came too slowly: send large files by their address, or in a form")
	case err != nil && q.ctx.Err() != nil:
		return nil, err
	case err != nil:
		return nil, bad("the body could not be read whole")
	case !utf8.Valid(raw):
		return nil, bad("the body must be valid UTF-8")
	}
	return raw, nil
}

// hold waits until the request may have so many bytes in memory, which it has to its end.
func (q *request) hold(size int64) error {
	release, err := q.e.Bodies.Hold(q.ctx, q.key.CompanyID, size)
	if errors.Is(err, server.ErrBodyMemory) {
		return errBodyMemory
	}
	if err == nil {
		q.releases = append(q.releases, release)
	}
	return err
}

func (q *request) readForm() error {
	if q.rt.media {
		return q.readMediaForm()
	}
	raw, err := q.readAll()
	if err != nil {
		return err
	}
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return bad("the body must be a form: " + err.Error())
	}
	q.raw = object{}
	for name, all := range values {
		if len(all) == 1 {
			q.raw[name] = all[0]
			continue
		}
		list := make([]any, len(all))
		for i, v := range all {
			list[i] = v
		}
		q.raw[name] = list
	}
	return nil
}

// fileFields are the fields that the file of a form stands for.
var fileFields = []string{"media", "audio", "video", "sticker", "content"}

// withoutFile leaves out that the field is missing that the form's file stands for.
func withoutFile(wrong []violation) (rest []violation) {
	for _, v := range wrong {
		of := false
		for _, name := range fileFields {
			of = of || v.text == fmt.Sprintf("requires property %q", name)
		}
		if !of {
			rest = append(rest, v)
		}
	}
	return rest
}

// readParts reads a form with a file, which goes to the file store as it comes.
func (q *request) readParts(boundary string) error {
	if boundary == "" {
		return bad("the form has no boundary")
	}
	server.BoundUpload(q.c.Writer, q.c.Request, uploadTime)
	q.c.Request.Body = http.MaxBytesReader(q.c.Writer, q.c.Request.Body, q.e.CRM.FileLimit()+maxBody)
	parts := multipart.NewReader(q.c.Request.Body, boundary)
	q.raw, q.formLeft = object{}, maxBody
	for range maxFormParts {
		part, err := parts.NextPart()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = q.readPart(part)
		}
		var refused *refusal
		var of *crm.Error
		var over *http.MaxBytesError
		switch {
		case err == nil:
		case errors.As(err, &over):
			return errTooLarge(over.Limit)
		case errors.As(err, &refused), errors.As(err, &of), q.ctx.Err() != nil:
			return err
		default:
			return bad("the form could not be read whole")
		}
	}
	return bad(fmt.Sprintf("the form has more than %d fields", maxFormParts))
}

// store stores the file of a body.
func (q *request) store(name, mimeType string, r io.Reader) (*crm.Upload, error) {
	if q.rt.status {
		return q.e.CRM.StoreStatusFile(q.ctx, q.actor, q.line(), name, mimeType, r)
	}
	return q.e.CRM.StoreUpload(q.ctx, q.actor, crm.ChatAddress{Line: q.line()}, name, mimeType, r)
}

func (q *request) readPart(part *multipart.Part) error {
	defer part.Close()
	name := part.FormName()
	if name == "file" && q.upload == nil {
		u, err := q.store(part.FileName(), part.Header.Get("Content-Type"), part)
		q.upload = u
		return err
	}
	if name == "file" {
		return bad("the form has more than one file")
	}
	value, err := io.ReadAll(io.LimitReader(part, q.formLeft+1))
	q.formLeft -= int64(len(value))
	switch {
	case err != nil:
		return err
	case q.formLeft < 0:
		return &refusal{status: http.StatusRequestEntityTooLarge, message: []string{fmt.Sprintf("the fields of the form are over %d bytes", maxBody)}}
	case !utf8.Valid(value) || !utf8.ValidString(name):
		return bad("the form must be valid UTF-8")
	}
	q.addField(name, string(value))
	return nil
}
