package whatsapptest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/gcmutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
	"go.mau.fi/whatsmeow/util/keys"
	"golang.org/x/crypto/curve25519"
	"golang.org/x/crypto/pbkdf2"
)

// Pairing by code: the client shows eight characters and the phone's owner types
// them. The code encrypts the two ephemeral keys, so that nobody in between can
// take part.
//
//	client                                 server                 phone
//	  iq companion_hello: an ephemeral ----->
//	  key under the code              <-----  a ref
//	  shows the code - - - - - - - - - - - - - - - - - - - - - -> EnterCode
//	  notification: the phone's       <-----               <----- its ephemeral key
//	  ephemeral key and identity                                  under the code
//	  iq companion_finish: identity,  ----->               ----->
//	  randomness, under both secrets
//	                                  <-----  pair-success, as by QR code
const codeIterations = 2 << 16

// linkRequest is the request of a client that shows a code.
type linkRequest struct {
	ref     string
	account types.JID
	wrapped []byte // the client's ephemeral key: salt, iv, ciphertext
	finish  node   // companion_finish, once received
}

// linkCode handles both steps of the client.
func (c *conn) linkCode(n node) ([]node, error) {
	switch stringOf(n, "stage") {
	case "companion_hello":
		wrapped := bytesOf(n, "link_code_pairing_wrapped_companion_ephemeral_pub")
		if len(wrapped) != 80 || !displayName(string(bytesOf(n, "companion_platform_display"))) {
			return nil, errBadRequest
		}
		c.link = &linkRequest{ref: "3@" + newID(), account: user(jidOf(n, "jid")), wrapped: slices.Clone(wrapped)}
		return []node{{Tag: "link_code_companion_reg", Content: []node{
			{Tag: "link_code_pairing_ref", Content: []byte(c.link.ref)},
		}}}, nil
	case "companion_finish":
		if c.link == nil || string(bytesOf(n, "link_code_pairing_ref")) != c.link.ref {
			return nil, errBadRequest
		}
		c.link.finish = n
		return nil, nil
	}
	return nil, errUnknown
}

// displayName reports whether s has the form "Browser (OS)", which the real server
// requires.
func displayName(s string) bool {
	browser, os, ok := strings.Cut(s, " (")
	return ok && browser != "" && strings.HasSuffix(os, ")") && len(os) > 1
}

// ErrWrongCode is returned for a code that the client does not show.
var ErrWrongCode = errors.New("the code is wrong")

// EnterCode types a code on the phone, as the account's owner would. It waits for a
// client to show a code, and returns when the client is linked or has refused.
func (a *Account) EnterCode(ctx context.Context, code string) (*Device, error) {
	code = strings.ToUpper(strings.ReplaceAll(code, "-", ""))
	var c *conn
	err := a.srv.wait(ctx, "a client that shows a code", func() bool {
		for open := range a.srv.conns {
			if open.link != nil && open.pairing == nil && open.link.finish.Tag == "" && open.link.account == a.number {
				c = open
			}
		}
		return c != nil
	})
	if err != nil {
		return nil, err
	}
	theirs, err := underCode(code, c.link.wrapped)
	if err != nil {
		return nil, err
	}
	ours := keys.NewKeyPair()
	salt, iv := randomBytes(32), randomBytes(16)
	wrapped, err := underCode(code, slices.Concat(salt, iv, ours.Pub[:]))
	if err != nil {
		return nil, err
	}
	unlock := a.srv.lock()
	c.send(node{Tag: "notification", Attrs: attrs{
		"from": types.ServerJID, "type": "link_code_companion_reg", "id": a.srv.nextID(), "t": a.srv.opts.Now().Unix(),
	}, Content: []node{{Tag: "link_code_companion_reg", Attrs: attrs{"stage": "primary_hello"}, Content: []node{
		{Tag: "link_code_pairing_ref", Content: []byte(c.link.ref)},
		{Tag: "link_code_pairing_wrapped_primary_ephemeral_pub", Content: slices.Concat(salt, iv, wrapped)},
		{Tag: "primary_identity_pub", Content: a.party.identity.Pub[:]},
	}}}})
	unlock()
	return a.finishCode(ctx, c, ours, theirs)
}

// underCode encrypts or decrypts a key with the code. wrapped is the salt, the iv
// and the key.
func underCode(code string, wrapped []byte) ([]byte, error) {
	block, err := aes.NewCipher(pbkdf2.Key([]byte(code), wrapped[:32], codeIterations, 32, sha256.New))
	if err != nil {
		return nil, err
	}
	out := make([]byte, 32)
	cipher.NewCTR(block, wrapped[32:48]).XORKeyStream(out, wrapped[48:80])
	return out, nil
}

func (a *Account) finishCode(ctx context.Context, c *conn, ours *keys.KeyPair, theirs []byte) (*Device, error) {
	err := a.srv.wait(ctx, "the client's half of the code", func() bool { return c.link.finish.Tag != "" || c.closed })
	if err != nil {
		return nil, err
	}
	unlock := a.srv.lock()
	secret, err := a.codeSecret(c, ours, theirs)
	var p *pairing
	if err == nil {
		p, err = a.approve(c, secret)
	}
	unlock()
	if err != nil {
		return nil, err
	}
	return a.paired(ctx, c, p)
}

// codeSecret returns the ADV secret that client and phone have agreed on.
func (a *Account) codeSecret(c *conn, ours *keys.KeyPair, theirs []byte) ([]byte, error) {
	if c.link.finish.Tag == "" {
		return nil, errors.New("the client left")
	}
	bundle := bytesOf(c.link.finish, "link_code_pairing_wrapped_key_bundle")
	if len(bundle) < 32+12 {
		return nil, errors.New("the client's keys are too short")
	}
	ephemeral, err := curve25519.X25519(ours.Priv[:], theirs)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrWrongCode, err)
	}
	key := hkdfutil.SHA256(ephemeral, bundle[:32], []byte("link_code_pairing_key_bundle_encryption_key"), 32)
	plain, err := gcmutil.Decrypt(key, bundle[32:44], bundle[44:], nil)
	if err != nil || len(plain) != 96 {
		c.link.finish = node{} // another try may follow
		return nil, ErrWrongCode
	}
	identity, mine, random := plain[:32], plain[32:64], plain[64:]
	if !slices.Equal(identity, c.hello.payload.GetDevicePairingData().GetEIdent()) || !slices.Equal(mine, a.party.identity.Pub[:]) {
		return nil, errors.New("the client's keys are not those that it came with")
	}
	shared, err := curve25519.X25519(a.party.identity.Priv[:], identity)
	if err != nil {
		return nil, err
	}
	return hkdfutil.SHA256(slices.Concat(ephemeral, shared, random), nil, []byte("adv_secret"), 32), nil
}
