package whatsapptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"
)

// PasskeyOptions says how WhatsApp asks for a passkey. The zero value is usual.
type PasskeyOptions struct {
	Timeout time.Duration // for the passkey; a minute if zero
	Site    string        // the passkey's site; whatsapp.com if empty
	Ignored int           // answers that WhatsApp accepts, but the phone never hears of
	Garbled bool          // the options cannot be read
	Silent  bool          // WhatsApp does not answer to the assertion that it accepts
}

// Passkey is the passkey of an account, with the private key that only its
// authenticator knows.
type Passkey struct {
	ID         []byte
	UserHandle []byte
	key        *ecdsa.PrivateKey
	how        PasskeyOptions
	account    *Account
}

// RequirePasskey makes WhatsApp ask for a passkey of the account when a client shows the
// code that the phone has scanned.
func (a *Account) RequirePasskey(how PasskeyOptions) *Passkey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // never: the curve is known and rand does not fail
	}
	if how.Timeout == 0 {
		how.Timeout = time.Minute
	}
	if how.Site == "" {
		how.Site = passkeySite
	}
	defer a.srv.lock()()
	a.passkey = &Passkey{ID: randomBytes(16), UserHandle: []byte(a.number.User), key: key, how: how, account: a}
	return a.passkey
}

// PrivateKey returns the private key as PKCS #8, for an authenticator.
func (k *Passkey) PrivateKey() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		panic(err) // never: it is a P-256 key
	}
	return der
}

const (
	passkeySite   = "whatsapp.com"
	passkeyOrigin = "https://web.whatsapp.com"
	verified      = 0b101 // flags: somebody was present, and is the right person
)

// Signing is what a browser and an authenticator sign. Empty fields have the values that
// WhatsApp expects.
type Signing struct {
	Challenge string
	Type      string
	Origin    string
	Site      string
	Flags     byte
}

// assertion is WebAuthn's AuthenticationResponseJSON.
type assertion struct {
	ID       string         `json:"id"`
	RawID    string         `json:"rawId"`
	Type     string         `json:"type"`
	Response assertionParts `json:"response"`
}

type assertionParts struct {
	ClientDataJSON    string `json:"clientDataJSON"`
	AuthenticatorData string `json:"authenticatorData"`
	Signature         string `json:"signature"`
	UserHandle        string `json:"userHandle"`
}

// Sign returns an assertion, as JSON, as a browser makes it with the passkey.
func (k *Passkey) Sign(s Signing) []byte {
	if s.Type == "" {
		s.Type = "webauthn.get"
	}
	if s.Origin == "" {
		s.Origin = passkeyOrigin
	}
	if s.Site == "" {
		s.Site = k.how.Site
	}
	if s.Flags == 0 {
		s.Flags = verified
	}
	client, err := json.Marshal(map[string]any{"type": s.Type, "challenge": s.Challenge, "origin": s.Origin, "crossOrigin": false})
	if err != nil {
		panic(err) // never: the fields are texts
	}
	site := sha256.Sum256([]byte(s.Site))
	data := slices.Concat(site[:], []byte{s.Flags, 0, 0, 0, 1})
	signed := signedBy(data, client)
	signature, err := ecdsa.SignASN1(rand.Reader, k.key, signed)
	if err != nil {
		panic(err) // never: rand does not fail
	}
	b64 := base64.RawURLEncoding.EncodeToString
	out, err := json.Marshal(assertion{ID: b64(k.ID), RawID: b64(k.ID), Type: "public-key", Response: assertionParts{
		ClientDataJSON: b64(client), AuthenticatorData: b64(data), Signature: b64(signature), UserHandle: b64(k.UserHandle),
	}})
	if err != nil {
		panic(err) // never: the fields are texts
	}
	return out
}

// signedBy returns the hash that an authenticator signs.
func signedBy(authenticatorData, clientData []byte) []byte {
	client := sha256.Sum256(clientData)
	hash := sha256.Sum256(slices.Concat(authenticatorData, client[:]))
	return hash[:]
}
