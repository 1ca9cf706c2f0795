package crm

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkText refuses what no text of ours may be: not UTF-8, with a NUL (which
// PostgreSQL cannot store), or longer than max characters.
func checkText(field, s string, max int) error {
	switch {
	case !utf8.ValidString(s):
		return Invalid(field, "must be valid UTF-8")
	case strings.IndexByte(s, 0) >= 0:
		return Invalid(field, "must not contain the character U+0000")
	case utf8.RuneCountInString(s) > max:
		return Invalid(field, "is longer than %d characters", max)
	}
	return nil
}

// checkRequired is checkText for a text that must not be empty.
func checkRequired(field, s string, max int) error {
	if strings.TrimSpace(s) == "" {
		return Invalid(field, "is required")
	}
	return checkText(field, s, max)
}

// checkOptional is checkText for a text that may be absent.
func checkOptional(field string, s *string, max int) error {
	if s == nil {
		return nil
	}
	return checkText(field, *s, max)
}

// allViolations collects the errors of several checks into one answer, so that a
// client can mend all of them at once. An error that is not about a field is
// returned as it is.
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
			all.Message = strings.TrimSuffix(e.Message, howMany(e.Fields)) // e may be of this function too
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

// howMany says at the end of a message, which names one field, that it is not the
// only one.
func howMany(fields map[string]string) string {
	if len(fields) < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d fields are wrong)", len(fields))
}
