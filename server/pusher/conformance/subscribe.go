package conformance

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// auth signs a subscription: socket_id:channel, and channel_data if there is any.
func (s *socket) auth(channel, channelData string) string {
	text := s.id + ":" + channel
	if channelData != "" {
		text += ":" + channelData
	}
	return s.app.Key + ":" + mac(s.app.Secret, text)
}

func mac(secret, text string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text)) // a hash never fails
	return hex.EncodeToString(h.Sum(nil))
}

// ask sends pusher:subscribe as pusher-js does.
func (s *socket) ask(channel, auth, channelData string) {
	data := map[string]string{"auth": auth, "channel": channel}
	if channelData != "" {
		data["channel_data"] = channelData
	}
	s.send("pusher:subscribe", data)
}

// guarded reports whether a channel needs a signature.
func guarded(channel string) bool {
	return strings.HasPrefix(channel, "private-") || strings.HasPrefix(channel, "presence-")
}

// enter subscribes, with a signature if needed, and reads the success.
func (s *socket) enter(channel string) {
	auth := ""
	if guarded(channel) {
		auth = s.auth(channel, "")
	}
	s.ask(channel, auth, "")
	s.succeeded(channel)
}

// succeeded expects subscription_succeeded of a channel without members.
func (s *socket) succeeded(channel string) {
	f := s.read("pusher_internal:subscription_succeeded")
	if text := s.text(f); f.Channel != channel || text != "{}" {
		s.x.failf(`got %s, want channel %s and data "{}"`, f, channel)
	}
}

func (s *socket) leave(channel string) {
	s.send("pusher:unsubscribe", map[string]string{"channel": channel})
}

// name returns the name of a channel that nobody else uses, with a prefix.
func (x *exchange) name(prefix string) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return prefix + "kit-" + hex.EncodeToString(b[:])
}
