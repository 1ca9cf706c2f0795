package apps

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxName is the maximum length of an app's name, in characters.
const MaxName = 255

// maxID is the maximum length of an id or key, in bytes.
const maxID = 64

// Violation is one error in the settings of an app. It holds no value that may be a
// secret.
type Violation struct {
	// Field is the name as in the configuration file: id, allowed_origins[0],
	// limits.sockets, webhooks[0].events[1], webhooks[0].headers.NAME.
	Field   string
	Message string // continues a sentence that begins with the field: "must be at most 32"
}

// Error implements error.
func (v Violation) Error() string { return v.Field + ": " + v.Message }

// Violations are all errors that were found.
type Violations []Violation

// Error names each violation.
func (vs Violations) Error() string {
	texts := make([]string, len(vs))
	for i, v := range vs {
		texts[i] = v.Error()
	}
	return strings.Join(texts, "; ")
}

// Err returns vs as an error, or nil when it is empty.
func (vs Violations) Err() error {
	if len(vs) == 0 {
		return nil
	}
	return vs
}

// checker collects violations.
type checker struct{ found Violations }

func (c *checker) add(field, format string, args ...any) {
	c.found = append(c.found, Violation{field, fmt.Sprintf(format, args...)})
}

func item(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

// Check returns every error in a, in the order of its fields. It does not require a
// secret, which may be generated later: see CheckServed.
func (a App) Check() Violations {
	c := &checker{}
	for _, f := range []struct{ field, value string }{{"id", a.ID}, {"key", a.Key}} {
		if !ValidID(f.value) {
			c.add(f.field, "must be 1 to %d letters, digits, - and _, for it stands in paths", maxID)
		}
	}
	checkName(c, a.Name)
	for i, entry := range a.AllowedOrigins {
		entry = strings.ToLower(strings.TrimSpace(entry))
		if why := originFault(entry); entry != "*" && why != "" {
			c.add(item("allowed_origins", i), "is no origin of a browser: %s; %s", why, originForm)
		}
	}
	checkWebhooks(c, a.Webhooks)
	checkHistory(c, a.History)
	a.Limits.check(c)
	return c.found
}

// CheckServed is Check for an app that is about to be served, which also needs a
// secret.
func (a App) CheckServed() Violations {
	found := a.Check()
	if a.Secret == "" {
		found = append(found, Violation{"secret", "is empty, so everybody could sign"})
	}
	return found
}

// CheckUnique returns a violation for each id and key that an earlier app in the list
// has, with fields such as apps[1].id.
func CheckUnique(list []App) Violations {
	c := &checker{}
	ids, keys := map[string]int{}, map[string]int{}
	for i, a := range list {
		for _, f := range []struct {
			name, value string
			seen        map[string]int
		}{{"id", a.ID, ids}, {"key", a.Key, keys}} {
			if first, twice := f.seen[f.value]; twice {
				c.add(item("apps", i)+"."+f.name, "%q is already used by apps[%d]", f.value, first)
				continue
			}
			f.seen[f.value] = i
		}
	}
	return c.found
}

// ValidID reports whether s can be an app's id or key.
func ValidID(s string) bool {
	for i := range len(s) {
		b := s[i]
		if !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_') {
			return false
		}
	}
	return s != "" && len(s) <= maxID
}

func checkName(c *checker, name string) {
	switch {
	case !utf8.ValidString(name):
		c.add("name", "must be valid UTF-8")
	case strings.IndexByte(name, 0) >= 0:
		c.add("name", "must not contain the character U+0000")
	case utf8.RuneCountInString(name) > MaxName:
		c.add("name", "is longer than %d characters", MaxName)
	}
}
