package evolution

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"chatcast/server"
)

// errForm reports a form that is none.
var errForm = errors.New("a sign after % is no hexadecimal digit")

// formText reads a name or a value of a form without parts, decoded.
type formText struct {
	from *bufio.Reader
	name bool // it ends at =, too
	plus byte // what a + stands for
	end  byte // after the end: &, = or 0, which is the end of the form
	over bool
}

// Read implements io.Reader.
func (f *formText) Read(p []byte) (n int, err error) {
	for n < len(p) && !f.over {
		b, err := f.from.ReadByte()
		switch {
		case err == io.EOF:
			f.over = true
			continue
		case err != nil:
			return n, err
		case b == '&' || b == '=' && f.name:
			f.over, f.end = true, b
			continue
		case b == '+':
			b = f.plus
		case b == '%':
			if b, err = f.hex(); err != nil {
				return n, err
			}
		}
		p[n] = b
		n++
	}
	if n == 0 && f.over {
		return 0, io.EOF
	}
	return n, nil
}

func (f *formText) hex() (byte, error) {
	var digits [2]byte
	if _, err := io.ReadFull(f.from, digits[:]); err == io.EOF || err == io.ErrUnexpectedEOF {
		return 0, errForm
	} else if err != nil {
		return 0, err
	}
	b, err := strconv.ParseUint(string(digits[:]), 16, 8)
	if err != nil {
		return 0, errForm
	}
	return byte(b), nil
}

// readMediaForm reads a form without parts of any length: its file goes to the file store as it comes,
// as that of JSON does. In a file + is itself: clients forget to encode it, and base64 has no blanks.
func (q *request) readMediaForm() error {
	limit := q.e.mediaLimit()
	if q.c.Request.ContentLength > limit {
		return errTooLarge(limit)
	}
	server.BoundUpload(q.c.Writer, q.c.Request, uploadTime)
	from := bufio.NewReaderSize(http.MaxBytesReader(q.c.Writer, q.c.Request.Body, limit), longText)
	q.raw, q.formLeft = object{}, maxBody
	for range maxValues {
		name := &formText{from: from, name: true, plus: ' '}
		key, err := q.formText(name)
		value := &formText{from: from, plus: ' '}
		if err == nil && name.end == '=' {
			err = q.formField(key, value)
		} else if value.end = name.end; err == nil && key != "" {
			q.addField(key, "")
		}
		if err != nil {
			return q.longBodyError(err, limit)
		}
		if value.end == 0 {
			q.mendContent()
			return nil
		}
	}
	return bad("the form has more than " + strconv.Itoa(maxValues) + " fields")
}

// formField reads the value of a field. That of a file is stored when it is long.
func (q *request) formField(name string, value *formText) error {
	if !slices.Contains(fileFields, name) {
		text, err := q.formText(value)
		if err == nil {
			q.addField(name, text)
		}
		return err
	}
	if name != fieldContent {
		value.plus = '+'
	}
	head, err := io.ReadAll(io.LimitReader(value, longText))
	if err != nil {
		return err
	}
	if len(head) == longText {
		value.plus = '+'
		return q.takeText(name, io.MultiReader(bytes.NewReader(bytes.ReplaceAll(head, []byte(" "), []byte("+"))), value))
	}
	if q.formLeft -= int64(len(head)); q.formLeft < 0 {
		return errRestTooLong
	}
	if !utf8.Valid(head) {
		return bad("the body must be valid UTF-8")
	}
	q.addField(name, string(head))
	return nil
}

// fieldContent is the field of a story's file, or of its text.
const fieldContent = "content"

// mendContent makes the blanks of a story's file what they were.
func (q *request) mendContent() {
	if content, held := q.raw[fieldContent].(string); held && q.raw["type"] != "text" {
		q.raw[fieldContent] = strings.ReplaceAll(content, " ", "+")
	}
}

// formText reads a text that is held in memory.
func (q *request) formText(from io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(from, q.formLeft+1))
	if q.formLeft -= int64(len(text)) + 1; err == nil && q.formLeft < 0 {
		err = errRestTooLong
	}
	if err == nil && !utf8.Valid(text) {
		err = bad("the body must be valid UTF-8")
	}
	return string(text), err
}

// addField adds a field to the body. One that comes again makes it a list, as forms write it.
func (q *request) addField(name, value string) {
	before, has := q.raw[name]
	if !has {
		q.raw[name] = value
		return
	}
	list, is := before.([]any)
	if !is {
		list = []any{before}
	}
	q.raw[name] = append(list, value)
}
