package pusher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/server"
)

// message is a message from a client.
type message struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel"` // of client events
	Data    json.RawMessage `json:"data"`
}

// subscription is the data of pusher:subscribe and pusher:unsubscribe.
type subscription struct {
	Channel     string `json:"channel"`
	Auth        string `json:"auth"`
	ChannelData string `json:"channel_data"`
}

// parseMessage reads a message. Its errors are sentences for the client.
func parseMessage(text []byte) (m message, err error) {
	if err := decode(text, &m, "The message"); err != nil {
		return message{}, err
	}
	if m.Event == "" {
		//lint:ignore ST1005 a sentence for the client
		return message{}, errors.New("The message has no event")
	}
	return m, nil
}

func parseSubscription(data json.RawMessage) (s subscription, err error) {
	if len(data) == 0 {
		//lint:ignore ST1005 a sentence for the client
		return s, errors.New("The message has no data")
	}
	if err := decode(data, &s, "data"); err != nil {
		return subscription{}, err
	}
	if s.Channel == "" {
		return subscription{}, errors.New("data.channel is missing")
	}
	return s, nil
}

// decode reads a JSON object into v. Its error names the field and what is wrong with
// it.
func decode(text []byte, v any, what string) error {
	if first := bytes.TrimLeft(text, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		if json.Valid(text) {
			return fmt.Errorf("%s is not a JSON object", what)
		}
		return fmt.Errorf("%s is not valid JSON", what)
	}
	err := json.Unmarshal(text, v)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("%s: %s may not be %s", what, wrong.Field, article(wrong.Value))
	case err != nil:
		return fmt.Errorf("%s is not valid JSON", what)
	}
	if twice := server.RepeatedName(text, 1); twice != "" {
		return fmt.Errorf("%s: %s is given twice", what, twice)
	}
	return nil
}

// article turns what encoding/json calls a value into English.
func article(value string) string {
	switch word, _, _ := bytes.Cut([]byte(value), []byte(" ")); string(word) {
	case "array", "object":
		return "an " + string(word)
	case "bool":
		return "a boolean"
	default:
		return "a " + string(word)
	}
}

// parseMember reads the channel_data of a presence channel, whose signature must
// already be verified. limit bounds user_id and user_info together, in bytes.
func parseMember(channelData string, limit int) (*broadcasting.Member, error) {
	var data struct {
		ID   json.RawMessage `json:"user_id"`
		Info json.RawMessage `json:"user_info"`
	}
	if err := decode([]byte(channelData), &data, "channel_data"); err != nil {
		return nil, err
	}
	id, err := userID(data.ID)
	if err != nil {
		return nil, fmt.Errorf("channel_data: user_id %w", err)
	}
	m := &broadcasting.Member{ID: id, Info: infoOf(data.Info)}
	if size := memberBytes(m); size > limit {
		return nil, memberSizeError{size, limit}
	}
	return m, nil
}

// memberSizeError is the error of a member over its limit, in bytes.
type memberSizeError struct{ size, limit int }

func (e memberSizeError) Error() string {
	return fmt.Sprintf("channel_data: user_id and user_info have %d bytes, at most %d are allowed", e.size, e.limit)
}

func memberBytes(m *broadcasting.Member) int { return len(m.ID) + len(m.Info) }

// infoOf returns user_info, nil if there is none.
func infoOf(raw json.RawMessage) json.RawMessage {
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	return raw
}

// userID returns a user id as a string. It accepts a string or a whole number, which
// many backends send.
func userID(raw json.RawMessage) (string, error) {
	var id string
	switch {
	case len(raw) == 0 || bytes.Equal(raw, []byte("null")):
		return "", errors.New("is missing")
	case raw[0] == '"':
		if err := json.Unmarshal(raw, &id); err != nil {
			return "", errors.New("is not valid JSON")
		}
	case wholeNumber(raw):
		id = string(raw)
	default:
		return "", errors.New("must be a string or a whole number")
	}
	if !channels.ValidUserID(id) {
		return "", fmt.Errorf("must have 1 to %d characters, none of them a control character", channels.MaxUserID)
	}
	return id, nil
}

// wholeNumber reports whether a JSON value is a number without fraction or exponent.
func wholeNumber(raw []byte) bool {
	digits := bytes.TrimPrefix(raw, []byte("-"))
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(digits) > 0
}
