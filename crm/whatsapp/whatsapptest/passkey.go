package whatsapptest

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/gcmutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
	"go.mau.fi/whatsmeow/util/keys"
	"golang.org/x/crypto/curve25519"
	"google.golang.org/protobuf/proto"
)

// Pairing by passkey, after a QR code was scanned:
//
//	client                                server                    phone
//	                                                       <-----  ScanQR: the ADV secret
//	  notification: options for a    <------
//	  passkey; a new ADV secret
//	  iq ref                         ------>
//	  iq passkey_prologue: the       ------>  checks the
//	  assertion, a commitment to              assertion    ----->
//	  an ephemeral key; a proof,
//	  under the old ADV secret
//	  notification crsc_continuation <------               <-----  its ephemeral key
//	  iq companion_nonce: opens the  ------>               ----->  both can show a code now
//	  commitment
//	  iq encrypted_pairing_request:  ------>               ----->
//	  its keys and ADV secret
//	                                 <------  pair-success, as by QR code
//
// With the proof nobody has to compare the codes: it shows that the client is the one
// whose code was scanned.

// passkeyLink is a pairing by passkey.
type passkeyLink struct {
	account   *Account
	key       *Passkey
	secret    []byte // the ADV secret of the code that was scanned
	challenge string
	ref       string

	prologue *waCompanionReg.ProloguePayload // once the assertion was accepted
	identity *waCompanionReg.CompanionEphemeralIdentity
	proven   bool // no codes have to be compared

	ours    *keys.KeyPair
	nonce   []byte // of the phone
	opened  []byte // nonce of the client
	request *waCompanionReg.PairingRequest
}

// askForPasskey asks the client for the account's passkey. mu is held.
func (a *Account) askForPasskey(c *conn, secret []byte) *passkeyLink {
	k := &passkeyLink{account: a, key: a.passkey, secret: secret, challenge: base64.RawURLEncoding.EncodeToString(randomBytes(32)), ours: keys.NewKeyPair(), nonce: randomBytes(32)}
	c.passkey = k
	c.refs = nil // the codes were used
	options := k.options()
	if a.passkey.how.Garbled {
		options = []byte("{")
	}
	c.send(node{Tag: "notification", Attrs: attrs{
		"from": types.ServerJID, "type": "passkey_prologue_request", "id": a.srv.nextID(), "t": a.srv.opts.Now().Unix(),
	}, Content: []node{{Tag: "passkey_request_options", Content: options}}})
	return k
}

func (k *passkeyLink) options() []byte {
	return fmt.Appendf(nil, `{"challenge":%q,"timeout":%d,"rpId":%q,"allowCredentials":[{"id":%q,"type":"public-key"}],"userVerification":"required"}`,
		k.challenge, k.key.how.Timeout.Milliseconds(), k.key.how.Site, base64.RawURLEncoding.EncodeToString(k.key.ID))
}

// iqPasskey handles the requests of a client that is asked for a passkey. mu is held.
func (c *conn) iqPasskey(n node) ([]node, error) {
	k := c.passkey
	if _, ok := child(n, "ref"); ok {
		k.ref = "4@" + newID()
		return []node{{Tag: "ref", Content: []byte(k.ref)}}, nil
	}
	if _, ok := child(n, "passkey_request_options"); ok {
		if k.key.how.Garbled {
			return nil, errNotFound
		}
		return []node{{Tag: "passkey_request_options", Content: k.options()}}, nil
	}
	if prologue, ok := child(n, "passkey_prologue"); ok {
		err := k.onPrologue(prologue)
		if err == nil && k.key.how.Silent {
			err = errNoAnswer
		}
		return nil, err
	}
	if nonce := bytesOf(n, "companion_nonce"); nonce != nil {
		return nil, k.onNonce(nonce)
	}
	if request := bytesOf(n, "encrypted_pairing_request"); request != nil {
		return nil, k.onRequest(c, request)
	}
	return nil, errUnknown
}

// onPrologue checks the assertion and keeps what the client commits to.
func (k *passkeyLink) onPrologue(n node) error {
	payload := bytesOf(n, "prologue_payload")
	prologue, identity := new(waCompanionReg.ProloguePayload), new(waCompanionReg.CompanionEphemeralIdentity)
	if proto.Unmarshal(payload, prologue) != nil || proto.Unmarshal(prologue.GetCompanionEphemeralIdentity(), identity) != nil ||
		len(identity.GetPublicKey()) != 32 || identity.GetRef() != k.ref || k.ref == "" {
		return errBadRequest
	}
	if !k.key.accepts(bytesOf(n, "webauthn_assertion"), bytesOf(n, "credential_id"), k.challenge) {
		return errForbidden
	}
	if k.key.how.Ignored > 0 {
		k.key.how.Ignored--
		return nil
	}
	h := hmac.New(sha256.New, hkdfutil.SHA256(k.secret, nil, []byte("shortcake-passkey-handoff-v1"), 32))
	h.Write(payload)
	proof := bytesOf(n, "pairing_handoff_proof")
	if proof != nil && !hmac.Equal(proof, h.Sum(nil)) {
		return errForbidden
	}
	k.prologue, k.identity, k.proven = prologue, identity, proof != nil
	return nil
}

