package pusher

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting/apps"
	"chatcast/channels"
	"chatcast/server"
)

// Limits of bodies: just enough for every valid body. Each byte of data may be escaped
// as six, and the rest is small.

func oneEvent(l apps.Limits) int {
	return 6*l.EventBytes + l.ChannelsPerEvent*(channels.MaxLength+8) + 8<<10
}

func oneBatch(l apps.Limits) int { return l.EventsPerBatch * (6*l.EventBytes + 8<<10) }

func oneData(l apps.Limits) int { return l.EventBytes }

func nothing(apps.Limits) int { return 8 << 10 } // libraries send {}

// readBody reads the body of a signed request. The body may have at most limit bytes,
// both before and after it is decompressed. body_md5 is of the bytes on the wire.
func readBody(c *gin.Context, q query, limit int) ([]byte, *apiError) {
	r := c.Request
	zipped := false
	switch encoding := strings.ToLower(strings.TrimSpace(strings.Join(r.Header.Values("Content-Encoding"), ","))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		zipped = true
	default:
		return nil, &apiError{Status: http.StatusUnsupportedMediaType, Message: "Content-Encoding may be gzip, and nothing else"}
	}
	if r.ContentLength > int64(limit) {
		return nil, tooLarge("the body is over %d bytes", limit)
	}
	body, apiErr := readAll(http.MaxBytesReader(c.Writer, r.Body, int64(limit)), limit, r.ContentLength)
	if apiErr == nil {
		apiErr = checkMD5(q.get("body_md5"), body)
	}
	if apiErr != nil || !zipped || len(body) == 0 {
		return body, apiErr
	}
	return unzip(body, limit)
}

// readAll reads r to its end. announced is the announced length, which is trusted only
// up to a small size.
func readAll(r io.Reader, limit int, announced int64) ([]byte, *apiError) {
	var b bytes.Buffer
	b.Grow(int(min(max(announced, 0), 16<<10)) + bytes.MinRead)
	_, err := b.ReadFrom(r)
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge("the body is over %d bytes", limit)
	case err != nil:
		return nil, badRequest("the body could not be read to its end")
	}
	return b.Bytes(), nil
}

func unzip(body []byte, limit int) ([]byte, *apiError) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, badRequest("the body is not gzip, as Content-Encoding says")
	}
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, int64(limit)+1))
	switch {
	case n > int64(limit): // first, because the end of the body was not read then
		return nil, tooLarge("the body is over %d bytes when it is decompressed", limit)
	case err != nil:
		return nil, badRequest("the body is damaged gzip")
	}
	return b.Bytes(), nil
}

// decodeObject is json.Unmarshal for a JSON object, with error messages of our own. A
// repeated field is an error, because another reader may take the other value.
func decodeObject(body []byte, dst any, at place) *apiError {
	err := json.Unmarshal(body, dst)
	if err != nil {
		return at.decodeError(err)
	}
	if body = bytes.TrimSpace(body); body[0] != '{' {
		return badRequest("%s must be a JSON object, not %s", at, body) // null, which Unmarshal accepts
	}
	if twice := server.RepeatedName(body, 1); twice != "" {
		return badRequest("%s%s is given twice", at.prefix(), twice)
	}
	return nil
}

// place is the position of an object in the body: its index in a batch.
type place int

const wholeBody place = -1

func (at place) String() string {
	if at == wholeBody {
		return "the body"
	}
	return "batch[" + strconv.Itoa(int(at)) + "]"
}

// prefix returns the prefix of the names of the object's fields.
func (at place) prefix() string {
	if at == wholeBody {
		return ""
	}
	return at.String() + "."
}

// decodeError turns an error of json.Unmarshal into a message of our own.
func (at place) decodeError(err error) *apiError {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "data":
		return badRequest("%sdata must be a string, not %s: encode the JSON yourself", at.prefix(), wrong.Value)
	case errors.As(err, &wrong) && wrong.Field != "":
		return badRequest("%s%s may not be %s", at.prefix(), wrong.Field, wrong.Value)
	case errors.As(err, &wrong):
		return badRequest("%s must be a JSON object, not %s", at, wrong.Value)
	}
	return badRequest("%s is not JSON: %v", at, err)
}

// checkUTF8 is needed because the JSON decoder would replace invalid UTF-8 with U+FFFD,
// and so change what was published.
func checkUTF8(body []byte) *apiError {
	if !utf8.Valid(body) {
		return badRequest("the body is not valid UTF-8")
	}
	return nil
}
