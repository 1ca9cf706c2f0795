package whatsapptest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
	"google.golang.org/protobuf/proto"
)

// Pairing by QR code:
//
//	client                          server                          phone
//	  handshake; payload: its keys
//	                    <------   iq pair-device: refs
//	  shows a link: ref, noise key, identity key,
//	  ADV secret, kind    - - - - - - - - - - - - - - - - - - - ->  ScanQR
//	                    <------   iq pair-success: the identity, signed by the
//	                              phone, under a MAC of the ADV secret
//	  iq pair-device-sign ----->  signed by the client too
//	                    <------   stream:error 515: come back and log in
//
// The account's key is the phone's own identity key, which no other key certifies.
// A client can check only the MAC, whose key is known from the screen alone.

// pairing is a phone waiting for a client to answer.
type pairing struct {
	account  *Account
	identity [32]byte
	details  []byte // of the device's identity, which the client must sign
	device   *Device
	request  string
	err      error
	done     bool
}

// offerPairing sends the client codes to show.
func (c *conn) offerPairing() {
	refs := make([]node, c.srv.opts.QRCodes)
	for i := range refs {
		ref := "2@" + base64.StdEncoding.EncodeToString(randomBytes(48))
		c.refs = append(c.refs, ref)
		refs[i] = node{Tag: "ref", Content: []byte(ref)}
	}
	c.send(node{Tag: "iq", Attrs: attrs{
		"from": types.ServerJID, "id": c.srv.nextID(), "type": "set", "xmlns": "md",
	}, Content: []node{{Tag: "pair-device", Content: refs}}})
}

// RotateSecrets asks the clients that show codes for a new ADV secret. The codes that
// they showed before are worth nothing then.
func (s *Server) RotateSecrets() {
	defer s.lock()()
	for c := range s.conns {
		if c.device == nil && c.pairing == nil {
			c.send(node{Tag: "notification", Attrs: attrs{
				"from": types.ServerJID, "type": "companion_reg_refresh", "id": s.nextID(), "t": s.opts.Now().Unix(),
			}, Content: []node{{Tag: "pair-device-rotate-qr"}}})
		}
	}
}

// qrLink is what a QR code begins with. Five parts follow, separated by commas: the ref,
// three keys and the kind of the client.
const qrLink = "https://wa.me/settings/linked_devices#"

// ErrNotValid is returned for a code that no client shows.
var ErrNotValid = errors.New("the code is not valid")

// ScanQR links the account by the text of a QR code, as its phone would by
// scanning. It returns when the client has answered, linked or not.
func (a *Account) ScanQR(ctx context.Context, text string) (*Device, error) {
	rest, ok := strings.CutPrefix(text, qrLink)
	parts := strings.Split(rest, ",")
	if !ok || len(parts) != 5 || parts[4] == "" {
		return nil, fmt.Errorf("%w: it is no link with five parts", ErrNotValid)
	}
	var decoded [3][]byte
	for i, part := range parts[1:4] {
		var err error
		if decoded[i], err = base64.StdEncoding.DecodeString(part); err != nil || len(decoded[i]) != 32 {
			return nil, fmt.Errorf("%w: part %d is not a key", ErrNotValid, i+2)
		}
	}
	unlock := a.srv.lock()
	c := a.srv.showing(parts[0])
	if c == nil || c.hello.noise != [32]byte(decoded[0]) || string(c.hello.payload.GetDevicePairingData().GetEIdent()) != string(decoded[1]) {
		unlock()
		return nil, fmt.Errorf("%w: nobody shows it", ErrNotValid)
	}
	if a.passkey != nil {
		k := a.askForPasskey(c, decoded[2])
		unlock()
		return a.linkByPasskey(ctx, c, k)
	}
	p, err := a.approve(c, decoded[2])
	unlock()
	if err != nil {
		return nil, err
	}
	return a.paired(ctx, c, p)
}

// showing returns the connection whose client has the ref to show. mu is held.
func (s *Server) showing(ref string) *conn {
	for c := range s.conns {
		if c.pairing == nil && slices.Contains(c.refs, ref) {
			return c
		}
	}
	return nil
}

