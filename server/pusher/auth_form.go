package pusher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"chatcast/channels"
	"chatcast/server"
)

// maxAuthBody is a limit in bytes: far more than two short fields and the fields that
// an application adds to its requests.
const maxAuthBody = 16 << 10

// authForm is the validated request of a client.
type authForm struct {
	socketID string
	channel  channels.Name // of /broadcasting/auth

	resume     string // of /broadcasting/auth: what to resume after, or one of the other places; empty: nothing is resumed
	previousID string // of the same: the client's socket before this one; empty: unknown
	callback   string // of a GET; empty: answer JSON
}

// readAuthForm reads the query of a GET, and the form (of both kinds) or JSON body of a POST. It
// ignores unknown fields.
//
// Malformed input is answered with 422 and the name of the field, as in the rest of the
// API and in Laravel's validation. (Laravel's own broadcasting controller does not
// validate: it answers 403 to an empty channel name and 500 to a bad socket_id, which
// helps nobody.)
func readAuthForm(w http.ResponseWriter, r *http.Request) (*authForm, error) {
	form, fields, err := readSocketForm(w, r, "channel_name", fieldLastEventID, fieldLastEventIDs, fieldPreviousID)
	if err != nil {
		return nil, err
	}
	full, ok := fields["channel_name"]
	if !ok {
		return nil, invalidField("channel_name", "is required")
	}
	if form.channel, err = channels.Parse(full); err != nil {
		return nil, invalidField("channel_name", "%s", strings.TrimPrefix(err.Error(), "channels: "))
	}
	var given bool
	form.previousID, given = fields[fieldPreviousID]
	if form.previousID != "" && !ValidSocketID(form.previousID) {
		return nil, invalidField(fieldPreviousID, "must be the id of the socket that the client had before: digits, a dot and digits")
	}
	form.resume, err = readResume(fields, full)
	switch {
	case form.resume != "" || !given:
	case form.previousID == "":
		form.resume = resumeNow
	default:
		form.resume = resumePrevious
	}
	return form, err
}

// readSocketForm reads the fields that every form has, and the fields with the given
// names.
func readSocketForm(w http.ResponseWriter, r *http.Request, names ...string) (*authForm, map[string]string, error) {
	fields, err := authFields(w, r, append(names, "socket_id"))
	if err != nil {
		return nil, nil, err
	}
	form := &authForm{callback: fields["callback"]}
	if form.callback != "" && !callbackPattern.MatchString(form.callback) {
		return nil, nil, invalidField("callback", "must be the name of a function, such as Pusher.auth_callbacks['1']")
	}
	var ok bool
	if form.socketID, ok = fields["socket_id"]; !ok {
		return nil, nil, invalidField("socket_id", "is required")
	}
	if !ValidSocketID(form.socketID) {
		return nil, nil, invalidField("socket_id", "must be digits, a dot and digits, as the server gave it to the socket")
	}
	return form, fields, nil
}

// callbackPattern matches a name whose parts are joined by dots or brackets, and
// nothing that could be more than a call.
var callbackPattern = regexp.MustCompile(`\A[A-Za-z_$][A-Za-z0-9_$]{0,63}(?:\.[A-Za-z_$][A-Za-z0-9_$]{0,63}|\[(?:[0-9]{1,20}|'[A-Za-z0-9_$]{1,64}'|"[A-Za-z0-9_$]{1,64}")\]){0,8}\z`)

func authFields(w http.ResponseWriter, r *http.Request, names []string) (map[string]string, error) {
	if r.Method == http.MethodGet {
		return formFields(r.URL.RawQuery, append(names, "callback"))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAuthBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &authError{status: http.StatusRequestEntityTooLarge, code: server.CodeTooLarge, message: fmt.Sprintf("the body is over %d bytes", maxAuthBody)}
	case err != nil:
		return nil, invalidField("body", "could not be read to its end")
	}
	contentType := r.Header.Get("Content-Type")
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err == nil && mediaType == "multipart/form-data" {
		return multipartFields(body, params["boundary"], names)
	}
	if !utf8.Valid(body) {
		return nil, invalidField("body", "is not valid UTF-8")
	}
	switch {
	case contentType == "" || err == nil && mediaType == "application/x-www-form-urlencoded":
		return formFields(string(body), names)
	case err == nil && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")):
		return jsonFields(body, names)
	}
	return nil, invalidField("body", "must be application/x-www-form-urlencoded, multipart/form-data or application/json")
}

// formFields reads a form, which may hold a raw ";" as channel names do.
func formFields(raw string, names []string) (map[string]string, error) {
	fields := make(map[string]string)
	for pair := range strings.SplitSeq(raw, "&") {
		k, v, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(k)
		if err != nil || !slices.Contains(names, key) {
			continue
		}
		value, err := url.QueryUnescape(v)
		if err != nil || !utf8.ValidString(value) {
			return nil, invalidField(key, "is not percent-encoded UTF-8")
		}
		if _, twice := fields[key]; twice {
			return nil, invalidField(key, "is given twice")
		}
		fields[key] = value
	}
	return fields, nil
}

// multipartFields reads a form as fetch sends a FormData. Other fields of the form, files
// too, are ignored.
func multipartFields(body []byte, boundary string, names []string) (map[string]string, error) {
	if boundary == "" {
		return nil, invalidField("body", "is multipart/form-data without a boundary in Content-Type")
	}
	fields := make(map[string]string)
	for parts := multipart.NewReader(bytes.NewReader(body), boundary); ; {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return fields, nil
		}
		if err != nil {
			return nil, invalidField("body", "is not valid multipart/form-data")
		}
		key := part.FormName()
		if !slices.Contains(names, key) {
			continue
		}
		value, err := io.ReadAll(part)
		_, twice := fields[key]
		switch {
		case err != nil:
			return nil, invalidField("body", "is not valid multipart/form-data")
		case twice:
			return nil, invalidField(key, "is given twice")
		case part.FileName() != "":
			return nil, invalidField(key, "must be a field, not a file")
		case !utf8.Valid(value):
			return nil, invalidField(key, "is not valid UTF-8")
		}
		fields[key] = string(value)
	}
}

// jsonFields reads a JSON object. It refuses a number for socket_id instead of
// formatting it, because the number has already lost digits.
func jsonFields(body []byte, names []string) (map[string]string, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, invalidField("body", "must be a JSON object, not %s", wrong.Value)
		}
		return nil, invalidField("body", "must be JSON: %v", err)
	}
	if twice := server.RepeatedName(body, 1); twice != "" {
		return nil, invalidField(twice, "is given twice")
	}
	fields := make(map[string]string)
	for key, raw := range object {
		if !slices.Contains(names, key) {
			continue
		}
		if key == fieldLastEventID || key == fieldLastEventIDs {
			if text := bytes.TrimSpace(raw); text[0] != '"' && string(text) != "null" {
				fields[key] = string(text)
				continue
			}
		}
		var value *string
		err := json.Unmarshal(raw, &value)
		var wrong *json.UnmarshalTypeError
		switch {
		case errors.As(err, &wrong):
			return nil, invalidField(key, "must be a string, not %s", wrong.Value)
		case err != nil:
			return nil, invalidField(key, "must be a string")
		case value != nil: // null counts as absent
			fields[key] = *value
		}
	}
	return fields, nil
}

func invalidField(field, format string, args ...any) *authError {
	why := fmt.Sprintf(format, args...)
	return &authError{
		status: http.StatusUnprocessableEntity, code: server.CodeValidation,
		message: field + " " + why, fields: map[string]string{field: why},
	}
}
