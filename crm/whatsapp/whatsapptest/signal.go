package whatsapptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mau.fi/libsignal/ecc"
	groups "go.mau.fi/libsignal/groups/state/record"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/keys/prekey"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/libsignal/state/store"
	"go.mau.fi/libsignal/util/optional"
	whatsmeowstore "go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

var serializer = whatsmeowstore.SignalProtobufSerializer

// party is a simulated phone's Signal state: its keys, and its sessions with
// devices of real clients. Sessions are stored serialised, as in a database,
// because libsignal changes a session in place even when it fails. The server's mu
// guards everything.
type party struct {
	identity     *keys.KeyPair
	signed       *keys.PreKey
	registration uint32
	lastPreKey   uint32
	preKeys      map[uint32]*keys.PreKey
	sessions     map[string][]byte
	senderKeys   map[string][]byte
}

var _ store.SignalProtocol = (*party)(nil)

func newParty() *party {
	id := keys.NewKeyPair()
	return &party{
		identity: id, signed: id.CreateSignedPreKey(1), registration: randomUint32()&0x3fff | 1,
		preKeys: make(map[uint32]*keys.PreKey), sessions: make(map[string][]byte), senderKeys: make(map[string][]byte),
	}
}

// preKey creates one more key for starting a session.
func (p *party) preKey() *keys.PreKey {
	p.lastPreKey++
	key := keys.NewPreKey(p.lastPreKey)
	p.preKeys[key.KeyID] = key
	return key
}

func (p *party) hasSession(with types.JID) bool {
	_, ok := p.sessions[with.SignalAddress().String()]
	return ok
}

func (p *party) forget(with types.JID) { delete(p.sessions, with.SignalAddress().String()) }

// meet starts a session with a device, using the keys that it left on the server.
func (p *party) meet(with types.JID, b *bundle) error {
	key := optional.NewEmptyUint32()
	var public ecc.ECPublicKeyable
	if b.preKey != nil {
		key, public = optional.NewOptionalUint32(b.preKey.KeyID), ecc.NewDjbECPublicKey(*b.preKey.Pub)
	}
	builder := session.NewBuilderFromSignal(p, with.SignalAddress(), serializer)
	return builder.ProcessBundle(context.Background(), prekey.NewBundle(
		b.registration, uint32(with.Device), key, b.signed.KeyID, public,
		ecc.NewDjbECPublicKey(*b.signed.Pub), *b.signed.Signature,
		identity.NewKey(ecc.NewDjbECPublicKey(b.identity)),
	))
}

// encrypt returns the ciphertext and its kind. The kind is pkmsg until the other
// side has answered, because that side must be able to start the session from any
// message.
func (p *party) encrypt(to types.JID, plain []byte) (kind string, sealed []byte, err error) {
	builder := session.NewBuilderFromSignal(p, to.SignalAddress(), serializer)
	msg, err := session.NewCipher(builder, to.SignalAddress()).Encrypt(context.Background(), pad(plain))
	if err != nil {
		return "", nil, err
	}
	if msg.Type() == protocol.PREKEY_TYPE {
		return kindPreKey, msg.Serialize(), nil
	}
	return kindMessage, msg.Serialize(), nil
}

func (p *party) decrypt(from types.JID, kind string, sealed []byte) ([]byte, error) {
	cipher := session.NewCipher(session.NewBuilderFromSignal(p, from.SignalAddress(), serializer), from.SignalAddress())
	var plain []byte
	switch kind {
	case kindPreKey:
		msg, err := protocol.NewPreKeySignalMessageFromBytes(sealed, serializer.PreKeySignalMessage, serializer.SignalMessage)
		if err != nil {
			return nil, err
		}
		if plain, err = cipher.DecryptMessage(context.Background(), msg); err != nil {
			return nil, err
		}
	case kindMessage:
		msg, err := protocol.NewSignalMessageFromBytes(sealed, serializer.SignalMessage)
		if err != nil {
			return nil, err
		}
		if plain, err = cipher.Decrypt(context.Background(), msg); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("a ciphertext of kind %q", kind)
	}
	return unpad(plain)
}

// Kinds of <enc>.
const (
	kindPreKey    = "pkmsg"
	kindMessage   = "msg"
	kindSenderKey = "skmsg"
)

// pad hides the length with 1 to 15 bytes, each of which holds their number.
func pad(plain []byte) []byte {
	n := byte(randomUint32()%15) + 1
	out := append(make([]byte, 0, len(plain)+int(n)), plain...)
	for range n {
		out = append(out, n)
	}
	return out
}

func unpad(plain []byte) ([]byte, error) {
	if len(plain) == 0 {
		return nil, errors.New("an empty plaintext")
	}
	n := int(plain[len(plain)-1])
	if n == 0 || n > len(plain) {
		return nil, fmt.Errorf("a padding of %d in %d bytes", n, len(plain))
	}
	return plain[:len(plain)-n], nil
}

// These methods implement libsignal's store interfaces.

func (p *party) GetIdentityKeyPair() *identity.KeyPair {
	return identity.NewKeyPair(identity.NewKey(ecc.NewDjbECPublicKey(*p.identity.Pub)), ecc.NewDjbECPrivateKey(*p.identity.Priv))
}

