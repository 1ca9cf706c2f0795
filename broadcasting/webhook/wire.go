package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"chatcast/broadcasting"
)

// One webhook, as it goes over the wire:
//
//	POST /path HTTP/1.1
//	Content-Type: application/json
//	X-Pusher-Key: 278d425bdf160c739803
//	X-Pusher-Signature: hex(HMAC-SHA256(secret, body))
//
//	{"time_ms":1327078148132,"events":[{"name":"channel_occupied","channel":"my-channel"}]}
//
// Content-Type has no charset, because Pusher's library for Node compares it with ===.
// The time is an integer and data is a string, because its library for Go reads nothing
// else.
const (
	contentType     = "application/json"
	headerKey       = "X-Pusher-Key"
	headerSignature = "X-Pusher-Signature"
)

// event is the shape of every kind. Fields that a kind does not have are left out.
type event struct {
	Name              string  `json:"name"`
	Channel           string  `json:"channel"`
	Event             string  `json:"event,omitempty"`
	Data              *string `json:"data,omitempty"`
	SocketID          string  `json:"socket_id,omitempty"`
	UserID            string  `json:"user_id,omitempty"`
	SubscriptionCount *int    `json:"subscription_count,omitempty"`
}

// encode returns h as JSON of one webhook event.
func encode(h broadcasting.ChannelEvent) (string, error) {
	e := event{Name: kindNames[h.Kind], Channel: h.Channel}
	switch h.Kind {
	case broadcasting.MemberAdded, broadcasting.MemberRemoved:
		e.UserID = h.UserID
	case broadcasting.Counted:
		e.SubscriptionCount = &h.Count
	case broadcasting.ClientSent:
		data := dataString(h.Data)
		e.Event, e.Data, e.SocketID, e.UserID = h.Name, &data, h.SocketID, h.UserID
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// dataString returns the data of a client event as the text that receivers get: the
// value of a JSON string, the JSON of everything else.
func dataString(data string) string {
	var text string
	if len(data) > 0 && data[0] == '"' && json.Unmarshal([]byte(data), &text) == nil {
		return text
	}
	return data
}

// body returns the body of a webhook with encoded events. Each text may hold several
// events, joined with commas.
func body(timeMS int64, events ...string) []byte {
	size := 40
	for _, e := range events {
		size += len(e) + 1
	}
	out := append(make([]byte, 0, size), `{"time_ms":`...)
	out = strconv.AppendInt(out, timeMS, 10)
	out = append(out, `,"events":[`...)
	for i, e := range events {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, e...)
	}
	return append(out, `]}`...)
}

// sign returns the value of X-Pusher-Signature.
func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
