package whatsapptest

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"strings"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

type (
	node  = waBinary.Node
	attrs = waBinary.Attrs
)

// child is the first child of that tag. whatsmeow's own GetChildByTag answers
// with the node itself when there is none.
func child(n node, tags ...string) (node, bool) { return n.GetOptionalChildByTag(tags...) }

func bytesOf(n node, tags ...string) []byte {
	c, ok := child(n, tags...)
	if !ok {
		return nil
	}
	data, _ := c.Content.([]byte)
	return data
}

func stringOf(n node, key string) string {
	s, _ := n.Attrs[key].(string)
	return s
}

func jidOf(n node, key string) types.JID {
	j, _ := n.Attrs[key].(types.JID)
	return j
}

// with adds attributes; the encoder leaves out those that are empty strings.
func with(a, more attrs) attrs {
	maps.Copy(a, more)
	return a
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

func randomUint32() uint32 { return binary.BigEndian.Uint32(randomBytes(4)) }

// newID is a message id in the style of a phone's.
func newID() string { return "AC" + strings.ToUpper(hex.EncodeToString(randomBytes(15))) }

// user is a JID without its device, of the usual server: c.us is the old name.
func user(j types.JID) types.JID {
	j = j.ToNonAD()
	if j.Server == types.LegacyUserServer {
		j.Server = types.DefaultUserServer
	}
	return j
}