// accepts reports whether an assertion answers the challenge and is signed by the
// passkey.
func (k *Passkey) accepts(text, id []byte, challenge string) bool {
	var a assertion
	if json.Unmarshal(text, &a) != nil || !slices.Equal(id, k.ID) {
		return false
	}
	var parts [3][]byte
	for i, part := range []string{a.Response.ClientDataJSON, a.Response.AuthenticatorData, a.Response.Signature} {
		var err error
		if parts[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return false
		}
	}
	var client struct{ Type, Challenge, Origin string }
	site := sha256.Sum256([]byte(passkeySite))
	return json.Unmarshal(parts[0], &client) == nil && client.Type == "webauthn.get" && client.Challenge == challenge &&
		client.Origin == passkeyOrigin && len(parts[1]) >= 37 && slices.Equal(parts[1][:32], site[:]) && parts[1][32]&verified == verified &&
		ecdsa.VerifyASN1(&k.key.PublicKey, signedBy(parts[1], parts[0]), parts[2])
}

func (k *passkeyLink) onNonce(nonce []byte) error {
	if k.prologue == nil {
		return errBadRequest
	}
	commitment := sha256.Sum256(slices.Concat(k.prologue.GetCompanionEphemeralIdentity(), nonce))
	if !slices.Equal(commitment[:], k.prologue.GetCommitment().GetHash()) {
		return errForbidden
	}
	k.opened = slices.Clone(nonce)
	return nil
}

func (k *passkeyLink) onRequest(c *conn, wrapped []byte) error {
	if k.opened == nil {
		return errBadRequest
	}
	encrypted, request := new(waCompanionReg.EncryptedPairingRequest), new(waCompanionReg.PairingRequest)
	if err := proto.Unmarshal(wrapped, encrypted); err != nil {
		return errBadRequest
	}
	shared, err := curve25519.X25519(k.ours.Priv[:], k.identity.GetPublicKey())
	if err != nil {
		return errBadRequest
	}
	salt := fmt.Sprintf("Companion Pairing %d with ref %s", k.identity.GetDeviceType(), k.ref)
	key := hkdfutil.SHA256(shared, []byte(salt), []byte("Pairing Information Encryption Key"), 32)
	plain, err := gcmutil.Decrypt(key, encrypted.GetIV(), encrypted.GetEncryptedPayload(), nil)
	if err != nil || proto.Unmarshal(plain, request) != nil {
		return errForbidden
	}
	if !slices.Equal(request.GetCompanionPublicKey(), c.hello.noise[:]) ||
		!slices.Equal(request.GetCompanionIdentityKey(), c.hello.payload.GetDevicePairingData().GetEIdent()) {
		return errForbidden
	}
	k.request = request
	return nil
}

// linkByPasskey waits for the passkey, and links the client.
func (a *Account) linkByPasskey(ctx context.Context, c *conn, k *passkeyLink) (*Device, error) {
	if err := a.srv.wait(ctx, "the passkey", func() bool { return k.prologue != nil || c.closed }); err != nil {
		return nil, err
	}
	unlock := a.srv.lock()
	if k.prologue == nil {
		unlock()
		return nil, errors.New("the client left without the passkey")
	}
	identity, err := proto.Marshal(&waCompanionReg.PrimaryEphemeralIdentity{PublicKey: k.ours.Pub[:], Nonce: k.nonce})
	if err != nil {
		unlock()
		return nil, err
	}
	c.send(node{Tag: "notification", Attrs: attrs{
		"from": types.ServerJID, "type": "crsc_continuation", "id": a.srv.nextID(), "t": a.srv.opts.Now().Unix(),
	}, Content: []node{{Tag: "primary_ephemeral_identity", Content: identity}}})
	unlock()
	if err := a.srv.wait(ctx, "the client's keys", func() bool { return k.request != nil || c.closed }); err != nil {
		return nil, err
	}
	unlock = a.srv.lock()
	if k.request == nil {
		unlock()
		return nil, errors.New("the client left before it sent its keys")
	}
	p, err := a.approve(c, k.request.GetAdvSecret())
	unlock()
	if err != nil {
		return nil, err
	}
	return a.paired(ctx, c, p)
}

// AwaitCode waits until the phone shows a code to compare with the client's, and
// returns it.
func (k *Passkey) AwaitCode(ctx context.Context) (code string, err error) {
	srv := k.account.srv
	err = srv.wait(ctx, "a code to compare", func() bool {
		for c := range srv.conns {
			if link := c.passkey; link != nil && link.key == k && link.opened != nil && !link.proven {
				code = link.code()
				return true
			}
		}
		return false
	})
	return code, err
}

// codeDigits are the digits of codes, without those that look like others.
var codeDigits = base32.NewEncoding("123456789ABCDEFGHJKLMNPQRSTVWXYZ")

func (k *passkeyLink) code() string {
	digest := sha256.Sum256(slices.Concat(k.opened, k.ours.Pub[:]))
	var bits [5]byte
	for i := range bits {
		bits[i] = k.nonce[i] ^ digest[i]
	}
	text := codeDigits.EncodeToString(bits[:])
	return text[:4] + "-" + text[4:]
}
