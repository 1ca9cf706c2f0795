// Package seal encrypts single values of the database. A sealed value names the key that
// sealed it, and opens only with that key and only in the row and the column for which it
// was sealed.
//
// A sealed value is
//
//	version (1 byte) | key id (8 bytes) | nonce (24 bytes) | ciphertext and tag
//
// encrypted by XChaCha20-Poly1305. The nonce is random: it is long enough that values may
// be sealed without end. The tag covers all of it, and the value's place. A column of
// text has the same in base64, after "sealed:".
//
// The package imports nothing of ours, and has no goroutines.
package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	version = 1
	idSize  = 8
	header  = 1 + idSize
	keySize = chacha20poly1305.KeySize
	prefix  = "sealed:"
)

// Errors of Open.
var (
	// ErrUnknownKey means that a value was sealed with a key that is not among Keys.
	ErrUnknownKey = errors.New("seal: a value is sealed with a key that is not known")
	// ErrDamaged means that a value is not sealed, was changed, or was sealed for another
	// row or column.
	ErrDamaged = errors.New("seal: a value is not the one that was sealed for its row")
)

// Keys seal and open values. The first key seals, and all of them open what they sealed.
// A nil *Keys changes nothing: what it seals stays as it is. Keys are safe for concurrent
// use.
type Keys struct{ list []key }

type key struct {
	id   [idSize]byte
	text string // id in hex
	aead cipher.AEAD
}

// New returns a new random key, as Parse reads it.
func New() string {
	b := make([]byte, keySize)
	_, _ = rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

// Parse reads keys of 32 bytes in base64 or hex, separated by commas or white space. A
// line that begins with # is a comment. Its error tells which key is wrong, and does not
// show it.
func Parse(text string) (*Keys, error) {
	var words []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			words = append(words, strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })...)
		}
	}
	if len(words) == 0 {
		return nil, errors.New("has no key")
	}
	keys := new(Keys)
	for i, word := range words {
		raw, err := decode(word)
		if err != nil {
			return nil, fmt.Errorf("key %d of %d must be 32 random bytes in base64 or hex, as `chatcast encryption key` prints", i+1, len(words))
		}
		k, err := newKey(raw)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(keys.list, func(other key) bool { return other.id == k.id }) {
			return nil, fmt.Errorf("key %d of %d is there twice", i+1, len(words))
		}
		keys.list = append(keys.list, k)
	}
	return keys, nil
}

func decode(word string) ([]byte, error) {
	raw, err := hex.DecodeString(word)
	for _, form := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		if err != nil || len(raw) != keySize {
			raw, err = form.DecodeString(word)
		}
	}
	if err == nil && len(raw) != keySize {
		err = errors.New("seal: wrong length")
	}
	return raw, err
}

func newKey(raw []byte) (k key, err error) {
	// The id tells keys apart and says nothing about the key, which is random.
	sum := sha256.Sum256(append([]byte("chatcast key id\x00"), raw...))
	copy(k.id[:], sum[:])
	k.text = hex.EncodeToString(k.id[:])
	k.aead, err = chacha20poly1305.NewX(raw)
	return k, err
}

// IDs returns the ids of the keys, in their order.
func (k *Keys) IDs() (ids []string) {
	if k == nil {
		return nil
	}
	for _, one := range k.list {
		ids = append(ids, one.text)
	}
	return ids
}

// First returns the first key alone.
func (k *Keys) First() *Keys { return &Keys{k.list[:1]} }

// String keeps %v from showing the keys.
func (k *Keys) String() string { return fmt.Sprintf("keys %v", k.IDs()) }

// GoString keeps %#v from showing the keys.
func (k *Keys) GoString() string { return k.String() }

// Column is a column of secrets. Row identifies a row of it by the values of its key.
type Column struct {
	Table, Name string
	Key         []string // names of the columns of the table's key
	Text        bool     // the column is text; otherwise it is binary
}

// Seal returns value as the column holds it in the row. An empty value stays empty.
func (k *Keys) Seal(c Column, value []byte, row ...string) []byte {
	if k == nil || len(value) == 0 {
		return value
	}
	first := k.list[0]
	head := append([]byte{version}, first.id[:]...)
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	_, _ = rand.Read(nonce) // never fails
	sealed := first.aead.Seal(slices.Concat(head, nonce), nonce, value, place(head, c, row))
	if c.Text {
		return []byte(prefix + base64.RawStdEncoding.EncodeToString(sealed))
	}
	return sealed
}

// Open returns the value that was sealed for the row of the column.
func (k *Keys) Open(c Column, sealed []byte, row ...string) ([]byte, error) {
	if k == nil || len(sealed) == 0 {
		return sealed, nil
	}
	if c.Text {
		text, ok := bytes.CutPrefix(sealed, []byte(prefix))
		raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
		n, err := base64.RawStdEncoding.Decode(raw, text)
		if !ok || err != nil {
			return nil, damaged(c)
		}
		sealed = raw[:n]
	}
	if len(sealed) < header+chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead || sealed[0] != version {
		return nil, damaged(c)
	}
	head, nonce, rest := sealed[:header], sealed[header:header+chacha20poly1305.NonceSizeX], sealed[header+chacha20poly1305.NonceSizeX:]
	for _, one := range k.list {
		if bytes.Equal(one.id[:], head[1:]) {
			value, err := one.aead.Open(nil, nonce, rest, place(head, c, row))
			if err != nil {
				return nil, damaged(c)
			}
			return value, nil
		}
	}
	return nil, fmt.Errorf("%w: %s.%s, key %x", ErrUnknownKey, c.Table, c.Name, head[1:])
}

func damaged(c Column) error { return fmt.Errorf("%w: %s.%s", ErrDamaged, c.Table, c.Name) }

// place returns the associated data of a value: its header and its place, unambiguously.
func place(head []byte, c Column, row []string) []byte {
	data := bytes.Clone(head)
	for _, part := range append([]string{c.Table, c.Name}, row...) {
		data = binary.BigEndian.AppendUint64(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
}
