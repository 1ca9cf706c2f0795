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

// child returns the first child with the tag. whatsmeow's own GetChildByTag returns
// the node itself when there is none.
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

// with adds attributes. The encoder leaves out attributes that are empty strings.
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

// newID returns a message id in the style of a phone's.
func newID() string { return "AC" + strings.ToUpper(hex.EncodeToString(randomBytes(15))) }

// user returns a JID without its device. It replaces the old server c.us by
// today's.
func user(j types.JID) types.JID {
	j = j.ToNonAD()
	if j.Server == types.LegacyUserServer {
		j.Server = types.DefaultUserServer
	}
	return j
}
