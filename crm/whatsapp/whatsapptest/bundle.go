package whatsapptest

import (
	"encoding/binary"
	"fmt"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow/util/keys"
)

// bundle holds the keys of a device that are needed to start a session with it.
type bundle struct {
	registration uint32
	identity     [32]byte
	signed       *keys.PreKey
	preKey       *keys.PreKey // nil when none is left: the signed one is enough
}

func (p *party) bundle() *bundle {
	return &bundle{registration: p.registration, identity: *p.identity.Pub, signed: p.signed, preKey: p.preKey()}
}

// nodes returns the bundle in the form of a <user> in a key query.
func (b *bundle) nodes() []node {
	out := []node{
		{Tag: "registration", Content: binary.BigEndian.AppendUint32(nil, b.registration)},
		{Tag: "type", Content: []byte{ecc.DjbType}},
		{Tag: "identity", Content: b.identity[:]},
		keyNode("skey", b.signed),
	}
	if b.preKey != nil {
		out = append(out, keyNode("key", b.preKey))
	}
	return out
}

// inReceipt returns the bundle in the form of a retry receipt, where it stands
// beside <registration>.
func (b *bundle) inReceipt() node {
	return node{Tag: "keys", Content: b.nodes()[1:]}
}

func keyNode(tag string, k *keys.PreKey) node {
	id := binary.BigEndian.AppendUint32(nil, k.KeyID)
	children := []node{{Tag: "id", Content: id[1:]}, {Tag: "value", Content: k.Pub[:]}}
	if k.Signature != nil {
		children = append(children, node{Tag: "signature", Content: k.Signature[:]})
	}
	return node{Tag: tag, Content: children}
}

// readKey parses a <key> or <skey>.
func readKey(n node) (*keys.PreKey, error) {
	id, value := bytesOf(n, "id"), bytesOf(n, "value")
	if len(id) != 3 || len(value) != 32 {
		return nil, fmt.Errorf("<%s> with %d bytes of id and %d of value", n.Tag, len(id), len(value))
	}
	k := &keys.PreKey{KeyID: binary.BigEndian.Uint32(append([]byte{0}, id...))}
	k.Pub = (*[32]byte)(value)
	if signature := bytesOf(n, "signature"); len(signature) == 64 {
		k.Signature = (*[64]byte)(signature)
	}
	return k, nil
}

// verify reports whether the identity signed the prekey.
func verify(identity [32]byte, k *keys.PreKey) bool {
	if k.Signature == nil {
		return false
	}
	return ecc.VerifySignature(ecc.NewDjbECPublicKey(identity), append([]byte{ecc.DjbType}, k.Pub[:]...), *k.Signature)
}
