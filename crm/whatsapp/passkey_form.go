package whatsapp

import (
	"cmp"
	"encoding/base64"

	"go.mau.fi/util/jsonbytes"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

func passkeyOptions(k *types.WebAuthnPublicKey) *crm.PasskeyOptions {
	if k == nil {
		return nil
	}
	o := &crm.PasskeyOptions{
		Challenge: encoded(k.Challenge), Timeout: int64(k.Timeout), RPID: k.RelyingPartID, AllowCredentials: []crm.PasskeyCredential{},
		UserVerification: cmp.Or(k.UserVerification, "preferred"), Extensions: k.Extensions,
	}
	if o.Extensions == nil {
		o.Extensions = map[string]any{}
	}
	for _, c := range k.AllowCredentials {
		transports := c.Transports
		if transports == nil {
			transports = []string{}
		}
		o.AllowCredentials = append(o.AllowCredentials, crm.PasskeyCredential{ID: encoded(c.ID), Type: c.Type, Transports: transports})
	}
	return o
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func webAuthn(a crm.Assertion) *types.WebAuthnResponse {
	r := &types.WebAuthnResponse{
		ID: encoded(a.CredentialID), RawID: a.CredentialID, Type: "public-key",
		Response: types.WebAuthnResponseData{ClientDataJSON: a.ClientData, AuthenticatorData: a.AuthenticatorData, Signature: a.Signature},
	}
	if a.UserHandle != nil {
		handle := jsonbytes.UnpaddedURLBytes(a.UserHandle)
		r.Response.UserHandle = &handle
	}
	return r
}
