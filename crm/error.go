package crm

import (
	"errors"
	"fmt"
	"strings"

	"chatcast/models"
)

// Code tells a program what went wrong. The HTTP API maps each Code to a status.
type Code string

// Codes.
const (
	CodeInvalid     Code = "invalid"     // a field is wrong; Fields has the details
	CodeNoToken     Code = "no_token"    // no access token was given
	CodeBadToken    Code = "bad_token"   // the token is unknown or has expired
	CodeDenied      Code = "denied"      // known to the actor, but not allowed
	CodeNotFound    Code = "not_found"   // does not exist, or is another company's
	CodeConflict    Code = "conflict"    // the state does not allow it
	CodeTooLarge    Code = "too_large"   // over a limit of size
	CodeThrottled   Code = "throttled"   // too many requests; RetryAfter is the delay
	CodeUnavailable Code = "unavailable" // the messenger is not connected, the file store or the database unavailable, or too many searches run
)

// Error is an error that the caller can fix.
type Error struct {
	Code       Code
	Message    string            // a sentence for a person
	Fields     map[string]string // of CodeInvalid: the field's path and what is wrong with it
	RetryAfter int               // of CodeThrottled, and of CodeUnavailable for the database: seconds
	Quota      *Quota            // of CodeThrottled, when a limit that a line has set for itself is reached
}

func (e *Error) Error() string { return "crm: " + string(e.Code) + ": " + e.Message }

// Invalid returns an Error about one field.
func Invalid(field, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	return &Error{Code: CodeInvalid, Message: field + " " + msg, Fields: map[string]string{field: msg}}
}

func notFound(what string) *Error {
	return &Error{Code: CodeNotFound, Message: what + " not found"}
}

func isNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == CodeNotFound
}

func denied(message string) *Error {
	return &Error{Code: CodeDenied, Message: message}
}

func conflict(message string) *Error {
	return &Error{Code: CodeConflict, Message: message}
}

// orNotFound turns the store's ErrNotFound into an Error about what. It returns other
// errors as they are.
func orNotFound(err error, what string) error {
	if errors.Is(err, models.ErrNotFound) {
		return notFound(what)
	}
	return err
}

// allViolations joins the errors of several checks into one, so that a client can
// fix all of them at once. It returns nil when there are none. An error that is not
// about a field is returned as it is.
func allViolations(errs ...error) error {
	all := &Error{Code: CodeInvalid}
	for _, err := range errs {
		if err == nil {
			continue
		}
		e, ok := err.(*Error)
		if !ok || e.Code != CodeInvalid {
			return err
		}
		if all.Fields == nil {
			all.Fields = map[string]string{}
			all.Message = strings.TrimSuffix(e.Message, howMany(e.Fields)) // e may come from this function too
		}
		for field, msg := range e.Fields {
			all.Fields[field] = msg
		}
	}
	if len(all.Fields) == 0 {
		return nil
	}
	all.Message += howMany(all.Fields)
	return all
}

// howMany returns the end of a message that names one of several wrong fields: their
// number. It is empty when there is only one.
func howMany(fields map[string]string) string {
	if len(fields) < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d fields are wrong)", len(fields))
}
