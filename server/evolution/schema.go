package evolution

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// schema holds the fields of a body. Fields that it does not have are ignored. The texts of its
// violations are those of Evolution's validator.
type schema []field

// Kinds of values, in JSON Schema's words.
const (
	kindString  = "string"
	kindInteger = "integer"
	kindNumber  = "number"
	kindBoolean = "boolean"
	kindArray   = "array"
	kindObject  = "object"
)

// field is one field of a body.
type field struct {
	name     string
	kind     string
	required bool
	enum     []string
	min, max float64 // of a number; NaN: any
	minLen   int     // of a text or a list
	maxLen   int     // 0: any
	unique   bool    // of a list
	pattern  *regexp.Regexp
	items    *field
	fields   schema
	text     string // stands in place of every violation of it
}

func of(name, kind string) field {
	return field{name: name, kind: kind, min: math.NaN(), max: math.NaN()}
}

func str(name string) field     { return of(name, kindString) }
func integer(name string) field { return of(name, kindInteger) }
func num(name string) field     { return of(name, kindNumber) }
func flag(name string) field    { return of(name, kindBoolean) }
func list(name string, items field) field {
	f := of(name, kindArray)
	f.items = &items
	return f
}
func obj(name string, fields ...field) field {
	f := of(name, kindObject)
	f.fields = fields
	return f
}

// must makes the field required.
func (f field) must() field { f.required = true; return f }

// some makes an empty text or list a violation.
func (f field) some() field { f.minLen = 1; return f }

func (f field) size(least, most int) field        { f.minLen, f.maxLen = least, most; return f }
func (f field) between(least, most float64) field { f.min, f.max = least, most; return f }
func (f field) one(of ...string) field            { f.enum = of; return f }
func (f field) distinct() field                   { f.unique = true; return f }
func (f field) like(form *regexp.Regexp) field    { f.pattern = form; return f }
func (f field) says(text string) field            { f.text = text; return f }

// violation is what is wrong with a field.
type violation struct{ path, text, says string }

// String returns the violation as a sentence.
func (v violation) String() string {
	if v.says != "" {
		return v.says
	}
	return v.path + " " + v.text
}

// property returns the name of the field without the body's.
func (v violation) property() string {
	if name, ok := strings.CutPrefix(v.path, "instance."); ok {
		return name
	}
	if name, ok := strings.CutPrefix(v.text, "requires property "); ok {
		return strings.Trim(name, `"`)
	}
	return v.path
}

// check returns what is wrong with a body, and removes from it the optional fields that are null
// or an empty text. In a form, texts become what the fields are.
func (s schema) check(at string, body object, form bool) (wrong []violation) {
	for _, f := range s {
		value, has := body[f.name]
		if !f.required && has && (value == nil || value == "") {
			delete(body, f.name)
			has = false
		}
		if !has && f.required {
			wrong = append(wrong, violation{at, "requires property " + strconv.Quote(f.name), f.text})
		}
	}
	for _, f := range s {
		if value, has := body[f.name]; has {
			if form {
				value = f.coerce(value)
				body[f.name] = value
			}
			wrong = append(wrong, f.check(at+"."+f.name, value, form)...)
		}
	}
	return wrong
}

// coerce returns the text of a form as what the field is. A text that is not that stays.
func (f field) coerce(value any) any {
	text, is := value.(string)
	if !is {
		return value
	}
	switch f.kind {
	case kindInteger, kindNumber:
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return json.Number(text)
		}
	case kindBoolean:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case kindArray, kindObject:
		if parsed, err := parseJSON([]byte(text)); err == nil {
			return parsed
		}
		if f.kind == kindArray && !strings.HasPrefix(text, "[") {
			return []any{text}
		}
	}
	return value
}

func (f field) check(at string, value any, form bool) (wrong []violation) {
	add := func(format string, args ...any) {
		wrong = append(wrong, violation{at, fmt.Sprintf(format, args...), f.text})
	}
	length := -1
	switch v := value.(type) {
	case string:
		if f.kind != kindString {
			add("is not of a type(s) %s", f.kind)
			return wrong
		}
		length = utf8.RuneCountInString(v)
		if f.pattern != nil && !f.pattern.MatchString(v) {
			add("does not match pattern %q", f.pattern)
		}
		if f.enum != nil && !slices.Contains(f.enum, v) {
			add("is not one of enum values: %s", strings.Join(f.enum, ","))
		}
	case bool:
		if f.kind != kindBoolean {
			add("is not of a type(s) %s", f.kind)
		}
		return wrong
	case json.Number:
		return append(wrong, f.checkNumber(at, v)...)
	case []any:
		if f.kind != kindArray {
			add("is not of a type(s) %s", f.kind)
			return wrong
		}
		length = len(v)
		wrong = append(wrong, f.checkItems(at, v, form)...)
	case map[string]any:
		if f.kind != kindObject {
			add("is not of a type(s) %s", f.kind)
			return wrong
		}
		return append(wrong, f.fields.check(at, v, form)...)
	default: // null
		add("is not of a type(s) %s", f.kind)
		return wrong
	}
	if length < f.minLen {
		add("does not meet minimum length of %d", f.minLen)
	}
	if f.maxLen > 0 && length > f.maxLen {
		add("does not meet maximum length of %d", f.maxLen)
	}
	return wrong
}

func (f field) checkNumber(at string, n json.Number) (wrong []violation) {
	add := func(format string, args ...any) {
		wrong = append(wrong, violation{at, fmt.Sprintf(format, args...), f.text})
	}
	x, err := n.Float64()
	switch {
	case err != nil, f.kind != kindInteger && f.kind != kindNumber, f.kind == kindInteger && (x != math.Trunc(x) || math.Abs(x) > 1<<53):
		add("is not of a type(s) %s", f.kind)
	case x < f.min:
		add("must be greater than or equal to %v", f.min)
	case x > f.max:
		add("must be less than or equal to %v", f.max)
	}
	return wrong
}

func (f field) checkItems(at string, items []any, form bool) (wrong []violation) {
	seen := map[any]bool{}
	for i, item := range items {
		wrong = append(wrong, f.items.check(fmt.Sprintf("%s[%d]", at, i), item, form)...)
		if text, is := item.(string); f.unique && is {
			if seen[text] {
				wrong = append(wrong, violation{at, "contains duplicate item", f.text})
			}
			seen[text] = true
		}
		if len(wrong) > maxViolations {
			break
		}
	}
	return wrong
}

// maxViolations is how many violations of a list are told.
const maxViolations = 20
