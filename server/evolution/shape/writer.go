package shape

import (
	"encoding/base64"
	"math"
	"strconv"

	"chatcast/server"
)

// writer writes JSON. Members of an object have names; values of an array have none. It
// puts the commas where they belong.
type writer struct {
	b    []byte
	open []byte // the closing signs of what is open

	file    string // see Emit.File
	content int    // see Emit.content
}

// next begins a value: with a comma if one stands before it, and with its name unless that
// is empty.
func (w *writer) next(name string) {
	if n := len(w.b); n > 0 {
		switch w.b[n-1] {
		case '{', '[', ':':
		default:
			w.b = append(w.b, ',')
		}
	}
	if name != "" {
		w.b = server.AppendString(w.b, name)
		w.b = append(w.b, ':')
	}
}

// key begins a member whose value is written next.
func (w *writer) key(name string) { w.next(name) }

func (w *writer) object(name string) {
	w.next(name)
	w.b = append(w.b, '{')
	w.open = append(w.open, '}')
}

func (w *writer) array(name string) {
	w.next(name)
	w.b = append(w.b, '[')
	w.open = append(w.open, ']')
}

// end ends the innermost object or array.
func (w *writer) end() {
	last := len(w.open) - 1
	w.b = append(w.b, w.open[last])
	w.open = w.open[:last]
}

func (w *writer) str(name, value string) {
	w.next(name)
	w.b = server.AppendString(w.b, value)
}

// optional writes a string, unless it is empty.
func (w *writer) optional(name, value string) {
	if value != "" {
		w.str(name, value)
	}
}

// orNull writes a string, or null when it is empty.
func (w *writer) orNull(name, value string) {
	if value == "" {
		w.null(name)
		return
	}
	w.str(name, value)
}

func (w *writer) int(name string, value int64) {
	w.next(name)
	w.b = strconv.AppendInt(w.b, value, 10)
}

// positive writes a number, unless it is 0.
func (w *writer) positive(name string, value int64) {
	if value > 0 {
		w.int(name, value)
	}
}

// long writes a 64-bit number as a string of digits.
func (w *writer) long(name string, value int64) { w.str(name, strconv.FormatInt(value, 10)) }

func (w *writer) float(name string, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) { // JSON has none
		value = 0
	}
	w.next(name)
	w.b = strconv.AppendFloat(w.b, value, 'f', -1, 64)
}

func (w *writer) bool(name string, value bool) {
	w.next(name)
	w.b = strconv.AppendBool(w.b, value)
}

// yes writes true, or nothing.
func (w *writer) yes(name string, value bool) {
	if value {
		w.bool(name, true)
	}
}

func (w *writer) null(name string) {
	w.next(name)
	w.b = append(w.b, "null"...)
}

// bytes writes bytes as base64, or nothing when there are none.
func (w *writer) bytes(name string, value []byte) {
	if len(value) == 0 {
		return
	}
	w.next(name)
	w.b = append(w.b, '"')
	w.b = base64.StdEncoding.AppendEncode(w.b, value)
	w.b = append(w.b, '"')
}
