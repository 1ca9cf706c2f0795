package evolution

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"chatcast/crm"
	"chatcast/server"
)

// longText is the length in bytes from which the text of a file goes to the file store as it
// comes. What is shorter stays in the body.
const longText = 64 << 10

// filePaths returns where a body of the route may have its file.
func (rt *route) filePaths() (paths []string) {
	paths = append(paths, fileFields...)
	for _, l := range rt.lifts {
		if slices.Contains(fileFields, l.to) {
			paths = append(paths, l.from)
		}
	}
	return paths
}

// readLongJSON reads a body of any length: its file goes to the file store as it comes. Clients
// quote messages with the files that these had; those are left out.
func (q *request) readLongJSON() ([]byte, error) {
	limit := q.e.mediaLimit()
	if q.c.Request.ContentLength > limit {
		return nil, errTooLarge(limit)
	}
	server.BoundUpload(q.c.Writer, q.c.Request, uploadTime)
	files := q.rt.filePaths()
	s := jsonStream{
		from: bufio.NewReaderSize(http.MaxBytesReader(q.c.Writer, q.c.Request.Body, limit), longText), long: longText, limit: maxBody,
		take: func(path string) func(io.Reader) error {
			switch {
			case slices.Contains(files, path):
				return func(r io.Reader) error { return q.takeText(path, r) }
			case strings.HasPrefix(path, "quoted.message."), strings.HasPrefix(path, "options.quoted.message."):
				return func(io.Reader) error { return nil }
			}
			return nil
		},
	}
	rest, err := s.restOf()
	if err == nil && !utf8.Valid(rest) {
		err = bad("the body must be valid UTF-8")
	}
	if err != nil {
		return nil, q.longBodyError(err, limit)
	}
	return rest, nil
}

// longBodyError gives the error of reading a body of any length its form.
func (q *request) longBodyError(err error, limit int64) error {
	var over *http.MaxBytesError
	var refused *refusal
	var of *crm.Error
	switch {
	case errors.As(err, &over):
		return errTooLarge(limit)
	case err == errRestTooLong:
		return errTooLarge(maxBody)
	case err == errSyntax || err == errDeep:
		return bad("the body must be JSON: " + err.Error())
	case err == errForm:
		return bad("the body must be a form: " + err.Error())
	case errors.As(err, &refused), errors.As(err, &of), q.ctx.Err() != nil:
		return err
	}
	return bad("the body could not be read whole")
}

// mediaLimit is how long a body with a file may be: as long as the largest file is in base64, with
// room for the ends of lines.
func (e *Evolution) mediaLimit() int64 { return e.CRM.FileLimit()*3/2 + maxBody }

// takeText stores the file that the long text at a path is in base64.
func (q *request) takeText(path string, r io.Reader) error {
	if q.upload != nil {
		return bad("the body has more than one file")
	}
	from := bufio.NewReader(r)
	head, err := from.Peek(maxDataURL)
	if err != nil {
		return err
	}
	if mimeType, data, is := cutDataURL(string(head)); is {
		q.uploadType = mimeType
		_, _ = from.Discard(len(head) - len(data)) // it was peeked at
	}
	data := &base64Reader{from: base64.NewDecoder(base64.RawStdEncoding, &unpadded{from: from})}
	u, err := q.store("", "", data)
	if data.wrong {
		u.Discard()
		if strings.HasPrefix(path, "audio") {
			return bad(textAudio)
		}
		return bad(textMedia)
	}
	q.upload, q.uploadText = u, true
	return err
}

// maxDataURL is how many bytes a data URL may have before its data.
const maxDataURL = 512

// cutDataURL takes the beginning of a data URL off, and returns the type that it says.
func cutDataURL(text string) (mimeType, data string, is bool) {
	head, data, is := strings.Cut(text, ";base64,")
	if !is || !strings.HasPrefix(head, "data:") {
		return "", text, false
	}
	return strings.TrimPrefix(head, "data:"), data, true
}

// unpadded reads base64 without the signs at its end, and without ends of lines. What stands
// after signs of an end is kept, so that it is no base64.
type unpadded struct {
	from io.Reader
	over bool
}

func (u *unpadded) Read(p []byte) (int, error) {
	for {
		n, err := u.from.Read(p)
		kept := p[:0]
		for _, b := range p[:n] {
			switch {
			case b == '\r' || b == '\n' || b == ' ' || b == '\t':
			case b == '=':
				u.over = true
			case u.over:
				kept = append(kept, '=')
			default:
				kept = append(kept, b)
			}
		}
		if len(kept) > 0 || err != nil {
			return len(kept), err
		}
	}
}
