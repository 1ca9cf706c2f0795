package s3

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
)

// Error is an error of the store.
type Error struct {
	Op      string // the operation: "put", "get"
	Setting string // the name of the setting to look at; empty: none
	Message string // a sentence for a person
	Err     error  // the error of the service or the network; may be nil

	missing bool
}

func (e *Error) Error() string {
	text := "s3: " + e.Op + ": "
	if e.Setting != "" {
		text += e.Setting + ": "
	}
	return text + e.Reason()
}

// Reason returns the message and the error of the service or the network.
func (e *Error) Reason() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + " (" + strings.TrimSpace(e.Err.Error()) + ")"
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is fs.ErrNotExist and e is about a missing object.
func (e *Error) Is(target error) bool { return e.missing && target == fs.ErrNotExist }

// notMissing returns err, or nil when err is fs.ErrNotExist.
func notMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// meanings maps S3's error codes to the setting or the cause to blame.
var meanings = map[string]Error{
	"NoSuchBucket":                 {Setting: "bucket", Message: "there is no such bucket"},
	"InvalidBucketName":            {Setting: "bucket", Message: "the service does not take this name"},
	"InvalidAccessKeyId":           {Setting: "access_key", Message: "the service does not know it"},
	"SignatureDoesNotMatch":        {Setting: "secret_key", Message: "does not belong to the access key"},
	"AccessDenied":                 {Setting: "access_key", Message: "is not allowed to do this in the bucket"},
	"AccountProblem":               {Setting: "access_key", Message: "the account cannot be used"},
	"AllAccessDisabled":            {Setting: "access_key", Message: "the account cannot be used"},
	"AuthorizationHeaderMalformed": {Setting: "region", Message: "is not the bucket's"},
	"InvalidRegion":                {Setting: "region", Message: "is not the bucket's"},
	"PermanentRedirect":            {Setting: "endpoint", Message: "the bucket is served elsewhere"},
	"RequestTimeTooSkewed":         {Message: "the clock of this machine is wrong"},
}

// asError converts an error of minio. When ctx has ended, it returns ctx's cause.
func asError(ctx context.Context, op string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var resp minio.ErrorResponse
	if !errors.As(err, &resp) {
		return &Error{Op: op, Setting: "endpoint", Message: "cannot be reached", Err: err}
	}
	known, ok := meanings[resp.Code]
	switch {
	case ok:
		if known.Op, known.Err = op, err; resp.Code == "AccessDenied" {
			known.Message += ": " + op
		}
		return &known
	case resp.Code == "NoSuchKey" || resp.Code == "NoSuchUpload":
		return &Error{Op: op, Message: "there is no such object", Err: err, missing: true}
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return &Error{Op: op, Setting: "endpoint", Message: "the service cannot do it now", Err: err}
	}
	return &Error{Op: op, Message: "the service refuses", Err: err}
}
