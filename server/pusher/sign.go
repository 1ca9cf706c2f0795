package pusher

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
)

// The signatures of the Pusher protocol, all HMAC-SHA256 in hex over:
//
//	a channel     socket_id:channel[:channel_data]     "auth" of a subscription, as KEY:hex
//	a user        socket_id::user::user_data           "auth" of a sign-in, as KEY:hex
//	a request     METHOD\npath\nsorted query           auth_signature of the HTTP API (httpapi_signature.go)

var socketIDPattern = regexp.MustCompile(`\A\d{1,20}\.\d{1,20}\z`)

// ValidSocketID reports whether s can be the id of a socket: digits, a dot, digits.
// Every signer must check it, or "1.1:private-x" could be smuggled into the signed
// string.
func ValidSocketID(s string) bool { return socketIDPattern.MatchString(s) }

// SignChannel returns the signature of a subscription, without the key. It covers
// channelData, if any, on every kind of channel.
func SignChannel(secret, socketID, channel, channelData string) string {
	if channelData == "" {
		return sign(secret, socketID, ":", channel)
	}
	return sign(secret, socketID, ":", channel, ":", channelData)
}

// AuthChannel returns the "auth" of a subscription: KEY:hex.
func (a *App) AuthChannel(socketID, channel, channelData string) string {
	return a.Key + ":" + SignChannel(a.Secret, socketID, channel, channelData)
}

// VerifyChannel reports whether auth, KEY:hex, lets the socket subscribe to the channel
// with this channel_data (empty: none).
func (a *App) VerifyChannel(auth, socketID, channel, channelData string) bool {
	if channelData == "" {
		return a.verify(auth, socketID, ":", channel)
	}
	return a.verify(auth, socketID, ":", channel, ":", channelData)
}

// verify reports whether auth is KEY:hex of the parts, signed with a secret of the app
// that is valid now.
func (a *App) verify(auth string, parts ...string) bool {
	key, signature, _ := strings.Cut(auth, ":") // a key has no colon
	signed := a.signed(signature, time.Now(), parts...)
	return equal(key, a.Key) && signed
}

// signed reports whether signature, in hex, is that of the parts with a secret of the
// app that is valid at now. Each secret is tried whatever the others give, so that the
// time taken does not reveal which one it was.
func (a *App) signed(signature string, now time.Time, parts ...string) bool {
	ok := equal(signature, sign(a.Secret, parts...))
	if a.OldSecret != "" && now.Before(a.OldSecretUntil) {
		old := equal(signature, sign(a.OldSecret, parts...))
		ok = ok || old
	}
	return ok
}

func sign(secret string, parts ...string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		mac.Write([]byte(p)) // a hash never fails
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// equal compares in constant time.
func equal(given, want string) bool { return hmac.Equal([]byte(given), []byte(want)) }

// AuthUser returns the "auth" of a sign-in: KEY:hex.
func (a *App) AuthUser(socketID, userData string) string {
	return a.Key + ":" + sign(a.Secret, socketID, "::user::", userData)
}

// VerifyUser reports whether auth, KEY:hex, signs the socket in with this user_data.
func (a *App) VerifyUser(auth, socketID, userData string) bool {
	return a.verify(auth, socketID, "::user::", userData)
}
