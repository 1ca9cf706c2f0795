package crm

import (
	"strings"
	"unicode/utf8"
)

// checkText returns an error for a text that is not UTF-8, contains a NUL (which
// PostgreSQL cannot store), or is longer than max characters.
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
