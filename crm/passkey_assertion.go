package crm

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// PasskeyAssertion is WebAuthn's AuthenticationResponseJSON, as the toJSON method of a
// browser's PublicKeyCredential returns it. Fields that are not listed are ignored.
type PasskeyAssertion struct {
	ID       string                 `json:"id"`
	RawID    string                 `json:"rawId"`
	Type     string                 `json:"type"`
	Response PasskeyAssertionResult `json:"response"`
}

// PasskeyAssertionResult holds bytes as base64url.
type PasskeyAssertionResult struct {
	ClientDataJSON    string  `json:"clientDataJSON"`
	AuthenticatorData string  `json:"authenticatorData"`
	Signature         string  `json:"signature"`
	UserHandle        *string `json:"userHandle"`
}

// Assertion is a decoded PasskeyAssertion.
type Assertion struct {
	CredentialID, ClientData, AuthenticatorData, Signature, UserHandle []byte
}

// maxAssertionPart bounds each part of an assertion. Real ones are a few hundred bytes.
const maxAssertionPart = 8 << 10

// Decode checks the form of the assertion and decodes it.
func (in *PasskeyAssertion) Decode() (a Assertion, err error) {
	if in.Type != "public-key" {
		return a, Invalid("assertion.type", "must be public-key")
	}
	if in.ID != "" && unpadded(in.ID) != unpadded(in.RawID) {
		return a, Invalid("assertion.rawId", "must be the same as id")
	}
	err = allViolations(
		decodePart("rawId", in.RawID, &a.CredentialID),
		decodePart("response.clientDataJSON", in.Response.ClientDataJSON, &a.ClientData),
		decodePart("response.authenticatorData", in.Response.AuthenticatorData, &a.AuthenticatorData),
		decodePart("response.signature", in.Response.Signature, &a.Signature),
	)
	if err == nil && in.Response.UserHandle != nil && *in.Response.UserHandle != "" {
		err = decodePart("response.userHandle", *in.Response.UserHandle, &a.UserHandle)
	}
	return a, err
}

func unpadded(s string) string { return strings.TrimRight(s, "=") }

func decodePart(field, text string, to *[]byte) error {
	field = "assertion." + field
	switch {
	case text == "":
		return Invalid(field, "must be given")
	case len(text) > maxAssertionPart:
		return Invalid(field, "must not be longer than %d", maxAssertionPart)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(unpadded(text))
	if err != nil {
		return Invalid(field, "must be base64url")
	}
	*to = b
	return nil
}

// Places of what CheckAssertion finds wrong. A browser's clientDataJSON and
// authenticatorData are encoded, so these are places inside of them.
const (
	clientDataField        = "assertion.response.clientDataJSON"
	authenticatorDataField = "assertion.response.authenticatorData"
)

// Bits of the authenticator data's flags.
const (
	userPresent  = 1 << 0
	userVerified = 1 << 2
)

// clientData is the part of clientDataJSON that counts.
type clientData struct{ Type, Challenge, Origin string }

func (a *Assertion) client() (d clientData, err error) {
	err = json.Unmarshal(a.ClientData, &d)
	return d, err
}

// Challenge returns what the assertion says that it answers; empty: it says nothing.
func (a *Assertion) Challenge() string {
	d, err := a.client()
	if err != nil {
		return ""
	}
	return unpadded(d.Challenge)
}

// Check checks that the assertion answers the step, as far as one can without the
// account's public key: the messenger checks the signature.
func (a *Assertion) Check(step *PasskeyStep) error {
	client, err := a.client()
	if err != nil {
		return Invalid(clientDataField, "must be JSON")
	}
	o := step.Options
	switch {
	case client.Type != "webauthn.get":
		return Invalid(clientDataField+".type", "must be webauthn.get")
	case client.Origin != step.Origin:
		return Invalid(clientDataField+".origin", "must be %s: the passkey was used on another page", step.Origin)
	case unpadded(client.Challenge) != o.Challenge:
		return Invalid(clientDataField+".challenge", "is not that of this pairing: the passkey was used for another line, or for an earlier pairing")
	}
	const flagsAt, least = sha256.Size, 37
	if len(a.AuthenticatorData) < least {
		return Invalid(authenticatorDataField, "must have at least %d bytes", least)
	}
	flags, site := a.AuthenticatorData[flagsAt], sha256.Sum256([]byte(o.RPID))
	switch {
	case !bytes.Equal(a.AuthenticatorData[:sha256.Size], site[:]):
		return Invalid(authenticatorDataField+".rpIdHash", "must be that of %s: the passkey is another site's", o.RPID)
	case flags&userPresent == 0:
		return Invalid(authenticatorDataField+".flags", "must say that somebody was present")
	case o.UserVerification == "required" && flags&userVerified == 0:
		return Invalid(authenticatorDataField+".flags", "must say that the person was verified")
	}
	id := base64.RawURLEncoding.EncodeToString(a.CredentialID)
	if len(o.AllowCredentials) > 0 && !slices.ContainsFunc(o.AllowCredentials, func(c PasskeyCredential) bool { return c.ID == id }) {
		return Invalid("assertion.rawId", "is not one of the account's passkeys")
	}
	return nil
}

// Fits reports whether browsers let a page of the origin use passkeys of the site.
func (o *PasskeyOptions) Fits(origin string) bool {
	at, err := url.Parse(origin)
	return err == nil && (at.Hostname() == o.RPID || strings.HasSuffix(at.Hostname(), "."+o.RPID))
}
