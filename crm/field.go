package crm

import (
	"bytes"
	"encoding/json"
)

// Field is a field of a request's body. It distinguishes absent, null and a value; an
// absent field leaves the old value as it is.
type Field[T any] struct {
	Set   bool // the field was given, perhaps as null
	Null  bool
	Value T
}

// Value returns a Field that was given.
func Value[T any](v T) Field[T] { return Field[T]{Set: true, Value: v} }

// Null returns a Field that was given as null.
func Null[T any]() Field[T] { return Field[T]{Set: true, Null: true} }

// UnmarshalJSON implements json.Unmarshaler.
func (f *Field[T]) UnmarshalJSON(b []byte) error {
	f.Set = true
	if f.Null = bytes.Equal(b, []byte("null")); f.Null {
		return nil
	}
	return json.Unmarshal(b, &f.Value)
}

// pointer returns a pointer to the value, or nil for null.
func (f Field[T]) pointer() *T {
	if f.Null {
		return nil
	}
	v := f.Value
	return &v
}

// required returns an error when the field is absent or null.
func (f Field[T]) required(name string) error {
	if !f.Set || f.Null {
		return Invalid(name, "is required")
	}
	return nil
}

// notNull returns an error when the field was given as null.
func (f Field[T]) notNull(name string) error {
	if f.Null {
		return Invalid(name, "must not be null")
	}
	return nil
}

// given returns an error when the field is absent. null describes the effect of null,
// which is allowed.
func (f Field[T]) given(name, null string) error {
	if !f.Set {
		return Invalid(name, "is required (null %s)", null)
	}
	return nil
}

// into sets dst to the value when the field was given, and reports whether that
// changed it.
func into[T comparable](dst *T, f Field[T]) bool {
	if !f.Set || f.Null || *dst == f.Value {
		return false
	}
	*dst = f.Value
	return true
}

// intoNullable sets dst to the value, or to nil for null, when the field was given and is
// another one.
func intoNullable[T comparable](dst **T, f Field[T]) {
	if f.Set && !same(*dst, f.pointer()) {
		*dst = f.pointer()
	}
}

// deref returns what p points to, or the zero value when p is nil.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// same reports whether two nullable columns are equal.
func same[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