// approve signs the client's identity and sends it to the client. mu is held.
func (a *Account) approve(c *conn, secret []byte) (*pairing, error) {
	data := c.hello.payload.GetDevicePairingData()
	d, err := a.newDevice(c)
	if err != nil {
		return nil, err
	}
	details, err := proto.Marshal(&waAdv.ADVDeviceIdentity{
		RawID: proto.Uint32(randomUint32()), Timestamp: proto.Uint64(uint64(a.srv.opts.Now().Unix())),
		KeyIndex: proto.Uint32(uint32(d.number.Device)), AccountType: waAdv.ADVEncryptionType_E2EE.Enum(),
		DeviceType: waAdv.ADVEncryptionType_E2EE.Enum(),
	})
	if err != nil {
		return nil, err
	}
	signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*a.party.identity.Priv),
		slices.Concat(whatsmeow.AdvAccountSignaturePrefix, details, data.GetEIdent()))
	identity, err := proto.Marshal(&waAdv.ADVSignedDeviceIdentity{
		Details: details, AccountSignatureKey: a.party.identity.Pub[:], AccountSignature: signature[:],
	})
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(identity)
	container, err := proto.Marshal(&waAdv.ADVSignedDeviceIdentityHMAC{
		Details: identity, HMAC: mac.Sum(nil), AccountType: waAdv.ADVEncryptionType_E2EE.Enum(),
	})
	if err != nil {
		return nil, err
	}
	p := &pairing{account: a, identity: d.identity, details: details, device: d, request: a.srv.nextID()}
	c.pairing = p
	content := []node{
		{Tag: "device-identity", Content: container},
		{Tag: "device", Attrs: attrs{"jid": d.number, "lid": d.hidden}},
		{Tag: "platform", Attrs: attrs{"name": d.platform}},
	}
	if a.business != "" {
		content = append(content, node{Tag: "biz", Attrs: attrs{"name": a.business}})
	}
	c.send(node{Tag: "iq", Attrs: attrs{
		"from": types.ServerJID, "id": p.request, "type": "set", "xmlns": "md", "t": a.srv.opts.Now().Unix(),
	}, Content: []node{{Tag: "pair-success", Content: content}}})
	return p, nil
}

// newDevice returns the device that a client's payload describes. It is not linked
// yet.
func (a *Account) newDevice(c *conn) (*Device, error) {
	data := c.hello.payload.GetDevicePairingData()
	if len(data.GetEIdent()) != 32 || len(data.GetESkeyVal()) != 32 || len(data.GetESkeySig()) != 64 ||
		len(data.GetESkeyID()) != 3 || len(data.GetERegid()) != 4 {
		return nil, errors.New("the client's keys have not the right lengths")
	}
	a.lastDevice++
	d := &Device{
		account: a, number: a.number, hidden: a.hidden, platform: "android", noise: c.hello.noise,
		identity: [32]byte(data.GetEIdent()), registration: binary.BigEndian.Uint32(data.GetERegid()),
		sent: make(map[string]bool),
	}
	if a.business != "" {
		d.platform = "smba"
	}
	d.number.Device = a.lastDevice
	if !d.hidden.IsEmpty() {
		d.hidden.Device = a.lastDevice
	}
	d.signed = &keys.PreKey{
		KeyPair:   keys.KeyPair{Pub: (*[32]byte)(data.GetESkeyVal())},
		KeyID:     binary.BigEndian.Uint32(append([]byte{0}, data.GetESkeyID()...)),
		Signature: (*[64]byte)(data.GetESkeySig()),
	}
	if !verify(d.identity, d.signed) {
		return nil, errors.New("the client's signed prekey is not signed by its identity")
	}
	return d, nil
}

// onPairAnswer handles the client's answer to pair-success. mu is held.
func (c *conn) onPairAnswer(n node) {
	p := c.pairing
	p.done = true
	if stringOf(n, "type") == "error" {
		e, _ := child(n, "error")
		p.err = fmt.Errorf("the client refused: %s %s", stringOf(e, "code"), stringOf(e, "text"))
		return
	}
	signed := new(waAdv.ADVSignedDeviceIdentity)
	if err := proto.Unmarshal(bytesOf(n, "pair-device-sign", "device-identity"), signed); err != nil {
		p.err = err
		return
	}
	message := slices.Concat(whatsmeow.AdvDeviceSignaturePrefix, p.details, p.identity[:], p.account.party.identity.Pub[:])
	if len(signed.GetDeviceSignature()) != 64 || !ecc.VerifySignature(
		ecc.NewDjbECPublicKey(p.identity), message, [64]byte(signed.GetDeviceSignature())) {
		p.err = errors.New("the client's signature of its identity is wrong")
		return
	}
	p.account.devices[p.device.number.Device] = p.device
	c.send(streamError("515")) // the client closes, and comes back with a login
}

// paired waits for the client's answer.
func (a *Account) paired(ctx context.Context, c *conn, p *pairing) (*Device, error) {
	var gone bool
	err := a.srv.wait(ctx, "the client's answer to the pairing", func() bool {
		gone = c.closed
		return p.done || gone
	})
	switch {
	case err != nil:
		return nil, err
	case p.done && p.err != nil:
		return nil, p.err
	case !p.done:
		return nil, errors.New("the client left while it was paired")
	}
	return p.device, nil
}
