package channels

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLength is the maximum length of a channel name in bytes. It is the limit of
// Pusher's server libraries (Pusher's documentation says 164).
const MaxLength = 200

// MaxUserID is the maximum length of a user id in characters, for members of presence
// channels and for signed-in users.
const MaxUserID = 128

// Errors of a name.
var (
	ErrEmpty   = errors.New("channels: the name is empty")
	ErrTooLong = errors.New("channels: the name is longer than 200 bytes")
	ErrChars   = errors.New("channels: the name may hold only A-Z a-z 0-9 _ - = @ , . ;")
	ErrUserID  = errors.New("channels: a user id must have 1 to 128 characters, none of them a control character")
)

// Kind is the kind of a channel. It determines what a subscription needs.
type Kind uint8

// Public channels need nothing, Private ones a signature, Presence ones a signature
// over the member's identity too. User is #server-to-user-ID, open to the signed-in
// user alone.
const (
	Public Kind = iota
	Private
	Presence
	User
)

func (k Kind) String() string {
	return [...]string{"public", "private", "presence", "user"}[k]
}

// Name is a valid channel name, taken apart. The zero Name is not valid.
type Name struct {
	Full      string // as sent on the wire
	Base      string // without the prefixes: an application's name of the channel
	Kind      Kind
	Encrypted bool // private-encrypted-: the publisher encrypts, we relay
	Cache     bool // the last event is kept for later subscribers
}

// Prefixes, each with its dash: "privateer" is a public channel.
const (
	prefixPrivate   = "private-"
	prefixPresence  = "presence-"
	prefixEncrypted = "encrypted-" // after private-
	prefixCache     = "cache-"     // after the others
	prefixUser      = "#server-to-user-"
)

// Parse validates s and takes it apart. It does not allocate for a valid name.
func Parse(s string) (Name, error) {
	if s == "" {
		return Name{}, ErrEmpty
	}
	n := Name{Full: s, Base: s}
	if rest, ok := strings.CutPrefix(s, prefixUser); ok {
		n.Kind, n.Base = User, rest
		if !ValidUserID(rest) {
			return Name{}, ErrUserID
		}
		return n, nil
	}
	if len(s) > MaxLength {
		return Name{}, ErrTooLong
	}
	if err := validChars(s); err != nil {
		return Name{}, err
	}
	if rest, ok := strings.CutPrefix(s, prefixPrivate); ok {
		n.Kind, n.Base = Private, rest
		if rest, ok := strings.CutPrefix(rest, prefixEncrypted); ok {
			n.Encrypted, n.Base = true, rest
		}
	} else if rest, ok := strings.CutPrefix(s, prefixPresence); ok {
		n.Kind, n.Base = Presence, rest
	}
	if rest, ok := strings.CutPrefix(n.Base, prefixCache); ok {
		n.Cache, n.Base = true, rest
	}
	return n, nil
}

func validChars(s string) error {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '_', c == '-', c == '=', c == '@', c == ',', c == '.', c == ';':
		default:
			return ErrChars
		}
	}
	return nil
}

// Guarded reports whether a subscription needs a signature.
func (n Name) Guarded() bool { return n.Kind == Private || n.Kind == Presence }

// HasCache returns what Parse would set Cache to, for a valid name. It looks only at
// the prefixes.
func HasCache(full string) bool {
	rest, ok := strings.CutPrefix(full, prefixPrivate)
	if ok {
		rest = strings.TrimPrefix(rest, prefixEncrypted)
	} else {
		rest = strings.TrimPrefix(rest, prefixPresence)
	}
	return strings.HasPrefix(rest, prefixCache)
}

// UserName returns the channel that reaches every socket signed in as the user. Its id
// may contain characters that other names may not: applications choose the ids of their
// users freely.
func UserName(userID string) string { return prefixUser + userID }

// ValidUserID reports whether s can be the id of an application's user.
func ValidUserID(s string) bool {
	if s == "" || len(s) > MaxUserID*utf8.UTFMax || !utf8.ValidString(s) || utf8.RuneCountInString(s) > MaxUserID {
		return false
	}
	return strings.IndexFunc(s, unicode.IsControl) < 0
}