func (p *party) GetLocalRegistrationID() uint32 { return p.registration }

func (p *party) SaveIdentity(context.Context, *protocol.SignalAddress, *identity.Key) error {
	return nil
}

// IsTrustedIdentity trusts everybody, as WhatsApp's app does by default.
func (p *party) IsTrustedIdentity(context.Context, *protocol.SignalAddress, *identity.Key) (bool, error) {
	return true, nil
}

func (p *party) LoadPreKey(_ context.Context, id uint32) (*record.PreKey, error) {
	key, ok := p.preKeys[id]
	if !ok {
		return nil, nil
	}
	pair := ecc.NewECKeyPair(ecc.NewDjbECPublicKey(*key.Pub), ecc.NewDjbECPrivateKey(*key.Priv))
	return record.NewPreKey(id, pair, nil), nil
}

func (p *party) RemovePreKey(_ context.Context, id uint32) error {
	delete(p.preKeys, id)
	return nil
}

func (p *party) LoadSession(_ context.Context, with *protocol.SignalAddress) (*record.Session, error) {
	raw, ok := p.sessions[with.String()]
	if !ok {
		return record.NewSession(serializer.Session, serializer.State), nil
	}
	return record.NewSessionFromBytes(raw, serializer.Session, serializer.State)
}

func (p *party) StoreSession(_ context.Context, with *protocol.SignalAddress, s *record.Session) error {
	after := s.Structure()
	if raw, ok := p.sessions[with.String()]; ok {
		before, err := serializer.Session.Deserialize(raw)
		if err != nil {
			return err
		}
		after.PreviousStates = previous(before, after)
	}
	p.sessions[with.String()] = serializer.Session.Serialize(after)
	return nil
}

// previous returns the earlier states of a session as they were, without the current one.
// When both sides began a session, libsignal tries one state after the other and spoils
// those that do not fit, which no phone does.
func previous(before, after *record.SessionStructure) (states []*record.StateStructure) {
	is := func(a *record.StateStructure) func(*record.StateStructure) bool {
		return func(b *record.StateStructure) bool { return bytes.Equal(a.SenderBaseKey, b.SenderBaseKey) }
	}
	for _, state := range append([]*record.StateStructure{before.SessionState}, before.PreviousStates...) {
		if !is(after.SessionState)(state) && slices.ContainsFunc(after.PreviousStates, is(state)) && !slices.ContainsFunc(states, is(state)) {
			states = append(states, state)
		}
	}
	return states
}

func (p *party) ContainsSession(_ context.Context, with *protocol.SignalAddress) (bool, error) {
	_, ok := p.sessions[with.String()]
	return ok, nil
}

func (p *party) LoadSignedPreKey(_ context.Context, id uint32) (*record.SignedPreKey, error) {
	if id != p.signed.KeyID {
		return nil, nil
	}
	pair := ecc.NewECKeyPair(ecc.NewDjbECPublicKey(*p.signed.Pub), ecc.NewDjbECPrivateKey(*p.signed.Priv))
	return record.NewSignedPreKey(id, 0, pair, *p.signed.Signature, nil), nil
}

func (p *party) LoadSenderKey(_ context.Context, name *protocol.SenderKeyName) (*groups.SenderKey, error) {
	raw, ok := p.senderKeys[senderKeyID(name)]
	if !ok {
		return groups.NewSenderKey(serializer.SenderKeyRecord, serializer.SenderKeyState), nil
	}
	return groups.NewSenderKeyFromBytes(raw, serializer.SenderKeyRecord, serializer.SenderKeyState)
}

func (p *party) StoreSenderKey(_ context.Context, name *protocol.SenderKeyName, key *groups.SenderKey) error {
	p.senderKeys[senderKeyID(name)] = key.Serialize()
	return nil
}

func senderKeyID(name *protocol.SenderKeyName) string {
	return name.GroupID() + " " + name.Sender().String()
}

// errUnused is returned by methods that libsignal's interfaces require but its
// ciphers never call.
var errUnused = errors.New("not used by the ciphers")

func (p *party) StorePreKey(context.Context, uint32, *record.PreKey) error { return errUnused }

func (p *party) ContainsPreKey(context.Context, uint32) (bool, error) { return false, errUnused }

func (p *party) GetSubDeviceSessions(context.Context, string) ([]uint32, error) {
	return nil, errUnused
}

func (p *party) DeleteSession(context.Context, *protocol.SignalAddress) error { return errUnused }

func (p *party) DeleteAllSessions(context.Context) error { return errUnused }

func (p *party) LoadSignedPreKeys(context.Context) ([]*record.SignedPreKey, error) {
	return nil, errUnused
}

func (p *party) StoreSignedPreKey(context.Context, uint32, *record.SignedPreKey) error {
	return errUnused
}

func (p *party) ContainsSignedPreKey(context.Context, uint32) (bool, error) { return false, errUnused }

func (p *party) RemoveSignedPreKey(context.Context, uint32) error { return errUnused }
