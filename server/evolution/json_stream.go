package evolution

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// Errors of JSON that is read as a stream.
var (
	errSyntax = errors.New("it is not complete, or has a sign where none may be")
	errDeep   = errors.New("it is nested too deeply")

	errRestTooLong = errors.New("what is beside the file is too long")
)

// maxDepth is how deeply bodies may be nested.
const maxDepth = 100

// maxPath is how long a path may be at which texts are taken out, in bytes. What is below a longer
// one has the path noPath: paths are made for each member, and are not counted as rest is.
const (
	maxPath = 256
	noPath  = "\x00"
)

// jsonStream reads JSON from which long texts at certain paths are taken out as they come: so a
// body of any length takes little memory.
type jsonStream struct {
	from  *bufio.Reader
	long  int    // from which length texts are taken out
	rest  []byte // the JSON, with an empty text in place of each that was taken out
	limit int    // of rest, in bytes
	// take returns what a text at a path is given to, nil: it stays where it is.
	take func(path string) func(r io.Reader) error
}

// restOf reads the whole JSON and returns what is left of it. It checks no more than it needs to.
func (s *jsonStream) restOf() ([]byte, error) {
	if err := s.value("", 0); err != nil {
		return nil, err
	}
	if err := s.blank(); err != io.EOF {
		if err == nil {
			err = errSyntax
		}
		return nil, err
	}
	return s.rest, nil
}

// add appends to what is left.
func (s *jsonStream) add(b ...byte) error {
	if len(s.rest)+len(b) > s.limit {
		return errRestTooLong
	}
	s.rest = append(s.rest, b...)
	return nil
}

// blank skips white space. The error is that of the next byte.
func (s *jsonStream) blank() error {
	for {
		b, err := s.from.ReadByte()
		if err != nil {
			return err
		}
		if b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			return s.from.UnreadByte()
		}
	}
}

// next returns the next byte that is not blank, and leaves it there.
func (s *jsonStream) next() (byte, error) {
	if err := s.blank(); err != nil {
		return 0, ended(err)
	}
	b, err := s.from.Peek(1)
	if err != nil {
		return 0, ended(err)
	}
	return b[0], nil
}

func ended(err error) error {
	if err == io.EOF {
		return errSyntax
	}
	return err
}

// sign moves the next byte over, if it is one of these.
func (s *jsonStream) sign(of string) (byte, error) {
	b, err := s.next()
	if err != nil {
		return 0, err
	}
	if strings.IndexByte(of, b) < 0 {
		return 0, errSyntax
	}
	_, _ = s.from.Discard(1) // it was peeked at
	return b, s.add(b)
}

// value reads a value. path has the names that lead to it, with dots between.
func (s *jsonStream) value(path string, depth int) error {
	b, err := s.next()
	switch {
	case err != nil:
		return err
	case depth > maxDepth:
		return errDeep
	case b == '{' || b == '[':
		return s.composed(path, depth)
	case b == '"':
		return s.text(path)
	}
	for { // a number or a word
		b, err := s.from.Peek(1)
		if err == io.EOF || err == nil && strings.IndexByte(",]} \n\r\t", b[0]) >= 0 {
			return nil
		}
		if err == nil {
			err = s.add(b[0])
		}
		if err != nil {
			return err
		}
		_, _ = s.from.Discard(1)
	}
}

// composed reads an object or an array. What is in an array has the array's path.
func (s *jsonStream) composed(path string, depth int) error {
	begin, err := s.sign("{[")
	if err != nil {
		return err
	}
	end := byte(']')
	if begin == '{' {
		end = '}'
	}
	if b, err := s.next(); err != nil || b == end {
		if err == nil {
			_, err = s.sign(string(end))
		}
		return err
	}
	for {
		inner := path
		if begin == '{' {
			if inner, err = s.name(path); err != nil {
				return err
			}
		}
		if err := s.value(inner, depth+1); err != nil {
			return err
		}
		b, err := s.sign(string([]byte{',', end}))
		if err != nil || b == end {
			return err
		}
	}
}

// name reads the name of a member, and returns the member's path.
func (s *jsonStream) name(path string) (string, error) {
	b, err := s.next()
	from := len(s.rest)
	if err == nil && b != '"' {
		err = errSyntax
	}
	if err == nil {
		err = s.copyText()
	}
	if err != nil {
		return "", err
	}
	name := s.rest[from+1 : len(s.rest)-1]
	switch {
	case path == noPath, len(path)+len(name) > maxPath:
		path = noPath
	case path == "":
		path = string(name)
	default:
		path += "." + string(name)
	}
	_, err = s.sign(":")
	return path, err
}

// text reads a text. A long one may be taken out.
func (s *jsonStream) text(path string) error {
	take := s.take(path)
	near, _ := s.from.Peek(min(s.from.Buffered(), s.long)) // it is there, with the quote
	if take == nil || closed(near[1:]) {                   // to look further moves a whole buffer
		return s.copyText()
	}
	begin, err := s.from.Peek(s.long)
	if err != nil && err != io.EOF {
		return err
	}
	if !closed(begin[1:]) && err == nil {
		_, _ = s.from.Discard(1) // the quote
		r := &textReader{from: s.from}
		if err := take(r); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
		return s.add('"', '"')
	}
	return s.copyText()
}

// closed reports whether a text ends within its beginning.
func closed(begin []byte) bool {
	for i := 0; i < len(begin); i++ {
		switch begin[i] {
		case '\\':
			i++
		case '"':
			return true
		}
	}
	return false
}

// copyText moves a text over as it is.
func (s *jsonStream) copyText() error {
	for first := true; ; first = false {
		b, err := s.from.ReadByte()
		if err == nil {
			err = s.add(b)
		}
		if err == nil && b == '\\' {
			if b, err = s.from.ReadByte(); err == nil {
				err = s.add(b)
			}
			b = 0
		}
		if err != nil {
			return ended(err)
		}
		if b == '"' && !first {
			return nil
		}
	}
}
